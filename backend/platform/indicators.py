"""Counts of what went well among what should have, by minute and region, kept in this process.

Counting is a few additions in memory. Whoever runs the process has what was counted written down
every few seconds, and gives back what could not be.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import time
from typing import NamedTuple

NOWHERE = "*"
"""The region of what cannot be said to have happened in one."""

# From a cache hit to a request that timed out, in steps of a tenth; where the P95 is read from.
LATENCY_BOUNDS_S: tuple[float, ...] = tuple(0.001 * 1.1**step for step in range(100))
# Older than this nobody looks at a minute any more; it bounds what an absent store can pile up.
_KEPT_MINUTES = 180


class Place(NamedTuple):
    """Which indicator, in which region, in which minute since the epoch."""

    name: str
    region: str
    minute: int


@dataclass(frozen=True, slots=True)
class Promise:
    """How fast the routes of an indicator are to answer, and which they are by their beginnings."""

    name: str
    within_s: float
    routes: Sequence[str] = ()


@dataclass(slots=True)
class Counts:
    """What was counted: good and valid by place, and answers by hour and step of latency."""

    good: Counter[Place] = field(default_factory=Counter)
    valid: Counter[Place] = field(default_factory=Counter)
    latency: Counter[tuple[int, int]] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.valid or self.latency)


_counts = Counts()
_promises: dict[str, Promise] = {}
_of_route: dict[str, Promise | None] = {}
_region: ContextVar[list[str] | None] = ContextVar("indicators_region", default=None)


def promise(promises: Iterable[Promise]) -> None:
    """Say what is promised, in place of all that was said before."""
    _promises.clear()
    _of_route.clear()
    _promises.update({each.name: each for each in promises})


def count(name: str, region: str, *, valid: int = 1, good: int) -> None:
    """Count `valid` things in a region just now, `good` of which were as they should be."""
    place = Place(name, region, int(time()) // 60)
    _counts.valid[place] += valid
    if good:
        _counts.good[place] += good


def count_timed(name: str, region: str, took_s: float) -> None:
    """Count one thing that came to an end, good where it took no longer than is promised."""
    promised = _promises.get(name)
    count(name, region, good=int(promised is None or took_s <= promised.within_s))


def begin_answer() -> list[str]:
    """Where the region of the answer being made is put by whoever comes to know it."""
    place = [NOWHERE]
    _region.set(place)
    return place


def in_region(region: str) -> None:
    """Say which region the answer being made is about; nothing where none is being made."""
    place = _region.get()
    if place is not None:
        place[0] = region


def count_answer(route: str, region: str, status: int, took_s: float) -> None:
    """Count an HTTP answer: a refusal that is the caller's own fault is not valid."""
    if route.startswith("/api/"):
        _counts.latency[int(time()) // 3600, bisect_left(LATENCY_BOUNDS_S, took_s)] += 1
    promised = _promised_of(route)
    if promised is None or 400 <= status < 500:
        return
    count(promised.name, region, good=int(status < 500 and took_s <= promised.within_s))


def _promised_of(route: str) -> Promise | None:
    if route not in _of_route:
        _of_route[route] = next(
            (each for each in _promises.values() if route.startswith(tuple(each.routes))), None
        )
    return _of_route[route]


def drain() -> Counts:
    """Take everything that was counted since the last time."""
    global _counts
    taken, _counts = _counts, Counts()
    return taken


def put_back(counts: Counts) -> None:
    """Take back what could not be written down, but for what nobody will look at any more."""
    oldest = int(time()) // 60 - _KEPT_MINUTES
    _counts.good.update(_younger(counts.good, oldest))
    _counts.valid.update(_younger(counts.valid, oldest))
    _counts.latency.update(
        {key: number for key, number in counts.latency.items() if key[0] >= oldest // 60}
    )


def _younger(counts: Mapping[Place, int], oldest: int) -> dict[Place, int]:
    return {place: number for place, number in counts.items() if place.minute >= oldest}
