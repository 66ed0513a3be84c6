"""Pure decisions about on call: whose turn it is, and which schedule is nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody stands in from `since` until `until`."""

    person_id: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """The number of the person whose turn it is, and when that ends."""

    index: int
    until: datetime


def on_call_at(
    people: Sequence[str],
    starts_at: datetime,
    turn: timedelta,
    overrides: Sequence[Override],
    now: datetime,
) -> Turn:
    """Whose turn it is at a moment; turns follow each other in the order of the people.

    Before the first turn begins it is the first person's. Of overrides the last that covers the
    moment counts; one of somebody who is not in the schedule counts for nothing.
    """
    past = max(0, (now - starts_at) // turn)
    ends = starts_at + (past + 1) * turn
    index = past % len(people)
    for override in reversed(overrides):
        if override.since <= now < override.until and override.person_id in people:
            return Turn(people.index(override.person_id), override.until)
    begins = [each.since for each in overrides if now < each.since < ends]
    return Turn(index, min([ends, *begins]))


def next_of(people: Sequence[str], index: int) -> int:
    """The number of the person whose turn comes after."""
    return (index + 1) % len(people)


def nearest(
    schedules: Sequence[tuple[str, tuple[str, ...]]], region: str, service: str
) -> int | None:
    """The number of the schedule for a place and service: one that names the service goes before
    one for all, then the smallest region around the place; None where none is.
    """
    fitting = [
        (bool(services), 0 if place == _EVERYWHERE else len(place), -number)
        for number, (place, services) in enumerate(schedules)
        if (not services or service in services) and _covers(place, region)
    ]
    return -max(fitting)[2] if fitting else None


def _covers(scope: str, code: str) -> bool:
    return scope in (_EVERYWHERE, code) or (code.startswith(scope) and code[len(scope)] in "-.")
