"""The verbs by which people take an incident from its first alert to its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import alert_repository, calling, indicators, repository, views
from backend.incidents.changes import advance, new_incident, reopen_by_person, tell, touch
from backend.incidents.errors import NoSuchIncident, StillFiring
from backend.incidents.models import IncidentTable
from backend.incidents.quiet import check_region
from backend.incidents.repository import number_of
from backend.incidents.rules import OPEN, Act, IncidentState, Kind, Role, Severity
from backend.incidents.schemas import IncidentIn, IncidentRow, TimelineOut
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid, MovedOn, NotNow

WRITE = "incidents:write"
LONGEST_SNOOZE = timedelta(hours=24)
_KINDS = {Kind.REAL: "real", Kind.TEST: "a test", Kind.FALSE_POSITIVE: "a false positive"}


async def to_change(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    seen_version: int | None,
    *,
    states: tuple[IncidentState, ...] | None = None,
) -> IncidentTable:
    """The incident, locked, as the caller saw it.

    Raises NoSuchIncident, Denied where the caller may only look, MovedOn naming who did what.
    """
    identity.authorize(principal, "incidents:read")
    scopes = identity.scopes(principal, "incidents:read")
    row = await repository.incident(session, incident_id, scopes, lock=True)
    if row is None:
        raise NoSuchIncident
    identity.authorize(principal, WRITE, row.region)
    if seen_version is not None and row.version != seen_version:
        raise MovedOn(
            f"{row.changed_by_name} {row.changed_what} at {row.changed_at:%H:%M:%S} UTC;"
            f" {number_of(row)} is {row.state} now."
        )
    if states is not None and row.state not in states:
        raise NotNow(f"{number_of(row)} is {row.state}.")
    return row


async def open_incident(
    session: AsyncSession, principal: Principal, wanted: IncidentIn
) -> IncidentRow:
    """Declare an incident; needs `incidents:write` in its region."""
    identity.authorize(principal, WRITE, wanted.region)
    await check_region(session, wanted.region)
    now = clock.now()
    began = _past(wanted.impact_started_at, now, "/impact_started_at")
    row = await new_incident(
        session,
        principal,
        title=wanted.title,
        severity=wanted.severity,
        region=wanted.region,
        service=wanted.service,
        impact_started_at=began,
        detected_at=now,
        kind=wanted.kind,
    )
    if wanted.note:
        repository.write(session, row.id, "note", _actor(principal), wanted.note)
    await _recorded(session, principal, row, "opened", after={"title": row.title})
    return await views.one_out(session, row)


async def acknowledge(
    session: AsyncSession, principal: Principal, incident_id: UUID, *, seen_version: int
) -> IncidentRow:
    """Take an incident on; raises MovedOn saying who did what where it has moved on.

    Whoever acknowledges first commands, until somebody else is named. Acknowledging again
    lengthens an acknowledgement that would lapse.
    """
    row = await to_change(session, principal, incident_id, seen_version)
    words = f"Acknowledged by {principal.name}."
    await advance(session, principal, row, Act.ACKNOWLEDGE, words)
    calling.pause(row, await calling.lapse_of(session, row))
    if not any(each["role"] == Role.COMMANDER for each in row.roles):
        row.roles = [*row.roles, _part(Role.COMMANDER, principal.id, principal.name)]
    return await _done(session, principal, row, "acknowledged")


async def mitigate(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    *,
    seen_version: int,
    note: str | None = None,
    at: datetime | None = None,
) -> IncidentRow:
    """Say that the harm has stopped, now or `at` a moment that has passed."""
    row = await to_change(session, principal, incident_id, seen_version)
    words = note or "Mitigated."
    await advance(session, principal, row, Act.MITIGATE, words, at=_past(at, clock.now(), "/at"))
    calling.stop(row)
    return await _done(session, principal, row, "mitigated", note)


async def resolve(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    *,
    seen_version: int,
    note: str | None = None,
    at: datetime | None = None,
    force: bool = False,
) -> IncidentRow:
    """End an incident once its indicator is well again.

    Raises StillFiring while alerts fire or the indicator is bad, unless with `force` and a `note`:
    its alerts then end by hand, so that their next firing is a new episode.
    """
    await repository.await_turn(session)
    row = await to_change(session, principal, incident_id, seen_version)
    if row.state not in OPEN:
        raise NotNow(f"{number_of(row)} is {row.state}.")
    against = await _against_end(session, row)
    if against is not None and not force:
        raise StillFiring(f"{against} Resolve it with a reason all the same, or wait.")
    if against is not None and not note:
        detail = "Say why it is over although something speaks against it."
        raise Invalid(detail, errors=[FieldError("/note", "missing", detail)])
    now = clock.now()
    words = note or "Resolved: the indicator is well and nothing fires."
    await advance(session, principal, row, Act.RESOLVE, words, at=_past(at, now, "/at"))
    await alert_repository.end_by_hand(session, [row.id], now, principal.id)
    calling.stop(row)
    return await _done(session, principal, row, "resolved", note)


async def _against_end(session: AsyncSession, row: IncidentTable) -> str | None:
    """What speaks against an end: alerts that fire, or an indicator that is bad."""
    counts = await repository.alert_counts(session, [row.id])
    firing = await repository.firing_titles(session, row.id, 3) if row.id in counts else []
    if firing:
        more = counts[row.id].firing - len(firing)
        return f"Firing: {', '.join(firing)}{f' and {more} more' if more > 0 else ''}."
    wrong = await indicators.what_is_wrong(session, row, row.impact_started_at)
    return f"{wrong.rstrip('.')}." if wrong else None


async def close(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    *,
    seen_version: int,
    note: str | None = None,
) -> IncidentRow:
    """Close a resolved incident."""
    row = await to_change(session, principal, incident_id, seen_version)
    await advance(session, principal, row, Act.CLOSE, note or "Closed.")
    return await _done(session, principal, row, "closed", note)


async def reopen(
    session: AsyncSession, principal: Principal, incident_id: UUID, *, seen_version: int, note: str
) -> IncidentRow:
    """Open a resolved incident again; its clock has run through."""
    row = await to_change(session, principal, incident_id, seen_version)
    await reopen_by_person(session, principal, row, note)
    return await _done(session, principal, row, "reopened", note)


async def set_severity(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    severity: Severity,
    *,
    seen_version: int,
    note: str | None = None,
) -> IncidentRow:
    """Raise or lower how much it hurts."""
    row = await to_change(session, principal, incident_id, seen_version)
    if row.state not in OPEN:
        raise NotNow(f"{number_of(row)} is {row.state}.")
    former = row.severity
    if former == severity:
        return await views.one_out(session, row)
    row.severity = severity
    touch(row, principal, f"made it {severity}")
    words = f"{severity} from {former}" + (f": {note}" if note else ".")
    repository.write(session, row.id, "severity", _actor(principal), words, former=former)
    if severity < former and row.state == IncidentState.TRIGGERED:
        await calling.begin(session, row)
    await tell(session, principal, row, "incident.severity_changed", former=former)
    return await _done(session, principal, row, "severity", note, before={"severity": former})


async def set_kind(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    kind: Kind,
    *,
    seen_version: int,
    note: str | None = None,
) -> IncidentRow:
    """Say that it is real, a test or a false positive; the latter two count in no figure."""
    row = await to_change(session, principal, incident_id, seen_version)
    if row.state == IncidentState.MERGED:
        raise NotNow(f"{number_of(row)} ended in another.")
    former, row.kind = row.kind, kind
    touch(row, principal, f"called it {kind}")
    words = f"This is {_KINDS[kind]}" + (f": {note}" if note else ".")
    repository.write(session, row.id, "kind", _actor(principal), words, former=former)
    if kind is not Kind.REAL:
        row.next_step_at = None
    return await _done(session, principal, row, "kind", note, before={"kind": former})


async def set_role(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    role: Role,
    person_id: str,
    name: str,
    *,
    seen_version: int,
    remove: bool = False,
) -> IncidentRow:
    """Give somebody a part in an incident, or take it; there is one commander."""
    row = await to_change(session, principal, incident_id, seen_version)
    if row.state not in OPEN:
        raise NotNow(f"{number_of(row)} is {row.state}.")
    mine = (role, person_id)
    kept = [each for each in row.roles if (each["role"], each["person_id"]) != mine]
    if not remove:
        if role is Role.COMMANDER:
            kept = [each for each in kept if each["role"] != role]
        kept.append(_part(role, person_id, name))
    row.roles = kept
    words = f"{name} is {role} no longer." if remove else f"{name} is {role} now."
    touch(row, principal, f"changed the part of {name}")
    repository.write(
        session, row.id, "role", _actor(principal), words, role=role, person_id=person_id
    )
    return await _done(session, principal, row, "role", after={"role": role, "name": name})


async def add_note(
    session: AsyncSession, principal: Principal, incident_id: UUID, text: str
) -> TimelineOut:
    """Write into the timeline; needs no version, for nothing is overwritten."""
    row = await to_change(session, principal, incident_id, None)
    if row.state == IncidentState.MERGED:
        raise NotNow(f"{number_of(row)} ended in another; write there.")
    if row.ack_lapses_at is not None:
        calling.lengthen(row)
    entry = repository.write(session, row.id, "note", _actor(principal), text)
    await session.flush()
    return views.entry_out(entry)


async def snooze(
    session: AsyncSession,
    principal: Principal,
    incident_id: UUID,
    until: datetime,
    *,
    seen_version: int,
) -> IncidentRow:
    """Keep an incident from calling people until then, a day at most; its clock runs on."""
    row = await to_change(session, principal, incident_id, seen_version)
    if row.state not in OPEN:
        raise NotNow(f"{number_of(row)} is {row.state}.")
    now = clock.now()
    if not now < until <= now + LONGEST_SNOOZE:
        detail = "A snooze ends in the future, within 24 hours."
        raise Invalid(detail, errors=[FieldError("/until", "out_of_range", detail)])
    row.snoozed_until = until
    touch(row, principal, "snoozed it")
    words = f"Snoozed until {until:%H:%M} UTC; the clock runs on."
    repository.write(session, row.id, "snoozed", _actor(principal), words, until=until.isoformat())
    return await _done(session, principal, row, "snoozed")


def _past(at: datetime | None, now: datetime, pointer: str) -> datetime:
    if at is not None and at > now:
        detail = "This moment has not come yet."
        raise Invalid(detail, errors=[FieldError(pointer, "in_the_future", detail)])
    return at or now


def _actor(principal: Principal) -> tuple[str, str]:
    return principal.id, principal.name


def _part(role: Role, person_id: str, name: str) -> dict[str, Any]:
    return {
        "role": role,
        "person_id": person_id,
        "name": name,
        "since": clock.now().isoformat(),
    }


async def _done(
    session: AsyncSession,
    principal: Principal,
    row: IncidentTable,
    what: str,
    reason: str | None = None,
    **changed: Any,
) -> IncidentRow:
    await _recorded(session, principal, row, what, reason, **changed)
    return await views.one_out(session, row)


async def _recorded(
    session: AsyncSession,
    principal: Principal,
    row: IncidentTable,
    what: str,
    reason: str | None = None,
    **changed: Any,
) -> None:
    after = changed.pop("after", {"state": row.state, "severity": row.severity})
    await session.flush()
    await identity.record(
        session, principal, f"incident.{what}", f"incident:{number_of(row)}",
        region=row.region, after=after, reason=reason, **changed,
    )  # fmt: skip
