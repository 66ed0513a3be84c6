"""Burn rates of error budgets, and when they want somebody; pure decisions.

The windows and rates are those of the SRE workbook (Google, 2018, chapter 5): a fast pair pages
when 2 % of a 30-day budget went in an hour, a slow one opens a ticket at 10 % in three days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Alarm = Literal["page", "ticket"]

WINDOWS: dict[str, timedelta] = {
    "5m": timedelta(minutes=5),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "2h": timedelta(hours=2),
    "6h": timedelta(hours=6),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
}
BY_MINUTE = ("5m", "30m", "1h", "2h", "6h")
BY_HOUR = ("1d", "3d")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many things were valid, and how many of them good."""

    valid: int = 0
    good: int = 0

    @property
    def bad(self) -> int:
        """How many were not as they should be."""
        return self.valid - self.good

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.valid + other.valid, self.good + other.good)


@dataclass(frozen=True, slots=True)
class Pair:
    """A long window with the short one that tells whether it still goes on."""

    alarm: Alarm
    rate: float
    long: str
    short: str


PAIRS = (
    Pair("page", 14.4, "1h", "5m"),
    Pair("page", 6.0, "6h", "30m"),
    Pair("ticket", 3.0, "1d", "2h"),
    Pair("ticket", 1.0, "3d", "6h"),
)


@dataclass(frozen=True, slots=True)
class Burning:
    """Which pair of windows is over its rate, and how fast the budget goes."""

    pair: Pair
    rate: float

    @property
    def in_words(self) -> str:
        """The pair as people say it."""
        return f"{self.rate:.1f} times too fast over {self.pair.long} and {self.pair.short}"


def burn_rate(counted: Tally, target: float) -> float | None:
    """The share of bad things over the share allowed; None where nothing was valid."""
    if not counted.valid:
        return None
    return counted.bad / counted.valid / (1 - target)


def budget_left(counted: Tally, target: float) -> float | None:
    """The share of the error budget that is left, below zero once overspent."""
    rate = burn_rate(counted, target)
    return None if rate is None else 1 - rate


def burning(
    windows: Mapping[str, Tally],
    target: float,
    least_bad: int,
    counted_for: timedelta = timedelta.max,
) -> Burning | None:
    """The first pair of which both windows are over its rate, None where none is.

    `least_bad` bad things must have happened in the long window: one refusal among ten requests
    at night is a rate, but no reason to wake anybody. Nor is a system's first minute, which is
    all that its windows hold: a pair counts once its short window has been `counted_for`.
    """
    for pair in PAIRS:
        if counted_for < WINDOWS[pair.short]:
            continue
        long, short = windows.get(pair.long, Tally()), windows.get(pair.short, Tally())
        rates = (burn_rate(long, target), burn_rate(short, target))
        if long.bad < least_bad or any(rate is None or rate < pair.rate for rate in rates):
            continue
        return Burning(pair, rates[0] or 0.0)
    return None
