"""When orders are expected: worked out for a whole city, corrected by what earlier ones came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import changes, eta_repository, route_repository
from backend.dispatch.eta_rules import (
    UNASSIGNED,
    UNLEARNED,
    Correction,
    Expected,
    Outcomes,
    Visit,
    arrivals,
    delay_is_news,
    expected,
    learned,
    moved,
)
from backend.dispatch.matching_models import StopRow
from backend.dispatch.matching_rules import STOP_S
from backend.dispatch.matching_schemas import EtaAccuracy
from backend.dispatch.rules import OrderState
from backend.dispatch.travel import VEHICLES, Point, Travel, local_hour, straight
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.outbox import Event, emit
from backend.platform.scopes import covers
from backend.regions import service as regions
from backend.regions.schemas import Region
from backend.tracking import service as tracking
from backend.tracking.service import CityDrivers

LEARNED_FROM = timedelta(days=14)
_SHOWN_FOR = timedelta(days=7)
_FOUND_S = 120.0
"""How long it takes to find a driver, where an order has none."""
_COMES_S = 720.0
"""How long that driver takes to the pickup."""
_TO_PICK_UP = (OrderState.ASSIGNED, OrderState.ACCEPTED, OrderState.AT_PICKUP)

Corrections = Mapping[tuple[str | None, int], Correction]


async def eta_accuracy(
    session: AsyncSession, principal: Principal, region: str
) -> list[EtaAccuracy]:
    """How far the ETAs of the last seven days were off, by city and by when they were given."""
    identity.authorize(principal, "dispatch:read")
    held = identity.scopes(principal, "dispatch:read")
    cities = [
        city.code
        for city in await regions.directory(session, SYSTEM)
        if city.kind == "city"
        and any(covers(scope, city.code) for scope in held)
        and (covers(region, city.code) or covers(city.code, region))
    ]
    rows = await eta_repository.accuracy(session, cities, clock.now() - _SHOWN_FOR)
    return [
        EtaAccuracy(
            city=row.city,
            horizon=row.horizon,
            n=row.n,
            mean_abs_error_s=round(float(row.mean_abs_s), 1),
            bias_s=round(float(row.bias_s), 1),
            inside=round(float(row.inside), 3),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class _Drive:
    """A driver's way from where they are along the stops that are left."""

    vehicle: str
    points: list[Point]
    stops: list[tuple[UUID, str, Visit]]


async def refresh_city(session: AsyncSession, city: Region, travel: Travel) -> int:
    """Work out every ETA of the city and tell those that moved; answers how many did.

    Also settles what earlier ETAs came to, and remembers the first one in each state.
    """
    now = clock.now()
    await eta_repository.settle_guesses(session, city.code)
    orders = await eta_repository.expected_orders(session, city.code)
    if not orders:
        return 0
    hour = local_hour(now, city.time_zone)
    corrections = await corrections_of(session, city.code, now)
    drivers = await tracking.drivers_of_city(session, SYSTEM, city.code, off_shift=True)
    found = await _model_times(await _drives(session, orders, drivers, now), travel, hour)
    told, guesses, late = [], [], {}
    for order in orders:
        if order.id in found:
            vehicle, raw_s = found[order.id]
            eta = expected(now, raw_s, _correction(corrections, order.hub, hour))
            guesses.append(_guess(order, city.code, vehicle, hour, now, raw_s, eta))
        else:
            eta = expected(now, _unassigned_s(order, hour, now), UNASSIGNED)
        if moved(order.eta_at, eta.at):
            told.append({"id": order.id, "at": eta.at, "low": eta.low, "high": eta.high})
        if delay_is_news(order.promised_at, eta.at, order.delay_told):
            late[order.id] = (order, eta.at)
    await eta_repository.keep_guesses(session, guesses)
    count = await eta_repository.put_etas(session, told, now)
    await _tell_delays(session, city.code, late)
    if count:
        changes.tell_after_commit(session, city.code)
    return count


async def _tell_delays(
    session: AsyncSession, city: str, late: Mapping[UUID, tuple[Any, datetime]]
) -> None:
    """Emit `order.delay_foreseen` for orders that come late, and remember what was said."""
    noted = await eta_repository.note_delays(session, {key: at for key, (_, at) in late.items()})
    for order, eta_at in (late[key] for key in sorted(noted)):
        data = {
            "order_id": str(order.id),
            "number": order.number,
            "merchant": order.merchant,
            "promised_at": order.promised_at.isoformat(),
            "eta_at": eta_at.isoformat(),
            "late_s": round((eta_at - order.promised_at).total_seconds()),
            "again": order.delay_told is not None,
        }
        place = order.hub or city
        await emit(session, Event("order.delay_foreseen", str(order.id), SYSTEM.id, data, place))


async def _model_times(
    drives: Sequence[_Drive], travel: Travel, hour: int
) -> dict[UUID, tuple[str, float]]:
    """Vehicle, and seconds until the drop as the travel model has it, by order."""
    found = {}
    for drive in drives:
        way = await travel.way(drive.points, drive.vehicle, hour)
        reached = arrivals(way.seconds, [visit for _, _, visit in drive.stops])
        for (order_id, kind, _), seconds in zip(drive.stops, reached, strict=True):
            if kind == "drop":
                found[order_id] = (drive.vehicle, seconds)
    return found


def _guess(
    order: Any, city: str, vehicle: str, hour: int, now: datetime, raw_s: float, eta: Expected
) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "horizon": order.state,
        "city": city,
        "hub": order.hub,
        "vehicle": vehicle,
        "hour": hour,
        "made_at": now,
        "raw_s": round(raw_s),
        "predicted_s": round((eta.at - now).total_seconds()),
        "low_s": round((eta.low - now).total_seconds()),
        "high_s": round((eta.high - now).total_seconds()),
    }


def _unassigned_s(order: Any, hour: int, now: datetime) -> float:
    """What the model says of an order without a driver: found, fetched, brought."""
    points = [(order.pickup_lat, order.pickup_lon), (order.drop_lat, order.drop_lon)]
    [direct_s] = straight(points, order.vehicle or VEHICLES[0], hour).seconds
    at_pickup = max(_FOUND_S + _COMES_S, _opens_s(order.pickup_from, now))
    return at_pickup + STOP_S + direct_s


async def corrections_of(session: AsyncSession, city: str, now: datetime) -> Corrections:
    """What was learned of a city, by hub and hour; (None, hour) is the whole city's at an hour.

    Each hub's correction starts from the city's at that hour, which starts from the city's of all.
    """
    rows = await eta_repository.outcomes(session, city, now - LEARNED_FROM)

    def seen(row: Any) -> Outcomes:
        return Outcomes(row.n, float(row.ratio), float(row.low), float(row.high))

    whole = next((seen(row) for row in rows if row.any_hour and row.n), None)
    base = learned(UNLEARNED, whole)
    found: dict[tuple[str | None, int], Correction] = {(None, hour): base for hour in range(24)}
    for row in rows:
        if row.any_hub and not row.any_hour:
            found[None, row.hour] = learned(base, seen(row))
    for row in rows:
        if not row.any_hub and row.hub is not None:
            found[row.hub, row.hour] = learned(found[None, row.hour], seen(row))
    return found


def _correction(corrections: Corrections, hub: str | None, hour: int) -> Correction:
    return corrections.get((hub, hour)) or corrections[None, hour]


async def _drives(
    session: AsyncSession, orders: Sequence[Any], drivers: CityDrivers, now: datetime
) -> list[_Drive]:
    """The ways ahead of the city's drivers, along their tours where they have one."""
    of_driver: dict[UUID, list[Any]] = {}
    for order in orders:
        if order.driver_id is not None and order.state in eta_repository.UNDER_WAY:
            of_driver.setdefault(order.driver_id, []).append(order)
    row_of = {driver: row for row, driver in enumerate(drivers.ids)}
    planned = await route_repository.in_force(session, list(of_driver))
    drives = []
    for driver, mine in of_driver.items():
        row = row_of.get(driver)
        _, stops = planned.get(driver, (None, []))
        ahead = _ahead(mine, stops)
        points = [_point(order, kind) for order, kind in ahead]
        heard = row is not None and drivers.age_s[row] < float("inf")
        start = (float(drivers.lat[row]), float(drivers.lon[row])) if heard else points[0]
        vehicle = drivers.vehicles[row] if row is not None else VEHICLES[0]
        visits = [(order.id, kind, _visit(order, kind, now)) for order, kind in ahead]
        drives.append(_Drive(vehicle, [start, *points], visits))
    return drives


def _ahead(orders: Sequence[Any], stops: Sequence[StopRow]) -> list[tuple[Any, str]]:
    """The stops that are left of the tour, then those of orders that it does not know yet."""
    left = {
        (order.id, kind): order
        for order in orders
        for kind in (("pickup", "drop") if order.state in _TO_PICK_UP else ("drop",))
    }
    found = []
    for key in [(stop.order_id, stop.kind) for stop in stops] + list(left):
        order = left.pop(key, None)
        if order is not None:
            found.append((order, key[1]))
    return found


def _point(order: Any, kind: str) -> Point:
    if kind == "pickup":
        return order.pickup_lat, order.pickup_lon
    return order.drop_lat, order.drop_lon


def _visit(order: Any, kind: str, now: datetime) -> Visit:
    opens = order.pickup_from if kind == "pickup" else order.drop_from
    return Visit(_opens_s(opens, now), STOP_S)


def _opens_s(opens: datetime | None, now: datetime) -> float:
    return (opens - now).total_seconds() if opens is not None else 0.0
