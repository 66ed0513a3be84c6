"""Plans one driver's tour: which stop after which, in time, within the load; pure.

PyVRP (https://pyvrp.org) searches; what a sequence comes to is worked out here, by the same rules
for a sequence found by the search, by an earlier plan or by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from time import monotonic
from typing import Literal, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

STOP_S = 240
FAR_S = 10_000_000
_SLACKS_S = (0, 600, 1_800, 3_600, 7_200, FAR_S)
_TRY_S = 0.25

Kind = Literal["pickup", "drop"]
Seconds = NDArray[np.int64]


class Stop(NamedTuple):
    """A stop of a tour: for which order, to do what."""

    order: UUID
    kind: Kind


@dataclass(frozen=True, slots=True)
class Errand:
    """An order as a tour sees it; times are seconds from now, `pickup` None for one on board.

    `pickup` and `drop` are rows of the tour's tables.
    """

    order: UUID
    pickup: int | None
    drop: int
    weight_g: int
    volume_cm3: int
    opens_s: int = 0
    closes_s: int = FAR_S
    drop_opens_s: int = 0
    due_s: int = FAR_S

    @property
    def stops(self) -> tuple[Stop, ...]:
        """What is left to do."""
        drop = Stop(self.order, "drop")
        return (drop,) if self.pickup is None else (Stop(self.order, "pickup"), drop)


@dataclass(frozen=True, slots=True)
class Tour:
    """A driver, their errands, and the way between all places; row 0 is where the driver is.

    `held` is the load on board that has no stop. The first `fixed` stops of `plan` stay as they
    are; `plan` holds every stop, pickups before drops.
    """

    seconds: Seconds
    metres: Seconds
    left_s: int
    most_weight_g: int
    most_volume_cm3: int
    errands: tuple[Errand, ...]
    plan: tuple[Stop, ...]
    fixed: int = 0
    held: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Visit:
    """A stop in time; seconds from now. `late_s` is how long after it was due."""

    stop: Stop
    place: int
    arrive_s: int
    leave_s: int
    due_s: int

    @property
    def late_s(self) -> int:
        """Seconds of lateness, 0 in time."""
        return max(0, self.arrive_s - self.due_s)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a sequence of stops comes to."""

    visits: tuple[Visit, ...]
    metres: int
    overload: bool

    @property
    def duration_s(self) -> int:
        """Seconds from now until the last stop is done."""
        return self.visits[-1].leave_s if self.visits else 0

    @property
    def late_s(self) -> int:
        """Lateness over all stops."""
        return sum(visit.late_s for visit in self.visits)

    @property
    def worth(self) -> tuple[bool, int, int]:
        """The smaller, the better: the load kept, then lateness, then time."""
        return self.overload, self.late_s, self.duration_s


def schedule(tour: Tour, stops: Sequence[Stop]) -> Schedule:
    """Drive the stops in this order; raises ValueError for a drop before its pickup."""
    of = {errand.order: errand for errand in tour.errands}
    on_board = {errand.order for errand in tour.errands if errand.pickup is None}
    weight = tour.held[0] + sum(of[order].weight_g for order in on_board)
    volume = tour.held[1] + sum(of[order].volume_cm3 for order in on_board)
    at, now_s, metres, overload = 0, 0, 0, False
    visits = []
    for stop in stops:
        errand = of[stop.order]
        if stop.kind == "pickup":
            assert errand.pickup is not None
            place, opens, due, sign = errand.pickup, errand.opens_s, errand.closes_s, 1
            on_board.add(stop.order)
        else:
            if stop.order not in on_board:
                raise ValueError(f"{stop.order} would be dropped before it is picked up")
            place, opens, due, sign = errand.drop, errand.drop_opens_s, errand.due_s, -1
        weight, volume = weight + sign * errand.weight_g, volume + sign * errand.volume_cm3
        overload |= weight > tour.most_weight_g or volume > tour.most_volume_cm3
        arrive = now_s + int(tour.seconds[at, place])
        metres += int(tour.metres[at, place])
        now_s, at = max(arrive, opens) + STOP_S, place
        visits.append(Visit(stop, place, arrive, now_s, due))
    return Schedule(tuple(visits), metres, overload)


def plan_tours(tours: Sequence[Tour], seconds: float) -> list[tuple[Stop, ...]]:
    """The best order found for each tour in about so many seconds; never worse than its plan."""
    return [_best(tour, seconds) for tour in tours]


def _best(tour: Tour, seconds: float) -> tuple[Stop, ...]:
    best = tour.plan
    if len(tour.plan) - tour.fixed < 2:
        return best
    # Loaded here: only whoever plans needs it.
    from backend.dispatch.planning_search import search

    for slack_s in _SLACKS_S:
        found, feasible = search(tour, best, slack_s, min(seconds, _TRY_S))
        if schedule(tour, found).worth < schedule(tour, best).worth:
            best = found
        if feasible:
            found, _ = search(tour, best, slack_s, seconds)
            if schedule(tour, found).worth < schedule(tour, best).worth:
                best = found
            break
    return _mended(tour, best, seconds) if schedule(tour, best).late_s else best


def _mended(tour: Tour, stops: Sequence[Stop], seconds: float) -> tuple[Stop, ...]:
    """Move single stops while that makes a late tour better.

    The search keeps windows or widens them all alike; it cannot weigh one lateness against another.
    """
    best, worth = tuple(stops), schedule(tour, stops).worth
    until = monotonic() + seconds
    better = True
    while better:
        better = False
        for source, target in permutations(range(tour.fixed, len(stops)), 2):
            if monotonic() > until:
                return best
            tried = list(best)
            tried.insert(target, tried.pop(source))
            if not _in_order(tried, best[source].order):
                continue
            other = schedule(tour, tried).worth
            if other < worth:
                best, worth, better = tuple(tried), other, True
    return best


def _in_order(stops: Sequence[Stop], order: UUID) -> bool:
    """Whether the order is picked up before it is dropped."""
    kinds = [stop.kind for stop in stops if stop.order == order]
    return kinds != ["drop", "pickup"]
