"""Takes orders back from drivers who will not pick them up in time, to be matched anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import matching_repository, offer_repository, order_repository
from backend.dispatch.fleet import columns_of, fleet_of
from backend.dispatch.lifecycle import Circumstances, move, place_of
from backend.dispatch.matching import weigh
from backend.dispatch.matching_models import OfferRow
from backend.dispatch.matching_rules import IN_HAND_S
from backend.dispatch.matching_schemas import OfferState, RedispatchIn, RedispatchResult
from backend.dispatch.models import OrderRow
from backend.dispatch.rules import Action, OrderState
from backend.dispatch.travel import local_hour, speeds_m_s
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.platform.ids import uuid7
from backend.platform.resources import current
from backend.platform.scopes import covers
from backend.regions import service as regions
from backend.regions.schemas import Region
from backend.tracking import service as tracking
from backend.tracking.service import CityDrivers

_GRACE = timedelta(seconds=120)
"""So long nobody takes back what was just given."""
_BEFORE_PICKUP = (OrderState.ASSIGNED, OrderState.ACCEPTED, OrderState.AT_PICKUP)

Ring = Sequence[tuple[float, float]]


async def redispatch_area(
    session: AsyncSession, principal: Principal, wanted: RedispatchIn
) -> RedispatchResult:
    """Take back what the drivers in an area have not picked up; needs `dispatch:write` there.

    A driver is in the area by newest position; without a polygon the whole region's are.
    """
    identity.authorize(principal, "dispatch:write", wanted.region)
    directory = await regions.directory(session, SYSTEM)
    if directory.get(wanted.region) is None:
        raise NotFound(f"{wanted.region} is not a region's code.")
    taken: list[str] = []
    for city in directory:
        if city.kind != "city" or not (
            covers(wanted.region, city.code) or covers(city.code, wanted.region)
        ):
            continue
        drivers = await tracking.drivers_of_city(session, SYSTEM, city.code, off_shift=True)
        inside = {
            driver
            for row, driver in enumerate(drivers.ids)
            if wanted.polygon is None
            or _in_ring(drivers.lon[row], drivers.lat[row], wanted.polygon)
        }
        for order in await matching_repository.before_pickup(session, city.code):
            if order.driver_id in inside and covers(wanted.region, place_of(order)):
                number = await _take_back(session, principal, order.id, inside, wanted.reason)
                taken += [number] if number else []
    return RedispatchResult(region=wanted.region, taken_back=taken)


def _in_ring(x: float, y: float, ring: Ring) -> bool:
    """Whether a point lies in a ring, by counting the edges that a ray to the east crosses."""
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


async def sweep_city(session: AsyncSession, city: Region) -> list[str]:
    """Take back what drivers who went offline, went home or are far too late have; the numbers."""
    now = clock.now()
    given = await matching_repository.awaiting_pickup(session, city.code, now - _GRACE)
    if not given:
        return []
    drivers = await tracking.drivers_of_city(session, SYSTEM, city.code, off_shift=True)
    gone = _gone(drivers)
    taken: list[str] = []
    kept: list[OrderRow] = []
    for order in given:
        assert order.driver_id is not None
        why = gone.get(order.driver_id)
        if why is None:
            kept.append(order)
            continue
        number = await _take_back(session, SYSTEM, order.id, {order.driver_id}, why)
        taken += [number] if number else []
    for order in await _too_late(session, city, drivers, kept, now):
        assert order.driver_id is not None
        number = await _take_back(
            session, SYSTEM, order.id, {order.driver_id}, "the driver is too late for the pickup"
        )
        taken += [number] if number else []
    return taken


def _gone(drivers: CityDrivers) -> dict[UUID, str]:
    """Drivers who are off shift or not heard of any more, and why."""
    return {
        driver: "the driver is off shift" if not drivers.on_shift[row] else "the driver is offline"
        for row, driver in enumerate(drivers.ids)
        if not drivers.on_shift[row] or drivers.age_s[row] >= drivers.offline_s[row]
    }


async def _too_late(
    session: AsyncSession,
    city: Region,
    drivers: CityDrivers,
    orders: Sequence[OrderRow],
    now: datetime,
) -> list[OrderRow]:
    """Orders late beyond the threshold whose pickup another would reach much sooner."""
    allowed = current().settings.dispatch_late_s
    doubtful = [
        order
        for order in orders
        if order.eta_at is not None
        and order.eta_at > order.promised_at + timedelta(seconds=allowed)
    ]
    if not doubtful:
        return []
    fleet, _ = await fleet_of(session, city.code, drivers, now)
    columns = columns_of(doubtful, now)
    speeds = speeds_m_s(local_hour(now, city.time_zone))
    nobody = np.empty(0, dtype=np.int64)
    weighed = weigh(columns, fleet, speeds, nobody)
    reached_s = weighed.pairs.seconds + fleet.orders[weighed.pairs.driver] * IN_HAND_S
    lost = []
    for number, order in enumerate(doubtful):
        mine = weighed.of_order(number)
        own = [int(p) for p in mine if fleet.ids[weighed.pairs.driver[p]] == order.driver_id]
        others = [int(p) for p in weighed.fit_of_order(number) if int(p) not in own]
        if own and others:
            own_s = reached_s[own[0]] - IN_HAND_S
            if own_s - min(reached_s[p] for p in others) > allowed / 2:
                lost.append(order)
    return lost


async def _take_back(
    session: AsyncSession, principal: Principal, order_id: UUID, drivers: set[UUID], reason: str
) -> str | None:
    """The number of the order taken back; None where it has moved on meanwhile."""
    order = await order_repository.locked(session, order_id)
    if order is None or order.state not in _BEFORE_PICKUP or order.driver_id not in drivers:
        return None
    former, now = order.driver_id, clock.now()
    assert former is not None
    await move(session, principal, order, Action.UNASSIGN, Circumstances(reason=reason))
    if not await offer_repository.mark_taken_back(session, order.id, former, now, reason):
        await offer_repository.add(session, [_taken_back(order, former, now, reason).model_dump()])
    return order.number


def _taken_back(order: OrderRow, driver: UUID, now: datetime, reason: str) -> OfferRow:
    """What keeps an order that was assigned by hand from going straight back to its driver."""
    return OfferRow(
        id=uuid7(),
        city=order.region,
        order_id=order.id,
        driver_id=driver,
        round=0,
        state=OfferState.TAKEN_BACK,
        offered_at=now,
        expires_at=now,
        answered_at=now,
        reason=reason,
    )
