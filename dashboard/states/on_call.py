"""Who is on call: schedules with their turns and escalation steps, and changing one."""

from __future__ import annotations

import re
from typing import Any, TypedDict

import reflex as rx

from backend.identity import service as identity
from backend.incidents import service as incidents
from backend.incidents.on_call_schemas import EscalationStep, ScheduleIn, ScheduleOut
from backend.platform import clock
from backend.regions.service import place_words
from dashboard import gateway
from dashboard.drawing import spoken_seconds
from dashboard.gateway import requires
from dashboard.states.forms import FormState, saves
from dashboard.states.paging import ListState, form_text, form_words, iso, loads
from dashboard.states.shell import place_names

PATH = "/admin/on-call"
TABS = ("", "maintenance", "heartbeats", "costs")
TURNS = (("0.5", "12 hours"), ("1", "1 day"), ("7", "1 week"), ("14", "2 weeks"))
WHOM = (("on_call", "the one on call"), ("next", "the next in turn"), ("everyone", "everyone"))
CHANNELS = {str(each): word for each, word in incidents.CHANNEL_WORDS.items()}
STEPS = 4
"""How many escalation steps the form offers."""
_DAY_S = 86_400


class Rung(TypedDict):
    """One escalation step in words."""

    when: str
    whom: str
    how: str


class Turn(TypedDict):
    """Somebody of a schedule."""

    initials: str
    name: str
    now: bool


class ScheduleRow(TypedDict):
    """One schedule."""

    id: str
    name: str
    place: str
    services: str
    on_call: str
    until: str
    turn: str
    lapse: str
    changed: str
    stand_ins: str
    rungs: list[Rung]
    people: list[Turn]


class StepForm(TypedDict):
    """One escalation step as the form holds it."""

    minutes: str
    whom: str
    console: bool
    email: bool
    sms: bool
    webhook: bool


class PersonForm(TypedDict):
    """Somebody who may be chosen for a schedule."""

    id: str
    name: str
    email: str
    sms: str
    chosen: bool


_EMPTY_STEP: StepForm = {
    "minutes": "", "whom": "on_call", "console": True, "email": False, "sms": False,
    "webhook": False,
}  # fmt: skip


class OnCallState(ListState, FormState, rx.State):
    """The tab of schedules, and which tab is open."""

    tab: str = ""
    rows: list[ScheduleRow] = []
    may_configure: bool = False
    form_id: str = ""
    form: dict[str, str] = {}
    steps: list[StepForm] = []
    people: list[PersonForm] = []
    _kept: dict[str, ScheduleOut] = {}

    @rx.event(background=True)
    @requires("incidents:read")
    @loads
    async def load(self) -> None:
        """Show the schedules."""
        async with self:
            asked = self._asked("tab")
            names = await place_names(self)
        async with gateway.open(self) as (session, principal):
            found = await incidents.list_schedules(session, principal)
            may_configure = identity.may(principal, "incidents:configure")
        async with self:
            self.tab = asked if asked in TABS else ""
            self.rows = [schedule_row(each, names) for each in found]
            self._kept = {str(each.id): each for each in found}
            self.may_configure = may_configure
            self.fault, self.ready = "", True

    @rx.event(background=True)
    @requires("incidents:configure")
    async def begin(self, schedule_id: str) -> None:
        """Open the form of a schedule, or of a new one."""
        async with gateway.open(self) as (session, principal):
            known = (
                await identity.list_persons(session, principal, limit=200)
                if identity.may(principal, "access:read")
                else []
            )
        async with self:
            kept = self._kept.get(str(schedule_id))
            chosen = {each.person_id: each for each in kept.people} if kept else {}
            people: dict[str, PersonForm] = {
                f"user:{each.id}": _person(f"user:{each.id}", each.name, each.email)
                for each in known
            }
            for each in chosen.values():
                people[each.person_id] = _person(
                    each.person_id, each.name, each.email, each.sms, chosen=True
                )
            self.people = sorted(
                people.values(), key=lambda each: (not each["chosen"], each["name"])
            )
            self.form_id = str(kept.id) if kept else ""
            self.form = _form(kept)
            steps = [_step_form(each) for each in kept.steps] if kept else []
            first: StepForm = {**_EMPTY_STEP, "minutes": "0"}
            self.steps = [*(steps or [first]), *[_EMPTY_STEP] * STEPS][:STEPS]
            self.open, self.form_fault, self.working = True, "", False

    @rx.event
    @requires("incidents:read")
    async def leave(self) -> None:
        """Close the form, also when the page is opened anew."""
        self.open = False

    @rx.event(background=True)
    @requires("incidents:configure")
    @saves
    async def save(self, form: dict[str, Any]) -> str:
        """Keep the schedule."""
        async with self:
            kept = self._kept.get(self.form_id)
            people = list(self.people)
        wanted = ScheduleIn.model_validate(_wanted(form, kept, people))
        async with gateway.open(self) as (session, principal):
            await incidents.save_schedule(session, principal, wanted)
        return "The schedule is kept."


def schedule_row(each: ScheduleOut, names: dict[str, str]) -> ScheduleRow:
    """A schedule in words."""
    return {
        "id": str(each.id),
        "name": each.name,
        "place": place_words([each.region], names),
        "services": ", ".join(each.services) or "all services",
        "on_call": each.on_call.name,
        "until": iso(each.on_call_until),
        "turn": f"turns last {spoken_seconds(each.turn_s)}",
        "lapse": f"unless something follows, an acknowledgement lapses after "
        f"{spoken_seconds(each.ack_lapses_s)}",
        "changed": f"changed by {each.changed_by_name}",
        "stand_ins": _stand_ins(each),
        "rungs": [_rung(step, first=at == 0) for at, step in enumerate(each.steps)],
        "people": [
            {
                "initials": "".join(word[0] for word in person.name.split()[:2]).upper(),
                "name": person.name,
                "now": person.person_id == each.on_call.person_id,
            }
            for person in each.people
        ],
    }


def _stand_ins(each: ScheduleOut) -> str:
    """Who stands in now or will."""
    now = clock.now()
    coming = {one.person_id for one in each.overrides if one.until > now}
    names = [person.name for person in each.people if person.person_id in coming]
    return f"stands in: {', '.join(names)}" if names else ""


def _rung(step: EscalationStep, *, first: bool) -> Rung:
    when = "at once" if first and not step.after_s else f"after {spoken_seconds(step.after_s)}"
    return {
        "when": when,
        "whom": dict(WHOM)[step.whom],
        "how": ", ".join(CHANNELS[each] for each in step.channels),
    }


def _person(
    person: str, name: str, email: str | None, sms: str | None = None, *, chosen: bool = False
) -> PersonForm:
    return {
        "id": person, "name": name, "email": email or "", "sms": sms or "", "chosen": chosen,
    }  # fmt: skip


def _form(kept: ScheduleOut | None) -> dict[str, str]:
    if kept is None:
        return {"name": "", "region": "", "services": "", "turn": "7", "lapse": "30"}
    return {
        "name": kept.name,
        "region": kept.region,
        "services": ", ".join(kept.services),
        "turn": f"{kept.turn_s / _DAY_S:g}",
        "lapse": f"{kept.ack_lapses_s // 60}",
    }


def _step_form(step: EscalationStep) -> StepForm:
    return {
        "minutes": f"{step.after_s // 60}",
        "whom": step.whom,
        "console": "console" in step.channels,
        "email": "email" in step.channels,
        "sms": "sms" in step.channels,
        "webhook": "webhook" in step.channels,
    }


def _wanted(
    form: dict[str, Any], kept: ScheduleOut | None, people: list[PersonForm]
) -> dict[str, Any]:
    """What the form asks for, as `ScheduleIn` reads it."""
    hooks = {each.person_id: each.webhook for each in kept.people} if kept else {}
    steps = []
    for at in range(STEPS):
        minutes = form_text(form, f"after-{at}")
        if minutes:
            steps.append(
                {
                    "after_s": int(minutes) * 60 if minutes.isdigit() else minutes,
                    "whom": form_text(form, f"whom-{at}") or "on_call",
                    "channels": [each for each in CHANNELS if form.get(f"{each}-{at}")],
                }
            )
    lapse, turn = form_text(form, "lapse"), form_text(form, "turn")
    return {
        "id": kept.id if kept else None,
        "seen_version": kept.version if kept else None,
        "name": form_text(form, "name"),
        "region": form_text(form, "region"),
        "services": form_words(form, "services"),
        "people": [
            {
                "person_id": each["id"],
                "name": each["name"],
                "email": each["email"] or None,
                "sms": re.sub(r"[\s().-]", "", form_text(form, f"sms-{each['id']}")) or None,
                "webhook": hooks.get(each["id"]),
            }
            for each in people
            if form.get(f"person-{each['id']}")
        ],
        "turn_s": round(float(turn) * _DAY_S) if turn in dict(TURNS) else 7 * _DAY_S,
        "starts_at": kept.starts_at if kept else clock.now(),
        "overrides": kept.overrides if kept else [],
        "steps": steps,
        "ack_lapses_s": int(lapse) * 60 if lapse.isdigit() else lapse,
    }
