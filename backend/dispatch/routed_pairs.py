"""Asks the routing service for the ways of the best few candidates, where there is one."""

from __future__ import annotations

import asyncio

import numpy as np

from backend.dispatch.matching import Weighed
from backend.dispatch.matching_rules import Fleet, Ints, OpenOrders, Pairs
from backend.dispatch.travel import VEHICLES, Floats, Travel

MOST_ORDERS = 60
"""A larger batch is matched by the estimate: it must not wait for so many answers."""
_ASKED = 10


async def routed(
    orders: OpenOrders, fleet: Fleet, weighed: Weighed, travel: Travel, hour: int
) -> Pairs:
    """The pairs again: the ten best of each order with the service's ways, and those unfit.

    Fit pairs beyond the ten are left out, for an estimate is not to be compared with an answer.
    """
    asked = [weighed.fit_of_order(number)[:_ASKED] for number in range(len(orders))]
    answers = await asyncio.gather(
        *(
            _ways(orders, fleet, weighed.pairs.driver[pairs], number, travel, hour)
            for number, pairs in enumerate(asked)
        )
    )
    unfit = np.flatnonzero(weighed.bits != 0)
    fit = np.concatenate([np.empty(0, dtype=np.int64), *asked])
    kept = weighed.pairs
    return Pairs(
        np.concatenate([kept.order[fit], kept.order[unfit]]),
        np.concatenate([kept.driver[fit], kept.driver[unfit]]),
        np.concatenate([*(metres for metres, _ in answers), kept.metres[unfit]]),
        np.concatenate([*(seconds for _, seconds in answers), kept.seconds[unfit]]),
    )


async def _ways(
    orders: OpenOrders, fleet: Fleet, drivers: Ints, number: int, travel: Travel, hour: int
) -> tuple[Floats, Floats]:
    """Metres and seconds from each of the drivers to the order's pickup."""
    metres, seconds = np.empty(len(drivers)), np.empty(len(drivers))
    pickup = [(float(orders.lat[number]), float(orders.lon[number]))]
    for kind, vehicle in enumerate(VEHICLES):
        mine = np.flatnonzero(fleet.vehicle[drivers] == kind)
        if not mine.size:
            continue
        starts = [(float(fleet.lat[d]), float(fleet.lon[d])) for d in drivers[mine].tolist()]
        table = await travel.table(starts, pickup, vehicle, hour)
        metres[mine], seconds[mine] = table.metres[:, 0], table.seconds[:, 0]
    return metres, seconds
