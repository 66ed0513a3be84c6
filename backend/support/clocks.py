"""The clocks of escalations: set from calendar, targets and pauses, and told as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

from sqlalchemy.ext.asyncio import AsyncSession

from backend.support import repository, settings_repository
from backend.support.clock_rules import FAR_OFF, TARGETS, Calendar, Clock, Pause, Target, run
from backend.support.models import EscalationTable, PauseRow
from backend.support.rules import UNSOLVED, Priority, SlaState
from backend.support.schemas import Sla
from backend.support.settings_models import CalendarRow, PolicyRow


def read_calendar(row: CalendarRow) -> Calendar:
    """A calendar as the rules count with it."""
    return Calendar(
        row.zone,
        tuple(
            tuple(
                (time.fromisoformat(shift["begins"]), time.fromisoformat(shift["ends"]))
                for shift in day
            )
            for day in row.week
        ),
        frozenset(date.fromisoformat(each["on"]) for each in row.holidays),
    )


def read_targets(row: PolicyRow | None) -> dict[Priority, Target]:
    """The targets by priority: what a lead set, or the rules' own."""
    if row is None:
        return TARGETS
    return {
        Priority(each["priority"]): Target(
            each["first_response_min"] * 60, each["resolution_min"] * 60, each["all_hours"]
        )
        for each in row.targets
    }


async def set_clocks(session: AsyncSession, row: EscalationTable) -> None:
    """Set both clocks of an escalation from what holds now."""
    await session.flush()
    calendar = await settings_repository.calendar_around(session, row.region)
    policy = await settings_repository.policy_around(session, row.region)
    pauses = await repository.pauses(session, row.id)
    wind(row, pauses, read_calendar(calendar) if calendar else None, read_targets(policy))


def wind(
    row: EscalationTable,
    pauses: Sequence[PauseRow],
    calendar: Calendar | None,
    targets: dict[Priority, Target],
) -> None:
    """Write into a row when its clocks are up, and which of them is so first.

    The first response never waits; what is solved keeps the moment that it had to be solved by.
    """
    target = targets[Priority(row.priority)]
    hours = None if target.all_hours else calendar
    first = run(hours, row.opened_at, target.first_response_s)
    stood = [Pause(each.began_at, each.ended_at) for each in pauses]
    whole = run(hours, row.opened_at, target.resolution_s, stood)
    assert first.due_at is not None
    row.first_response_due, row.resolution_due = first.due_at, whole.due_at
    row.paused_left_s = None if whole.left_s is None else round(whole.left_s)
    row.stale = False
    due_at, warn_at = FAR_OFF, FAR_OFF
    if row.state in UNSOLVED:
        running = [whole] if row.first_response_at is not None else [first, whole]
        due_at, warn_at = _first_up(running)
    if due_at != row.due_at:
        row.warned = 0
    row.due_at, row.warn_at = due_at, warn_at


def _first_up(clocks: Sequence[Clock]) -> tuple[datetime, datetime]:
    return min(
        ((each.due_at, each.warn_at or each.due_at) for each in clocks if each.due_at is not None),
        default=(FAR_OFF, FAR_OFF),
    )


def sla_of(row: EscalationTable, now: datetime) -> Sla:
    """How both clocks stand."""
    first = _judged(row.first_response_at, row.first_response_due, row, now)
    over = row.solved_at if row.state not in UNSOLVED else None
    whole = _judged(over, row.resolution_due, row, now)
    if row.state not in UNSOLVED:
        state = SlaState.BREACHED if SlaState.BREACHED in (first, whole) else SlaState.MET
    else:
        state = _running(row.due_at, row.warn_at, now)
    due = None if row.due_at == FAR_OFF else row.due_at
    return Sla(
        first_response_due=row.first_response_due,
        first_response_at=row.first_response_at,
        first_response=first,
        resolution_due=row.resolution_due,
        resolution=whole,
        state=state,
        due=due,
        remaining_s=None if due is None else round((due - now).total_seconds()),
        paused_left_s=row.paused_left_s,
    )


def _judged(
    done_at: datetime | None, due_at: datetime | None, row: EscalationTable, now: datetime
) -> SlaState:
    if due_at is None:
        return SlaState.PAUSED if done_at is None else SlaState.MET
    if done_at is not None:
        return SlaState.MET if done_at <= due_at else SlaState.BREACHED
    return _running(due_at, row.warn_at if due_at == row.due_at else due_at, now)


def _running(due_at: datetime, warn_at: datetime, now: datetime) -> SlaState:
    if due_at == FAR_OFF:
        return SlaState.PAUSED
    if due_at < now:
        return SlaState.BREACHED
    return SlaState.SOON if warn_at <= now else SlaState.RUNNING
