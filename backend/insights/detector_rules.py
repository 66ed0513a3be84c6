"""When a detector's indicator is bad, and when that is told and taken back; pure decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

News = Literal["fired", "cleared"]
Severity = Literal["SEV1", "SEV2", "SEV3", "SEV4"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From `fire` on a value is bad, below `clear` it is good; in between it stays as it was.

    `least` is how many things must be bad for the value to count at all, and half of that for it
    to go on counting: two of four are a share, and no harm that lasts.
    """

    fire: float
    clear: float
    for_s: float
    clear_for_s: float
    least: int = 0


@dataclass(frozen=True, slots=True)
class Signal:
    """How an indicator stands.

    `since` is the first sample of the present run, bad or good; `started_at` is the first bad
    sample of what is being told, and stays until it is taken back.
    """

    bad: bool
    since: datetime
    firing: bool = False
    started_at: datetime | None = None


def is_bad(value: float, count: int, limits: Thresholds, *, was_bad: bool) -> bool:
    """Whether a sample is bad, with the gap between the thresholds kept as it was."""
    if count < (limits.least / 2 if was_bad else limits.least):
        return False
    return value >= (limits.clear if was_bad else limits.fire)


def advance(
    before: Signal | None, value: float, count: int, limits: Thresholds, now: datetime
) -> tuple[Signal, News | None]:
    """The signal after a sample, and what is to be told of it.

    The impact starts with the first bad sample and ends with the first good one, not when either
    is told.
    """
    held = before or Signal(bad=False, since=now)
    bad = is_bad(value, count, limits, was_bad=held.bad)
    signal = held if bad == held.bad else replace(held, bad=bad, since=now)
    lasted = now - signal.since
    if bad and not signal.firing and lasted >= timedelta(seconds=limits.for_s):
        return replace(signal, firing=True, started_at=signal.since), "fired"
    if not bad and signal.firing and lasted >= timedelta(seconds=limits.clear_for_s):
        return replace(signal, firing=False), "cleared"
    return signal, None
