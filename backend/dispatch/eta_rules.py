"""What an ETA says, and what is learned from how earlier ones came out: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_CONFIDENT = 20
"""After so many arrivals half of what they say is believed."""
_LEAST_SPAN_S = 60.0
MOVED_S = 30.0
"""An ETA that moves by less is left as it was told."""
DELAY_TOLD_FROM = timedelta(minutes=15)
"""An order so late by its ETA is told of as delayed."""
DELAY_TOLD_AGAIN = timedelta(minutes=30)
"""And again when its ETA slips by so much more."""


@dataclass(frozen=True, slots=True)
class Correction:
    """How long things take for each second that the travel model says: median, 10th and 90th
    percentile.
    """

    ratio: float
    low: float
    high: float


UNLEARNED = Correction(1.0, 0.75, 1.5)
"""What is said where nothing was learned yet: the model itself, with a wide interval."""
UNASSIGNED = Correction(1.0, 0.6, 2.2)
"""The same for an order that has no driver yet."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What arrivals came out at: how many, and three quantiles of actual to model time."""

    n: int
    ratio: float
    low: float
    high: float


def learned(prior: Correction, outcomes: Outcomes | None) -> Correction:
    """The prior moved towards what was seen: by n / (n + 20)."""
    if outcomes is None or not outcomes.n:
        return prior
    trust = outcomes.n / (outcomes.n + _CONFIDENT)

    def between(before: float, seen: float) -> float:
        return before + (seen - before) * trust

    ratio = between(prior.ratio, outcomes.ratio)
    return Correction(
        ratio,
        min(ratio, between(prior.low, outcomes.low)),
        max(ratio, between(prior.high, outcomes.high)),
    )


@dataclass(frozen=True, slots=True)
class Expected:
    """When an order is expected, with the span in which four of five arrive."""

    at: datetime
    low: datetime
    high: datetime


def expected(now: datetime, raw_s: float, correction: Correction) -> Expected:
    """The ETA of an order that the travel model brings in `raw_s` seconds."""
    middle = raw_s * correction.ratio
    low = min(raw_s * correction.low, middle - _LEAST_SPAN_S)
    high = max(raw_s * correction.high, middle + _LEAST_SPAN_S)
    return Expected(_after(now, middle), _after(now, max(0.0, low)), _after(now, high))


def _after(now: datetime, seconds: float) -> datetime:
    return (now + timedelta(seconds=round(seconds))).replace(microsecond=0)


def moved(before: datetime | None, after: datetime) -> bool:
    """Whether an ETA has to be told anew."""
    return before is None or abs((after - before).total_seconds()) > MOVED_S


@dataclass(frozen=True, slots=True)
class Visit:
    """A stop ahead of a driver: not before `opens_s` from now, and how long it takes."""

    opens_s: float
    service_s: float


def arrivals(legs_s: Sequence[float], visits: Sequence[Visit]) -> list[float]:
    """Seconds from now until the driver arrives at each stop; a leg leads to each."""
    clock_s = 0.0
    found = []
    for leg_s, visit in zip(legs_s, visits, strict=True):
        clock_s += leg_s
        found.append(clock_s)
        clock_s = max(clock_s, visit.opens_s) + visit.service_s
    return found


def delay_is_news(promised_at: datetime, eta_at: datetime, told: datetime | None) -> bool:
    """Whether people are to hear that an order comes late; `told` is the ETA they heard last."""
    if told is not None:
        return eta_at - told > DELAY_TOLD_AGAIN
    return eta_at - promised_at > DELAY_TOLD_FROM
