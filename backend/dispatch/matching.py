"""Matches orders with drivers all together: candidates, constraints, costs, assignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.dispatch.assignment import assign
from backend.dispatch.candidates import candidate_pairs
from backend.dispatch.matching_rules import (
    Fleet,
    Ints,
    OpenOrders,
    PairCosts,
    Pairs,
    costs_of,
    reasons_of,
    unfitness,
    worth_s,
)
from backend.dispatch.travel import VEHICLES, Floats

_KEPT_FIT = 6
_KEPT_UNFIT = 6


@dataclass(frozen=True, slots=True)
class Weighed:
    """Pairs with their fitness and costs; `ranked` sorts them by order."""

    pairs: Pairs
    bits: NDArray[np.uint16]
    costs: PairCosts
    total: Floats
    starts: Ints
    ranked: Ints

    def of_order(self, number: int) -> Ints:
        """The pairs of an order: fit ones by cost, then unfit ones by distance."""
        return np.asarray(self.ranked[self.starts[number] : self.starts[number + 1]])

    def fit_of_order(self, number: int) -> Ints:
        """The pairs of an order that can be, by cost."""
        mine = self.of_order(number)
        return np.asarray(mine[self.bits[mine] == 0])


def weigh(
    orders: OpenOrders,
    fleet: Fleet,
    speeds: Floats,
    cooling: Ints,
    *,
    pairs: Pairs | None = None,
) -> Weighed:
    """Find candidates (unless `pairs` are given), check the constraints, work out the costs."""
    if pairs is None:
        pairs = candidate_pairs(
            orders, fleet, speeds, lambda some: unfitness(orders, fleet, some, cooling, speeds) == 0
        )
    bits = unfitness(orders, fleet, pairs, cooling, speeds)
    costs = costs_of(orders, fleet, pairs, speeds)
    total = costs.total
    ranked = np.lexsort((np.where(bits == 0, total, pairs.metres), bits != 0, pairs.order))
    starts = np.searchsorted(pairs.order[ranked], np.arange(len(orders) + 1))
    return Weighed(pairs, bits, costs, total, starts, ranked)


def match(orders: OpenOrders, fleet: Fleet, weighed: Weighed, *, dense: bool | None = None) -> Ints:
    """The chosen pair of each order, -1 where nobody is; no driver is chosen twice."""
    chosen = np.full(len(orders), -1, dtype=np.int64)
    fit = np.flatnonzero(weighed.bits == 0)
    order, driver = weighed.pairs.order[fit], weighed.pairs.driver[fit]
    picked = fit[
        assign(order, driver, weighed.total[fit], worth_s(orders), len(fleet), dense=dense)
    ]
    chosen[weighed.pairs.order[picked]] = picked
    return chosen


def also_asked(
    orders: OpenOrders, weighed: Weighed, chosen: Ints, most: int
) -> dict[int, list[int]]:
    """Further pairs to offer express orders to: the next best drivers who got no order now."""
    taken = set(weighed.pairs.driver[chosen[chosen >= 0]].tolist())
    more: dict[int, list[int]] = {}
    for number in np.flatnonzero(orders.express & (chosen >= 0)).tolist():
        for pair in weighed.fit_of_order(number).tolist():
            if len(more.get(number, ())) >= most:
                break
            driver = int(weighed.pairs.driver[pair])
            if driver not in taken:
                taken.add(driver)
                more.setdefault(number, []).append(pair)
    return more


def candidate_rows(fleet: Fleet, weighed: Weighed, number: int) -> list[dict[str, Any]]:
    """The best few of an order and the nearest few who cannot take it, as they are stored."""
    mine = weighed.of_order(number)
    fit = mine[weighed.bits[mine] == 0]
    unfit = mine[len(fit) :]
    return [
        candidate_row(fleet, weighed, pair)
        for pair in [*fit[:_KEPT_FIT].tolist(), *unfit[:_KEPT_UNFIT].tolist()]
    ]


def candidate_row(fleet: Fleet, weighed: Weighed, pair: int) -> dict[str, Any]:
    """One candidate in the shape of `matching_schemas.Candidate`."""
    driver = int(weighed.pairs.driver[pair])
    costs = weighed.costs
    parts = {
        name: round(float(getattr(costs, name)[pair]), 1)
        for name in ("travel", "lateness", "fairness", "battery")
    }
    return {
        "driver_id": str(fleet.ids[driver]),
        "code": fleet.codes[driver],
        "vehicle": VEHICLES[fleet.vehicle[driver]],
        "orders": int(fleet.orders[driver]),
        "most_orders": int(fleet.most_orders[driver]),
        "distance_m": round(float(weighed.pairs.metres[pair])),
        "travel_s": round(float(weighed.pairs.seconds[pair])),
        "costs": {**parts, "total": round(float(weighed.total[pair]), 1)},
        "unfit": [reason.value for reason in reasons_of(int(weighed.bits[pair]))],
    }


def unfit_counts(weighed: Weighed, number: int) -> dict[str, int]:
    """How many of an order's drivers were excluded for each reason."""
    bits = weighed.bits[weighed.of_order(number)]
    counts = {
        reason.value: int(np.count_nonzero(bits >> place & 1))
        for place, reason in enumerate(reasons_of(0xFFFF))
    }
    return {reason: count for reason, count in counts.items() if count}
