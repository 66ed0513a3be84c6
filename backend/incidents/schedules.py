"""The verbs of on call: schedules, shifts, and the calls that went out."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import on_call_repository
from backend.incidents.calling import turn_of
from backend.incidents.on_call_models import ScheduleTable, ShiftTable
from backend.incidents.on_call_schemas import (
    OnCall,
    OnCallPerson,
    PageOut,
    ScheduleIn,
    ScheduleOut,
    ShiftOut,
)
from backend.incidents.places import related
from backend.incidents.quiet import check_region
from backend.incidents.repository import number_of
from backend.incidents.rules import Severity
from backend.notifications import service as notifications
from backend.platform import clock
from backend.platform.errors import Conflict, FieldError, Invalid, NotFound
from backend.platform.ids import uuid7
from backend.platform.resources import current
from backend.platform.scopes import covers

READ = "incidents:read"
CONFIGURE = "incidents:configure"


async def list_schedules(session: AsyncSession, principal: Principal) -> list[ScheduleOut]:
    """Schedules of the caller's regions by name; needs `incidents:read`.

    Addresses of people are for those alone who may change the schedule.
    """
    identity.authorize(principal, READ)
    return [_out(principal, row) for row in await _seen(session, principal)]


async def _seen(session: AsyncSession, principal: Principal) -> list[ScheduleTable]:
    held = identity.scopes(principal, READ)
    return [
        row
        for row in await on_call_repository.schedules(session)
        if any(related(scope, row.region) for scope in held)
    ]


async def save_schedule(
    session: AsyncSession, principal: Principal, wanted: ScheduleIn
) -> ScheduleOut:
    """Add a schedule, or change one; needs `incidents:configure` in its region.

    Raises Invalid naming the field, Conflict where somebody changed it meanwhile.
    """
    identity.authorize(principal, CONFIGURE, wanted.region)
    await _check(session, wanted)
    row = await _to_save(session, principal, wanted)
    before = None if row.version == 0 else _shown(row)
    told = wanted.model_dump(mode="json", exclude={"id", "seen_version", "starts_at"})
    for name, value in told.items():
        setattr(row, name, value)
    row.starts_at = wanted.starts_at
    row.version += 1
    row.changed_by, row.changed_by_name, row.changed_at = principal.id, principal.name, clock.now()
    session.add(row)
    await session.flush()
    await identity.record(
        session, principal, "schedule.saved", f"schedule:{row.id}", region=row.region,
        before=before, after=_shown(row),
    )  # fmt: skip
    return _out(principal, row)


async def _to_save(
    session: AsyncSession, principal: Principal, wanted: ScheduleIn
) -> ScheduleTable:
    if wanted.id is None:
        return ScheduleTable(
            id=uuid7(), name="", region="", services=[], people=[], turn_s=0,
            starts_at=wanted.starts_at, overrides=[], steps=[], ack_lapses_s=0, version=0,
            changed_by="", changed_by_name="", changed_at=clock.now(),
        )  # fmt: skip
    row = await on_call_repository.schedule(session, wanted.id, lock=True)
    if row is None:
        raise NotFound("There is no such schedule.")
    identity.authorize(principal, CONFIGURE, row.region)
    if wanted.seen_version != row.version:
        raise Conflict(f"{row.changed_by_name} changed it at {row.changed_at:%H:%M:%S} UTC.")
    return row


async def remove_schedule(session: AsyncSession, principal: Principal, schedule_id: UUID) -> None:
    """Remove a schedule; what it called for goes on without further steps."""
    identity.authorize(principal, CONFIGURE)
    row = await on_call_repository.schedule(session, schedule_id, lock=True)
    if row is None:
        raise NotFound("There is no such schedule.")
    identity.authorize(principal, CONFIGURE, row.region)
    await on_call_repository.remove_schedule(session, row.id)
    await identity.record(
        session, principal, "schedule.removed", f"schedule:{row.id}", region=row.region,
        before=_shown(row),
    )  # fmt: skip


async def _check(session: AsyncSession, wanted: ScheduleIn) -> None:
    await check_region(session, wanted.region)
    faults = []
    ids = [person.person_id for person in wanted.people]
    if len(set(ids)) < len(ids):
        faults.append(FieldError("/people", "twice", "Somebody is in it twice."))
    for number, person in enumerate(wanted.people):
        if person.webhook is not None:
            fault = notifications.url_fault(
                person.webhook, allow_loopback=not current().settings.production
            )
            if fault is not None:
                faults.append(FieldError(f"/people/{number}/webhook", *fault))
    for number, override in enumerate(wanted.overrides):
        if override.person_id not in ids:
            detail = "Only somebody of the schedule stands in."
            faults.append(FieldError(f"/overrides/{number}/person_id", "unknown_person", detail))
        if override.until <= override.since:
            detail = "A stand-in ends after it begins."
            faults.append(FieldError(f"/overrides/{number}/until", "out_of_order", detail))
    if faults:
        raise Invalid(faults[0].detail, errors=faults)


def _shown(row: ScheduleTable) -> dict[str, object]:
    people = [person["name"] for person in row.people]
    return {"name": row.name, "region": row.region, "people": people, "steps": row.steps}


def _out(principal: Principal, row: ScheduleTable) -> ScheduleOut:
    people = _people(principal, row)
    turn = turn_of(row, clock.now())
    told = row.model_dump(exclude={"people", "changed_by"})
    return ScheduleOut(**told, people=people, on_call=people[turn.index], on_call_until=turn.until)


def _people(principal: Principal, row: ScheduleTable) -> list[OnCallPerson]:
    whole = identity.may(principal, CONFIGURE, row.region)
    return [
        OnCallPerson.model_validate(
            each if whole else {**each, "email": None, "sms": None, "webhook": None}
        )
        for each in row.people
    ]


async def who_is_on_call(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> list[OnCall]:
    """Who is on call now, for each schedule that counts at `region`."""
    identity.authorize(principal, READ)
    now = clock.now()
    found = []
    for row in await _seen(session, principal):
        if region is None or covers(row.region, region):
            turn = turn_of(row, now)
            found.append(
                OnCall(
                    schedule_id=row.id,
                    schedule=row.name,
                    region=row.region,
                    person=_people(principal, row)[turn.index],
                    until=turn.until,
                )
            )
    return found


def webhook_secret(secret_key: str, person_id: str) -> str:
    """What calls to a person's webhook are signed with; it follows from the installation's key."""
    digest = hmac.digest(secret_key.encode(), f"call webhook\0{person_id}".encode(), "sha256")
    return f"whsec_{base64.b64encode(digest).decode()}"


async def call_secret(session: AsyncSession, principal: Principal, person_id: str) -> str:
    """The secret that a receiver checks a person's calls with; needs `incidents:configure`."""
    identity.authorize(principal, CONFIGURE)
    await identity.record(session, principal, "call_secret.shown", person_id)
    return webhook_secret(current().settings.secret_key.get_secret_value(), person_id)


async def start_shift(session: AsyncSession, principal: Principal) -> ShiftOut:
    """Begin the caller's shift: the console may sound from now on; the running one if any."""
    identity.authorize(principal, READ)
    row = ShiftTable(
        id=uuid7(), person_id=principal.id, name=principal.name, started_at=clock.now()
    )
    await on_call_repository.begin_shift(session, row)
    running = await on_call_repository.running_shift(session, principal.id)
    assert running is not None
    return _shift(running)


async def end_shift(session: AsyncSession, principal: Principal) -> ShiftOut | None:
    """End the caller's shift; None where none ran."""
    identity.authorize(principal, READ)
    row = await on_call_repository.running_shift(session, principal.id, lock=True)
    if row is None:
        return None
    row.ended_at = clock.now()
    await session.flush()
    return _shift(row)


async def current_shift(session: AsyncSession, principal: Principal) -> ShiftOut | None:
    """The caller's running shift."""
    identity.authorize(principal, READ)
    row = await on_call_repository.running_shift(session, principal.id)
    return _shift(row) if row is not None else None


def _shift(row: ShiftTable) -> ShiftOut:
    return ShiftOut(**row.model_dump())


async def list_pages(
    session: AsyncSession, principal: Principal, *, incident_id: UUID | None = None, limit: int = 50
) -> list[PageOut]:
    """Calls to the caller, or all of one incident that the caller sees, newest first."""
    identity.authorize(principal, READ)
    held = identity.scopes(principal, READ)
    rows = await on_call_repository.pages(
        session,
        person_id=None if incident_id is not None else principal.id,
        incident_id=incident_id,
        limit=limit,
    )
    return [
        PageOut(
            **page.model_dump(exclude={"round", "next_at", "target"}),
            number=number_of(incident),
            title=incident.title,
            severity=Severity(incident.severity),
        )
        for page, incident in rows
        if _concerned(held, incident.regions)
    ]


def _concerned(held: Sequence[str], places: Sequence[str]) -> bool:
    return any(related(scope, place) for scope in held for place in places)
