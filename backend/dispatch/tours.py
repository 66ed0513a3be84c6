"""Drivers' tours between tables and planning: read with all they need, written as a new version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import (
    changes,
    matching_repository,
    roster_repository,
    route_repository,
)
from backend.dispatch.fitness import capacity_of
from backend.dispatch.fleet import due_at
from backend.dispatch.matching_models import RouteRow, StopRow
from backend.dispatch.models import OrderRow
from backend.dispatch.planning import FAR_S, Errand, Schedule, Stop, Tour, schedule
from backend.dispatch.roster_rules import Room
from backend.dispatch.route_repository import TO_DROP, TO_PICK_UP
from backend.dispatch.travel import Point, Table, Travel, local_hour
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit
from backend.regions.schemas import Region
from backend.tracking import service as tracking
from backend.tracking.service import CityDrivers


@dataclass(frozen=True, slots=True)
class DriverTour:
    """A driver with what is left of their tour; `route` is the version in force, if there is one.

    `missing` says whether the version in force lacks a stop that has to be driven.
    """

    driver_id: UUID
    vehicle: str
    place: str
    city: str
    hour: int
    now: datetime
    points: list[Point]
    orders: dict[UUID, OrderRow]
    tour: Tour
    route: RouteRow | None
    stops: list[StopRow]
    missing: bool

    @property
    def version(self) -> int:
        """The version in force, 0 for none."""
        return self.route.version if self.route else 0


async def tours_of_city(
    session: AsyncSession, city: Region, travel: Travel, *, drivers: Iterable[UUID] | None = None
) -> list[DriverTour]:
    """The tours of the city's drivers with orders, or of some of them."""
    now = clock.now()
    of_driver: dict[UUID, list[OrderRow]] = {}
    wanted = None if drivers is None else set(drivers)
    for order in await route_repository.carried_orders(session, city.code):
        if order.driver_id is not None and (wanted is None or order.driver_id in wanted):
            of_driver.setdefault(order.driver_id, []).append(order)
    everyone = await tracking.drivers_of_city(session, SYSTEM, city.code, off_shift=True)
    row_of = {driver: row for row, driver in enumerate(everyone.ids)}
    planned = await route_repository.in_force(session, list(of_driver))
    own = await roster_repository.capacities(session, list(of_driver))
    ends = await matching_repository.shift_ends(session, city.code, now)
    found = []
    for driver, orders in of_driver.items():
        row = row_of.get(driver)
        if row is None or not any(stops_left(order) for order in orders):
            continue
        route, stops = planned.get(driver, (None, []))
        ahead = _Ahead.of(orders, stops)
        vehicle, hour = everyone.vehicles[row], local_hour(now, city.time_zone)
        points = [_start(everyone, row, ahead.points[0]), *ahead.points]
        table = await travel.table(points, points, vehicle, hour)
        left_s = int((ends[driver] - now).total_seconds()) if driver in ends else FAR_S
        found.append(
            DriverTour(
                driver_id=driver,
                vehicle=vehicle,
                place=everyone.hubs[row] or city.code,
                city=city.code,
                hour=hour,
                now=now,
                points=points,
                orders={order.id: order for order in orders},
                tour=ahead.tour(table, left_s, capacity_of(vehicle, own.get(driver)), now),
                route=route,
                stops=ahead.known,
                missing=len(ahead.known) < len(ahead.plan),
            )
        )
    return found


def stops_left(order: OrderRow) -> tuple[Stop, ...]:
    """What the order's driver has yet to do for it."""
    drop = Stop(order.id, "drop")
    if order.state in TO_PICK_UP:
        return (Stop(order.id, "pickup"), drop)
    return (drop,) if order.state in TO_DROP else ()


def point_of(order: OrderRow, stop: Stop) -> Point:
    """Where the stop is."""
    if stop.kind == "pickup":
        return order.pickup_lat, order.pickup_lon
    return order.drop_lat, order.drop_lon


def due_of(order: OrderRow, stop: Stop) -> datetime | None:
    """Until when the stop has to be reached."""
    return order.pickup_until if stop.kind == "pickup" else due_at(order)


def _start(drivers: CityDrivers, row: int, otherwise: Point) -> Point:
    """Where the driver is; at the first stop where nobody knows."""
    if not np.isfinite(drivers.lat[row]):
        return otherwise
    return float(drivers.lat[row]), float(drivers.lon[row])


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What is left for a driver: `known` stops of the tour in force, then those it lacks."""

    orders: Sequence[OrderRow]
    known: list[StopRow]
    plan: tuple[Stop, ...]
    points: list[Point]

    @classmethod
    def of(cls, orders: Sequence[OrderRow], stops: Sequence[StopRow]) -> _Ahead:
        """Stops done are left out; so is one whose order has gone to somebody else."""
        by_id = {order.id: order for order in orders}
        left = dict.fromkeys(stop for order in orders for stop in stops_left(order))
        known = [row for row in stops if _key(row) in left]
        in_plan = dict.fromkeys([*(_key(row) for row in known), *left])
        plan = tuple(in_plan)
        return cls(orders, known, plan, [point_of(by_id[stop.order], stop) for stop in plan])

    @property
    def fixed(self) -> int:
        """How many stops from the first on stay as they are: those up to the last pinned one."""
        pinned = [number for number, row in enumerate(self.known, 1) if row.pinned]
        return max(pinned, default=0)

    @property
    def held(self) -> tuple[int, int]:
        """The load that stays on board: parcels held or on their way back."""
        staying = [order for order in self.orders if not stops_left(order)]
        weight = sum(order.weight_g for order in staying)
        return weight, sum(order.volume_cm3 for order in staying)

    def tour(self, table: Table, left_s: int, most: Room, now: datetime) -> Tour:
        """The whole as planning sees it; row 0 of the table is where the driver is."""
        return Tour(
            seconds=np.rint(table.seconds).astype(np.int64),
            metres=np.rint(table.metres).astype(np.int64),
            left_s=left_s,
            most_weight_g=most.weight_g,
            most_volume_cm3=most.volume_cm3,
            errands=self.errands(now),
            plan=self.plan,
            fixed=self.fixed,
            held=self.held,
        )

    def errands(self, now: datetime) -> tuple[Errand, ...]:
        """The orders as planning sees them; their rows are those of the table."""
        row_of = {stop: number for number, stop in enumerate(self.plan, 1)}

        def seconds(at: datetime | None, otherwise: int) -> int:
            return otherwise if at is None else round((at - now).total_seconds())

        return tuple(
            Errand(
                order=order.id,
                pickup=row_of.get(Stop(order.id, "pickup")),
                drop=row_of[Stop(order.id, "drop")],
                weight_g=order.weight_g,
                volume_cm3=order.volume_cm3,
                opens_s=max(0, seconds(order.pickup_from, 0)),
                closes_s=seconds(order.pickup_until, FAR_S),
                drop_opens_s=max(0, seconds(order.drop_from, 0)),
                due_s=seconds(due_at(order), FAR_S),
            )
            for order in self.orders
            if stops_left(order)
        )


def _key(row: StopRow) -> Stop:
    return Stop(row.order_id, "pickup" if row.kind == "pickup" else "drop")


def with_order(held: DriverTour, stops: Sequence[Stop], fixed: int) -> DriverTour:
    """The same tour with its stops in this order, the first `fixed` of them to stay."""
    return replace(held, tour=replace(held.tour, plan=tuple(stops), fixed=fixed))


async def put_tour(
    session: AsyncSession,
    principal: Principal,
    held: DriverTour,
    travel: Travel,
    *,
    pinned: Sequence[bool] = (),
) -> RouteRow | None:
    """Store the tour's plan as a new version, in force from now on.

    None, and nothing is changed, where another version or other orders came in between.
    """
    await roster_repository.lock_driver(session, held.driver_id)
    route, _ = (await route_repository.in_force(session, [held.driver_id])).get(
        held.driver_id, (None, [])
    )
    orders = await route_repository.orders_of_driver(session, held.driver_id)
    left = {stop for order in orders for stop in stops_left(order)}
    if (route.version if route else 0) != held.version or left != set(held.tour.plan):
        return None
    driven = schedule(held.tour, held.tour.plan)
    way = await travel.way(
        [held.points[0], *(held.points[visit.place] for visit in driven.visits)],
        held.vehicle,
        held.hour,
    )
    row = RouteRow(
        id=uuid7(),
        driver_id=held.driver_id,
        region=held.place,
        version=await route_repository.next_version(session, held.driver_id),
        made_by=principal.name,
        made_at=held.now,
        distance_m=driven.metres,
        duration_s=driven.duration_s,
        late_s=driven.late_s,
    )
    was_pinned = {_key(stop) for stop in held.stops if stop.pinned}
    marks = list(pinned) or [visit.stop in was_pinned for visit in driven.visits]
    await route_repository.supersede(session, held.driver_id, held.now)
    await route_repository.put(session, row, _stop_rows(row.id, held, driven, way.lines, marks))
    changes.tell_after_commit(session, held.city)
    await emit(
        session,
        Event(
            "route.changed",
            str(held.driver_id),
            principal.id,
            {"driver_id": str(held.driver_id), "version": row.version, "stops": len(marks)},
            held.place,
        ),
    )
    return row


def _stop_rows(
    route_id: UUID,
    held: DriverTour,
    driven: Schedule,
    lines: Sequence[Any],
    pinned: Sequence[bool],
) -> list[dict[str, Any]]:
    return [
        {
            "route_id": route_id,
            "seq": number,
            "order_id": visit.stop.order,
            "kind": visit.stop.kind,
            "lat": held.points[visit.place][0],
            "lon": held.points[visit.place][1],
            "arrive_at": held.now + timedelta(seconds=visit.arrive_s),
            "leave_at": held.now + timedelta(seconds=visit.leave_s),
            "due_at": due_of(held.orders[visit.stop.order], visit.stop),
            "pinned": mark,
            "line": [[round(lon, 6), round(lat, 6)] for lon, lat in line],
        }
        for number, (visit, line, mark) in enumerate(
            zip(driven.visits, lines, pinned, strict=True), 1
        )
    ]
