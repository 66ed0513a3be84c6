"""What each deed on an incident asks of the person, and the verb of the service it becomes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from backend.identity.schemas import Principal
from backend.incidents import service as incidents
from backend.incidents.schemas import LONGEST_TEXT, ActionIn, IncidentFilter, IncidentIn, RoleOut
from backend.platform import clock
from backend.platform.errors import Invalid
from dashboard.gateway import Session
from dashboard.states.incident_words import SEVERITIES
from dashboard.states.paging import form_text, uuid_or_none


class Asked(TypedDict):
    """Which fields the drawer shows; `form` is false for what is done at once."""

    form: bool
    note: str
    note_needed: bool
    pick: str
    many: bool
    region: bool
    text: bool
    flag: bool
    span: bool
    ago: bool
    force: bool
    role: bool
    name: bool


def _asked(**given: Any) -> Asked:
    nothing: Asked = {
        "form": True, "note": "", "note_needed": False, "pick": "", "many": False, "region": False,
        "text": False, "flag": False, "span": False, "ago": False, "force": False, "role": False,
        "name": False,
    }  # fmt: skip
    return {**nothing, **given}  # type: ignore[typeddict-item]


_WHY = {"note": "Why", "note_needed": True}
ASKED: dict[str, Asked] = {
    "acknowledge": _asked(form=False),
    "mitigate": _asked(note="What stopped it", ago=True),
    "resolve": _asked(note="How it was verified", ago=True, force=True),
    "close": _asked(form=False),
    "reopen": _asked(**_WHY),
    "set_severity": _asked(pick="Severity", note="Why"),
    "set_role": _asked(pick="Who", role=True),
    "set_kind": _asked(pick="What it is", note="Why"),
    "snooze": _asked(span=True),
    "merge": _asked(pick="Incidents that end in this one", many=True),
    "split": _asked(pick="Alerts that part from it", many=True, name=True),
    "redispatch": _asked(region=True, **_WHY),
    "pause_matching": _asked(region=True, **_WHY),
    "resume_matching": _asked(region=True, **_WHY),
    "message_customers": _asked(text=True, **_WHY),
    "flag_off": _asked(flag=True, **_WHY),
}
TITLES: dict[str, tuple[str, str]] = {
    "acknowledge": ("Acknowledge", ""),
    "mitigate": ("Mitigated", "The harm has stopped; the cause may still be there."),
    "resolve": ("Resolve", "Taken when its alerts are quiet and its indicator is well again."),
    "close": ("Close", ""),
    "reopen": ("Reopen", "The clock goes on as if it had never stopped."),
    "set_severity": ("Change the severity", ""),
    "set_role": ("Give a part", "There is one commander; the one before becomes a responder."),
    "set_kind": ("Say what it is", "Only real ones count in the figures."),
    "snooze": ("Snooze", "Nobody is called until then. The clock runs on."),
    "merge": ("Merge into this one", "Their alerts and their earliest moments come here."),
    "split": ("Split alerts off", "They become an incident with clocks of its own."),
    "redispatch": (
        "Re-dispatch an area", "Orders that are not picked up leave their drivers for others."
    ),
    "pause_matching": ("Pause matching", "No order of the city gets a driver until resumed."),
    "resume_matching": ("Resume matching", "Waiting orders of the city get drivers again."),
    "message_customers": ("Message customers", "Goes to those whom the incident hurts."),
    "flag_off": ("Turn a flag off", "Everybody in the environment gets the default."),
}  # fmt: skip
KINDS = ("real", "test", "false_positive")
SPANS = (("30", "30 minutes"), ("60", "1 hour"), ("240", "4 hours"), ("480", "8 hours"))
_LONGEST_MIN = 30 * 24 * 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incident at which version, what was filled in, and the names of what was chosen."""

    incident: UUID
    seen: int
    form: Mapping[str, Any]
    names: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """A field's text, None where it is empty."""
        return form_text(self.form, name).replace("\0", "") or None

    def picked(self) -> list[UUID]:
        """The ids whose boxes are ticked."""
        names = (name for name, value in self.form.items() if name.startswith("pick-") and value)
        found = (uuid_or_none(name.removeprefix("pick-")) for name in names)
        return [each for each in found if each is not None]

    def moment(self) -> datetime | None:
        """A moment so many minutes ago, None for now."""
        minutes = self.text("ago")
        if minutes is None:
            return None
        if not minutes.isdigit() or int(minutes) > _LONGEST_MIN:
            raise Invalid("Say how many minutes ago, as a whole number.")
        return clock.now() - timedelta(minutes=int(minutes))


Said = tuple[str, str]
"""What to tell after it, and the number of the incident to go to if another one."""
_Verb = Callable[[Session, Principal, Wanted], Awaitable[Said]]


async def carry_out(key: str, session: Session, principal: Principal, wanted: Wanted) -> Said:
    """Do one deed; raises what the service raises."""
    verb = _VERBS.get(key) or _act(key)
    return await verb(session, principal, wanted)


async def _acknowledge(session: Session, principal: Principal, wanted: Wanted) -> Said:
    await incidents.acknowledge(session, principal, wanted.incident, seen_version=wanted.seen)
    return "It is yours.", ""


async def _mitigate(session: Session, principal: Principal, wanted: Wanted) -> Said:
    await incidents.mitigate(
        session, principal, wanted.incident,
        seen_version=wanted.seen, note=wanted.text("note"), at=wanted.moment(),
    )  # fmt: skip
    return "Mitigated.", ""


async def _resolve(session: Session, principal: Principal, wanted: Wanted) -> Said:
    await incidents.resolve(
        session, principal, wanted.incident,
        seen_version=wanted.seen, note=wanted.text("note"), at=wanted.moment(),
        force=bool(wanted.form.get("force")),
    )  # fmt: skip
    return "Resolved. The review is drafted below.", ""


async def _close(session: Session, principal: Principal, wanted: Wanted) -> Said:
    await incidents.close(session, principal, wanted.incident, seen_version=wanted.seen)
    return "Closed.", ""


async def _reopen(session: Session, principal: Principal, wanted: Wanted) -> Said:
    await incidents.reopen(
        session, principal, wanted.incident,
        seen_version=wanted.seen, note=wanted.text("note") or "",
    )  # fmt: skip
    return "It is open again.", ""


async def _severity(session: Session, principal: Principal, wanted: Wanted) -> Said:
    chosen = wanted.text("pick")
    severity = IncidentFilter(severity=chosen if chosen in SEVERITIES else None).severity
    if severity is None:
        raise Invalid("Choose a severity.")
    await incidents.set_severity(
        session, principal, wanted.incident, severity,
        seen_version=wanted.seen, note=wanted.text("note"),
    )  # fmt: skip
    return f"It is a {severity} now.", ""


async def _role(session: Session, principal: Principal, wanted: Wanted) -> Said:
    person = wanted.text("person") or wanted.text("pick") or principal.id
    name = principal.name if person == principal.id else wanted.names.get(person, person)
    given = RoleOut.model_validate(
        {"role": wanted.text("role"), "person_id": person, "name": name, "since": clock.now()}
    )
    await incidents.set_role(
        session, principal, wanted.incident, given.role, given.person_id, given.name,
        seen_version=wanted.seen, remove=bool(wanted.form.get("remove")),
    )  # fmt: skip
    return "", ""


async def _kind(session: Session, principal: Principal, wanted: Wanted) -> Said:
    kind = IncidentIn.model_validate(
        {
            "kind": wanted.text("pick") or "", "title": "kind", "severity": "SEV4",
            "region": "*", "service": "kind",
        }
    ).kind  # fmt: skip
    await incidents.set_kind(
        session, principal, wanted.incident, kind, seen_version=wanted.seen,
        note=wanted.text("note"),
    )  # fmt: skip
    return "", ""


async def _note(session: Session, principal: Principal, wanted: Wanted) -> Said:
    text = wanted.text("note")
    if text is None:
        raise Invalid("Write something first.")
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"A note holds {LONGEST_TEXT:,} characters; this one has {len(text):,}.")
    await incidents.add_note(session, principal, wanted.incident, text)
    return "", ""


async def _merge(session: Session, principal: Principal, wanted: Wanted) -> Said:
    picked = wanted.picked()
    if not picked:
        raise Invalid("Choose at least one incident.")
    await incidents.merge_incidents(
        session, principal, wanted.incident, picked, seen_version=wanted.seen
    )
    return "Merged into this one.", ""


async def _split(session: Session, principal: Principal, wanted: Wanted) -> Said:
    picked = wanted.picked()
    if not picked:
        raise Invalid("Choose at least one alert.")
    made = await incidents.split_alerts(
        session, principal, wanted.incident, picked,
        seen_version=wanted.seen, title=wanted.text("name"),
    )  # fmt: skip
    return f"{made.number} has them now.", made.number


async def _snooze(session: Session, principal: Principal, wanted: Wanted) -> Said:
    minutes = wanted.text("span") or "60"
    if minutes not in dict(SPANS):
        raise Invalid("Choose how long.")
    until = clock.now() + timedelta(minutes=int(minutes))
    await incidents.snooze(session, principal, wanted.incident, until, seen_version=wanted.seen)
    return f"Nobody is called for {dict(SPANS)[minutes]}.", ""


async def _review(session: Session, principal: Principal, wanted: Wanted) -> Said:
    text = wanted.text("review")
    if text is None:
        raise Invalid("The review is empty.")
    await incidents.save_review(session, principal, wanted.incident, text, seen_version=wanted.seen)
    return "The review is saved.", ""


def _act(kind: str) -> _Verb:
    """An action on the ground, from the incident."""

    async def act(session: Session, principal: Principal, wanted: Wanted) -> Said:
        action = ActionIn.model_validate(
            {
                "kind": kind, "seen_version": wanted.seen, "reason": wanted.text("note") or "",
                "region": wanted.text("region"), "text": wanted.text("text"),
                "flag": wanted.text("flag"),
                "environment": wanted.text("environment") or "production",
            }
        )  # fmt: skip
        done = await incidents.act_on_incident(session, principal, wanted.incident, action)
        return done.summary, ""

    return act


_VERBS: dict[str, _Verb] = {
    "acknowledge": _acknowledge,
    "mitigate": _mitigate,
    "resolve": _resolve,
    "close": _close,
    "reopen": _reopen,
    "set_severity": _severity,
    "set_role": _role,
    "set_kind": _kind,
    "add_note": _note,
    "merge": _merge,
    "split": _split,
    "snooze": _snooze,
    "save_review": _review,
}
