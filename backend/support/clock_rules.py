"""Business time: when so much of it has passed, and how much of it lies between two moments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from backend.support.rules import Priority

WARN_AT = 0.8
"""The part of its time after which a clock is soon up."""

FAR_OFF = datetime(2200, 1, 1, tzinfo=UTC)
"""When a clock that does not run is up."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Shifts of each weekday in local time, Monday first, and the days without any.

    A shift that ends at or before its beginning ends on the next day.
    """

    zone: str
    week: tuple[tuple[tuple[time, time], ...], ...]
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Target:
    """How soon escalations of a priority are answered and solved, in seconds of business time."""

    first_response_s: int
    resolution_s: int
    all_hours: bool


TARGETS = {
    Priority.URGENT: Target(15 * 60, 4 * 3600, all_hours=True),
    Priority.HIGH: Target(60 * 60, 8 * 3600, all_hours=False),
    Priority.NORMAL: Target(4 * 3600, 24 * 3600, all_hours=False),
    Priority.LOW: Target(8 * 3600, 40 * 3600, all_hours=False),
}
"""What holds until a lead sets other targets."""


def spans(calendar: Calendar, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The business hours from a moment on, in UTC, in order and without overlap; they never end."""
    zone = ZoneInfo(calendar.zone)
    day = since.astimezone(zone).date() - _DAY
    reached = since
    while True:
        shifts = () if day in calendar.holidays else calendar.week[day.weekday()]
        for begins, ends in shifts:
            last = day if ends > begins else day + _DAY
            start = datetime.combine(day, begins, zone).astimezone(UTC)
            end = datetime.combine(last, ends, zone).astimezone(UTC)
            start = max(start, reached)
            if end > start:
                yield start, end
                reached = end
        day += _DAY


def after(calendar: Calendar | None, since: datetime, seconds: float) -> datetime:
    """The moment at which so much business time has passed; without a calendar all time counts."""
    if calendar is None:
        return since + timedelta(seconds=seconds)
    left = timedelta(seconds=seconds)
    for start, end in spans(calendar, since):
        if end - start >= left:
            return start + left
        left -= end - start
    raise AssertionError("business hours never end")


def between(calendar: Calendar | None, since: datetime, until: datetime) -> float:
    """Seconds of business time from one moment to another; 0 where the second is not later."""
    if calendar is None:
        return max(0.0, (until - since).total_seconds())
    counted = timedelta()
    for start, end in spans(calendar, since):
        if start >= until:
            break
        counted += min(end, until) - start
    return counted.total_seconds()


@dataclass(frozen=True, slots=True)
class Pause:
    """A span in which a clock stands still; without an end it does so now."""

    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Clock:
    """When a clock warns and is up; None and the seconds that are left while it stands still."""

    warn_at: datetime | None
    due_at: datetime | None
    left_s: float | None = None


def run(
    calendar: Calendar | None, since: datetime, seconds: float, pauses: Sequence[Pause] = ()
) -> Clock:
    """How a clock of so much business time stands after its pauses, in their order.

    One that was up before a pause began is not saved by it.
    """
    warn_at = None
    used = 0.0
    for pause in pauses:
        worked = between(calendar, since, pause.began_at)
        if warn_at is None and used + worked >= seconds * WARN_AT:
            warn_at = after(calendar, since, seconds * WARN_AT - used)
        if used + worked >= seconds:
            return Clock(warn_at, after(calendar, since, seconds - used))
        used += worked
        if pause.ended_at is None:
            return Clock(warn_at, None, seconds - used)
        since = pause.ended_at
    warn_at = warn_at or after(calendar, since, seconds * WARN_AT - used)
    return Clock(warn_at, after(calendar, since, seconds - used))
