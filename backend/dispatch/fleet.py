"""Brings a city's drivers and open orders into the columns that matching works on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import matching_repository, roster_repository
from backend.dispatch.fitness import capacity_of
from backend.dispatch.matching_rules import Fleet, OpenOrders
from backend.dispatch.models import OrderRow
from backend.dispatch.travel import VEHICLES
from backend.tracking.service import CityDrivers

_SHIFT_LENGTH = timedelta(hours=10)
_NOTHING: frozenset[str] = frozenset()


async def fleet_of(
    session: AsyncSession, city: str, drivers: CityDrivers, now: datetime
) -> tuple[Fleet, list[int]]:
    """The drivers who were ever heard of, and the row of each in `drivers`."""
    rows = np.flatnonzero(np.isfinite(drivers.lat)).tolist()
    ids = [drivers.ids[row] for row in rows]
    loads = await matching_repository.loads(session, city)
    given = await matching_repository.given_since(session, city, now - _SHIFT_LENGTH)
    own = await roster_repository.capacities(session, ids)
    ends = await matching_repository.shift_ends(session, city, now)
    rooms = [
        capacity_of(drivers.vehicles[row], own.get(driver))
        for driver, row in zip(ids, rows, strict=True)
    ]
    most = np.array(rooms, dtype=np.int64).reshape(-1, 3)
    load = np.array(
        [
            (found.orders, found.weight_g, found.volume_cm3, found.offers)
            if (found := loads.get(driver)) is not None
            else (0, 0, 0, 0)
            for driver in ids
        ],
        dtype=np.int64,
    ).reshape(-1, 4)
    left = [(ends[driver] - now).total_seconds() if driver in ends else np.inf for driver in ids]
    fleet = Fleet(
        ids=ids,
        codes=[drivers.codes[row] for row in rows],
        vehicle=np.array([VEHICLES.index(drivers.vehicles[row]) for row in rows], dtype=np.int64),
        lat=drivers.lat[rows],
        lon=drivers.lon[rows],
        heard=drivers.age_s[rows] < drivers.offline_s[rows],
        on_shift=drivers.on_shift[rows],
        battery=drivers.battery[rows],
        orders=load[:, 0],
        weight_g=load[:, 1],
        volume_cm3=load[:, 2],
        most_orders=most[:, 0],
        most_weight_g=most[:, 1],
        most_volume_cm3=most[:, 2],
        open_offers=load[:, 3],
        given=np.array([given.get(driver, 0) for driver in ids], dtype=np.int64),
        shift_left_s=np.array(left, dtype=np.float64),
        skills=[
            frozenset(held.skills) if (held := own.get(driver)) is not None else _NOTHING
            for driver in ids
        ],
    )
    return fleet, rows


def columns_of(orders: Sequence[OrderRow], now: datetime) -> OpenOrders:
    """Orders as columns; an order is due when promised, or when its window at the drop closes."""

    def seconds(at: datetime | None) -> float:
        return (at - now).total_seconds() if at is not None else -np.inf

    def floats(values: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array(values, dtype=np.float64)

    return OpenOrders(
        ids=[order.id for order in orders],
        lat=floats([order.pickup_lat for order in orders]),
        lon=floats([order.pickup_lon for order in orders]),
        drop_lat=floats([order.drop_lat for order in orders]),
        drop_lon=floats([order.drop_lon for order in orders]),
        vehicle=np.array(
            [VEHICLES.index(order.vehicle) if order.vehicle else -1 for order in orders],
            dtype=np.int64,
        ),
        weight_g=np.array([order.weight_g for order in orders], dtype=np.int64),
        volume_cm3=np.array([order.volume_cm3 for order in orders], dtype=np.int64),
        skills=[frozenset(order.skills) for order in orders],
        ready_in_s=floats([max(0.0, seconds(order.pickup_from)) for order in orders]),
        due_in_s=floats([seconds(due_at(order)) for order in orders]),
        waited_s=floats([-seconds(order.created_at) for order in orders]),
        express=np.array([order.service == "express" for order in orders], dtype=bool),
    )


def due_at(order: OrderRow) -> datetime:
    """When the order must have been brought."""
    return min(order.promised_at, order.drop_until) if order.drop_until else order.promised_at
