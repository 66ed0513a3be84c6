"""Why this driver: candidates and costs, as they were stored and as they are at this moment."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import matching_repository, order_repository
from backend.dispatch.dispatcher import cooling_pairs
from backend.dispatch.errors import NoSuchOrder
from backend.dispatch.fleet import columns_of, fleet_of
from backend.dispatch.lifecycle import may
from backend.dispatch.matching import candidate_row, weigh
from backend.dispatch.matching_schemas import Decision, RankedDriver
from backend.dispatch.models import OrderRow
from backend.dispatch.travel import local_hour, speeds_m_s
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.regions import service as regions
from backend.tracking import service as tracking
from backend.tracking.service import CityDrivers

_MOST_DECISIONS = 50


async def why(session: AsyncSession, principal: Principal, order_id: UUID) -> list[Decision]:
    """The decisions made for an order, newest first, fifty at most."""
    await _order_seen(session, principal, order_id)
    found = await matching_repository.decisions(session, order_id, _MOST_DECISIONS)
    return [Decision.model_validate(row.model_dump()) for row in found]


async def drivers_for_order(
    session: AsyncSession, principal: Principal, order_id: UUID, limit: int = 20
) -> list[RankedDriver]:
    """Drivers of the order's city for it now: fit ones by cost, then unfit ones by distance.

    Drivers off shift are left out, and so is whoever was never heard of.
    """
    order = await _order_seen(session, principal, order_id)
    now = clock.now()
    city = (await regions.directory(session, SYSTEM)).get(order.region)
    drivers = await tracking.drivers_of_city(session, SYSTEM, order.region)
    fleet, rows = await fleet_of(session, order.region, drivers, now)
    if not len(fleet):
        return []
    orders = columns_of([order], now)
    cooling = await cooling_pairs(session, orders, fleet, now)
    speeds = speeds_m_s(local_hour(now, city.time_zone if city else None))
    weighed = weigh(orders, fleet, speeds, cooling)
    return [
        RankedDriver.model_validate(
            {
                **candidate_row(fleet, weighed, pair),
                **_as_seen(drivers, rows[int(weighed.pairs.driver[pair])]),
            }
        )
        for pair in weighed.of_order(0)[:limit].tolist()
    ]


def _as_seen(drivers: CityDrivers, row: int) -> dict[str, object]:
    age_s, battery = drivers.age_s[row], drivers.battery[row]
    if not drivers.on_shift[row]:
        status = "off_shift"
    elif age_s < drivers.stale_s[row]:
        status = "live"
    else:
        status = "stale" if age_s < drivers.offline_s[row] else "offline"
    return {
        "name": drivers.names[row],
        "lat": float(drivers.lat[row]),
        "lon": float(drivers.lon[row]),
        "status": status,
        "battery": None if np.isnan(battery) else float(battery),
    }


async def _order_seen(session: AsyncSession, principal: Principal, order_id: UUID) -> OrderRow:
    identity.authorize(principal, "dispatch:read")
    order = await order_repository.by_id(session, order_id)
    if order is None or not may(principal, "dispatch:read", order):
        raise NoSuchOrder
    return order
