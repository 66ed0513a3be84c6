"""Finds the drivers worth weighing up for each order: H3 rings around the pickup, outwards."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import h3.api.basic_int as h3
import numpy as np

from backend.dispatch.matching_rules import REACH_S, Bools, Fleet, OpenOrders, Pairs, pairs_of
from backend.dispatch.travel import Floats

ENOUGH = 32
_RESOLUTION = 8
_RING_M = 920.0
"""How far it is from a cell of this resolution to the next, on average (centre to centre)."""
_STRIDES = (2, 3, 4, 6)
_ALL_PAIRS = 250_000

Judge = Callable[[Pairs], Bools]


def candidate_pairs(orders: OpenOrders, fleet: Fleet, speeds: Floats, fit: Judge) -> Pairs:
    """Pairs of orders and near drivers, fit and unfit, until `ENOUGH` fit ones of each are found.

    Few orders are paired with every driver; so nobody who could take one is overlooked.
    """
    if len(orders) * len(fleet) <= _ALL_PAIRS:
        order = np.repeat(np.arange(len(orders)), len(fleet))
        driver = np.tile(np.arange(len(fleet)), len(orders))
        return pairs_of(orders, fleet, order, driver, speeds)
    return _by_rings(orders, fleet, speeds, fit)


def _by_rings(orders: OpenOrders, fleet: Fleet, speeds: Floats, fit: Judge) -> Pairs:
    drivers_in = _drivers_by_cell(fleet)
    cells = [
        h3.latlng_to_cell(lat, lon, _RESOLUTION)
        for lat, lon in zip(orders.lat.tolist(), orders.lon.tolist(), strict=True)
    ]
    missing = np.full(len(orders), ENOUGH)
    found: list[Pairs] = []
    last = int(REACH_S * speeds.max() / _RING_M) + 1
    inner = 0
    for turn in range(last):
        outer = min(last, inner + _STRIDES[min(turn, len(_STRIDES) - 1)])
        searching = np.flatnonzero(missing > 0)
        if not searching.size or inner >= last:
            break
        near = {
            cell: _in_rings(cell, inner, outer, drivers_in)
            for cell in {cells[number] for number in searching.tolist()}
        }
        counts = [len(near[cells[number]]) for number in searching.tolist()]
        order = np.repeat(searching, counts)
        driver = np.fromiter(
            chain.from_iterable(near[cells[number]] for number in searching.tolist()),
            dtype=np.int64,
            count=len(order),
        )
        pairs = pairs_of(orders, fleet, order, driver, speeds)
        found.append(pairs)
        missing -= np.bincount(pairs.order[fit(pairs)], minlength=len(orders))
        inner = outer
    return _joined(found)


def _drivers_by_cell(fleet: Fleet) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for number, (lat, lon) in enumerate(zip(fleet.lat.tolist(), fleet.lon.tolist(), strict=True)):
        places.setdefault(h3.latlng_to_cell(lat, lon, _RESOLUTION), []).append(number)
    return places


def _in_rings(cell: int, inner: int, outer: int, drivers_in: dict[int, list[int]]) -> list[int]:
    """The drivers in the rings from `inner` up to but not at `outer`."""
    rings = chain.from_iterable(h3.grid_ring(cell, k) for k in range(inner, outer))
    return [number for ring_cell in rings for number in drivers_in.get(ring_cell, ())]


def _joined(parts: list[Pairs]) -> Pairs:
    return Pairs(
        np.concatenate([part.order for part in parts]),
        np.concatenate([part.driver for part in parts]),
        np.concatenate([part.metres for part in parts]),
        np.concatenate([part.seconds for part in parts]),
    )
