"""Pure decisions about alerts: what a repeated, late or flapping one means, and where it belongs.

Formats of the doorways disagree on little: a key names the condition, a start names the episode.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from backend.incidents.rules import OPEN, IncidentState

RESOLVE_DELAY = timedelta(seconds=60)
"""How long an alert that cleared may come back as the same episode: flapping."""
REOPEN_WITHIN = timedelta(minutes=30)
"""How long after its end a recurrence opens the same incident again."""
GROUP_WITHIN = timedelta(minutes=60)
"""How long after its newest alert an incident takes others of its service and place."""
VERIFY_AFTER = timedelta(seconds=90)
"""How long an incident must stay clear before it counts as recovered, where nothing measures it."""


class Meaning(StrEnum):
    """What one alert message says about the episode that is known."""

    NEW = "new"
    REPEATED = "repeated"
    FLAPPED = "flapped"
    CLEARING = "clearing"
    LATE = "late"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Episode:
    """The newest known episode of a key."""

    firing: bool
    started_at: datetime
    ended_at: datetime | None
    clearing: bool
    ended_by_sender: bool


def meaning(
    known: Episode | None,
    *,
    firing: bool,
    started_at: datetime,
    at: datetime,
    ordered: bool = False,
) -> Meaning:
    """What a message means; `at` is when the condition ended, for one that resolves.

    Messages come in any order: a "firing" of an episode that its sender has ended is late, and so
    is a "resolved" that ended before the present episode began. An episode that people ended by
    hand is not over for its sender: its next message begins a new one. A sender whose messages are
    `ordered`, or that knows no episodes, is never late.
    """
    if known is None:
        return Meaning.NEW if firing else Meaning.UNKNOWN
    if firing:
        if known.firing and not known.clearing:
            return Meaning.REPEATED
        if not ordered and known.ended_by_sender and started_at <= known.started_at:
            return Meaning.LATE
        return Meaning.FLAPPED if known.firing else Meaning.NEW
    if not known.firing:
        return Meaning.UNKNOWN
    return Meaning.LATE if at < known.started_at and not ordered else Meaning.CLEARING


def clears_at(ended_at: datetime, now: datetime) -> datetime:
    """When a resolved alert is over for good; one told late has waited already."""
    return max(now, ended_at + RESOLVE_DELAY)


def reopens(state: IncidentState, resolved_at: datetime | None, started_at: datetime) -> bool:
    """Whether a recurrence belongs to the incident that its key was in before."""
    if state in OPEN:
        return True
    return (
        state in (IncidentState.RESOLVED, IncidentState.CLOSED)
        and resolved_at is not None
        and started_at - resolved_at <= REOPEN_WITHIN
    )


def in_time(alerted_at: datetime, now: datetime) -> bool:
    """Whether an open incident still takes new alerts of its service and place."""
    return now - alerted_at <= GROUP_WITHIN
