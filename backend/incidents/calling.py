"""Calls people on call: begins, goes from step to step, and begins again when nothing follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import SYSTEM
from backend.incidents import on_call_repository, repository
from backend.incidents.models import IncidentTable
from backend.incidents.on_call_models import PageTable, ScheduleTable
from backend.incidents.on_call_rules import Override, Turn, nearest, next_of, on_call_at
from backend.incidents.rules import CHANNEL_WORDS, Channel, Kind, Severity
from backend.platform import clock
from backend.platform.ids import uuid7

_ACTOR = (SYSTEM.id, SYSTEM.name)
_NOT_CALLED = (Severity.SEV4,)
"""Nobody is called for these; they wait in the list."""
ACK_LAPSES = timedelta(minutes=30)
"""Where no schedule says otherwise."""


async def begin(session: AsyncSession, row: IncidentTable) -> None:
    """Start the first step of the schedule that is nearest to an incident, if there is one."""
    row.ack_lapses_at = row.next_step_at = None
    row.next_step = 0
    row.round += 1
    if row.severity in _NOT_CALLED or row.kind != Kind.REAL:
        return
    schedule = await _schedule_of(session, row)
    row.schedule_id = schedule.id if schedule is not None else None
    if schedule is not None:
        row.next_step_at = clock.now() + timedelta(seconds=schedule.steps[0]["after_s"])


def pause(row: IncidentTable, lapses_after: timedelta) -> None:
    """Stop calling because somebody took it on, for as long as something follows."""
    row.next_step_at = None
    row.ack_lapses_s = int(lapses_after.total_seconds())
    row.ack_lapses_at = clock.now() + lapses_after


def lengthen(row: IncidentTable) -> None:
    """Something followed an acknowledgement: it lapses so much later."""
    if row.ack_lapses_s is not None:
        row.ack_lapses_at = clock.now() + timedelta(seconds=row.ack_lapses_s)


def stop(row: IncidentTable) -> None:
    """Call nobody any more."""
    row.next_step_at = row.ack_lapses_at = row.snoozed_until = None


async def lapse_of(session: AsyncSession, row: IncidentTable) -> timedelta:
    """How long an acknowledgement of the incident holds when nothing follows."""
    if row.schedule_id is not None:
        schedule = await on_call_repository.schedule(session, row.schedule_id)
        if schedule is not None:
            return timedelta(seconds=schedule.ack_lapses_s)
    return ACK_LAPSES


async def _schedule_of(session: AsyncSession, row: IncidentTable) -> ScheduleTable | None:
    schedules = await on_call_repository.schedules(session)
    places = [(each.region, tuple(each.services)) for each in schedules]
    found = nearest(places, row.region, row.service)
    return schedules[found] if found is not None else None


async def call(session: AsyncSession, row: IncidentTable, now: datetime) -> int:
    """Carry out the step that is due; answers how many calls it makes."""
    schedule = None
    if row.schedule_id is not None:
        schedule = await on_call_repository.schedule(session, row.schedule_id)
    if schedule is None or row.next_step >= len(schedule.steps):
        row.next_step_at = None
        return 0
    step = schedule.steps[row.next_step]
    people = people_of(schedule, step["whom"], now)
    pages = [
        page
        for person in people
        for channel in step["channels"]
        if (page := _page(row, person, channel, now)) is not None
    ]
    await on_call_repository.add_pages(session, pages)
    _tell_called(session, row, people, pages, now)
    row.next_step += 1
    if row.next_step < len(schedule.steps):
        row.next_step_at = now + timedelta(seconds=schedule.steps[row.next_step]["after_s"])
    else:
        row.next_step_at = None
    return len(pages)


def _tell_called(
    session: AsyncSession,
    row: IncidentTable,
    people: Sequence[dict[str, Any]],
    pages: Sequence[PageTable],
    now: datetime,
) -> None:
    names = ", ".join(person["name"] for person in people)
    channels = ", ".join(dict.fromkeys(CHANNEL_WORDS[page.channel] for page in pages))
    words = f"Called {names} by {channels}." if pages else f"{names} cannot be reached."
    repository.write(
        session, row.id, "called", _ACTOR, words, at=now, step=row.next_step + 1, round=row.round
    )


def turn_of(schedule: ScheduleTable, now: datetime) -> Turn:
    """Whose turn it is by a schedule."""
    overrides = [
        Override(
            each["person_id"],
            datetime.fromisoformat(each["since"]),
            datetime.fromisoformat(each["until"]),
        )
        for each in schedule.overrides
    ]
    ids = [person["person_id"] for person in schedule.people]
    return on_call_at(ids, schedule.starts_at, timedelta(seconds=schedule.turn_s), overrides, now)


def people_of(schedule: ScheduleTable, whom: str, now: datetime) -> list[dict[str, Any]]:
    """Whom a step calls: the one whose turn it is, the one after, or all of the schedule."""
    if whom == "everyone":
        return schedule.people
    turn = turn_of(schedule, now)
    ids = [person["person_id"] for person in schedule.people]
    number = next_of(ids, turn.index) if whom == "next" else turn.index
    return [schedule.people[number]]


def _page(
    row: IncidentTable, person: dict[str, Any], channel: str, now: datetime
) -> PageTable | None:
    """A call over one channel; None where the person has no address there."""
    target = None if channel == Channel.CONSOLE else person.get(channel)
    if target is None and channel != Channel.CONSOLE:
        return None
    shown = channel == Channel.CONSOLE
    return PageTable(
        id=uuid7(),
        incident_id=row.id,
        round=row.round,
        step=row.next_step,
        channel=channel,
        person_id=person["person_id"],
        name=person["name"],
        target=target,
        state="sent" if shown else "pending",
        attempts=0,
        next_at=now,
        created_at=now,
        sent_at=now if shown else None,
    )
