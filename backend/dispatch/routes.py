"""Drivers' tours: shown, planned anew, edited by hand."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import planner_pool, roster_repository, route_repository
from backend.dispatch.errors import Moved
from backend.dispatch.matching_models import RouteRow, StopRow
from backend.dispatch.matching_schemas import PlanResult, RouteEdit, RouteOut, StopOut
from backend.dispatch.models import OrderRow
from backend.dispatch.planning import Stop, schedule
from backend.dispatch.tours import DriverTour, put_tour, stops_left, tours_of_city, with_order
from backend.dispatch.travel import travel_of
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid, NotFound
from backend.platform.resources import current
from backend.platform.scopes import covers
from backend.regions import service as regions
from backend.regions.schemas import Region
from backend.tracking import service as tracking

_PLAN_S = 0.4
"""How long each tour is thought about when somebody waits for the answer."""


class NoSuchRoute(NotFound):
    """The driver has no tour, or none that the caller may see."""

    title = "This driver has no tour"


async def list_routes(session: AsyncSession, principal: Principal, region: str) -> list[RouteOut]:
    """The tours in force in the caller's part of a region, by driver code; `*` is all of it."""
    identity.authorize(principal, "dispatch:read")
    found: list[RouteOut] = []
    for city in await _cities(session, region):
        held = await route_repository.drivers_with_routes(session, [city.code])
        shown = await _shown(session, city, held)
        found += [
            route
            for route in shown
            if covers(region, route.region)
            and identity.may(principal, "dispatch:read", route.region)
        ]
    return sorted(found, key=lambda route: route.driver_code)


async def route_of_driver(
    session: AsyncSession, principal: Principal, driver_id: UUID
) -> RouteOut | None:
    """The driver's tour in force, None for one without orders.

    For the driver's own phone and for whoever reads dispatch where the driver works.
    """
    held = (await route_repository.in_force(session, [driver_id])).get(driver_id)
    if principal.driver_id == driver_id:
        identity.authorize(principal, "tasks:write")
    else:
        identity.authorize(principal, "dispatch:read")
        if held is not None and not identity.may(principal, "dispatch:read", held[0].region):
            held = None
    if held is None:
        return None
    [city] = await _cities(session, held[0].region)
    shown = await _shown(session, city, [driver_id])
    return shown[0] if shown else None


async def _cities(session: AsyncSession, region: str) -> list[Region]:
    directory = await regions.directory(session, SYSTEM)
    return [
        city
        for city in directory
        if city.kind == "city" and (covers(region, city.code) or covers(city.code, region))
    ]


async def _shown(session: AsyncSession, city: Region, drivers: Sequence[UUID]) -> list[RouteOut]:
    """Tours with the stops that are left of them."""
    planned = await route_repository.in_force(session, drivers)
    orders = await route_repository.orders_of_stops(
        session, [stop for _, stops in planned.values() for stop in stops]
    )
    everyone = await tracking.drivers_of_city(session, SYSTEM, city.code, off_shift=True)
    row_of = {driver: row for row, driver in enumerate(everyone.ids)}
    found = []
    for driver, (route, stops) in planned.items():
        row = row_of.get(driver)
        left = [_stop_out(stop, orders[stop.order_id]) for stop in stops if _is_left(stop, orders)]
        if row is None or not left:
            continue
        found.append(
            RouteOut(
                **route.model_dump(exclude={"superseded_at", "late_s"}),
                driver_code=everyone.codes[row],
                driver_name=everyone.names[row],
                vehicle=everyone.vehicles[row],
                late_s=sum(stop.late_s for stop in left),
                stops=left,
            )
        )
    return found


def _is_left(stop: StopRow, orders: dict[UUID, OrderRow]) -> bool:
    order = orders.get(stop.order_id)
    return order is not None and any(left.kind == stop.kind for left in stops_left(order))


def _stop_out(stop: StopRow, order: OrderRow) -> StopOut:
    late = (stop.arrive_at - stop.due_at).total_seconds() if stop.due_at else 0.0
    return StopOut(
        **stop.model_dump(exclude={"route_id"}),
        number=order.number,
        address=order.pickup_address if stop.kind == "pickup" else order.drop_address,
        late_s=max(0, round(late)),
    )


async def edit_route(
    session: AsyncSession, principal: Principal, driver_id: UUID, edit: RouteEdit
) -> RouteOut:
    """Put the stops of a tour into another order, or pin them; needs `dispatch:write` there.

    Later planning leaves the tour as it is up to the last stop that was moved or pinned. Raises
    Moved where the tour is at another version by now, and Invalid naming the stop that cannot be.
    """
    identity.authorize(principal, "dispatch:write")
    await roster_repository.lock_driver(session, driver_id)
    seen = (await route_repository.in_force(session, [driver_id])).get(driver_id)
    if seen is None or not identity.may(principal, "dispatch:read", seen[0].region):
        raise NoSuchRoute
    route = seen[0]
    identity.authorize(principal, "dispatch:write", route.region)
    if route.version != edit.seen_version:
        raise Moved(_who_moved(route))
    [city] = await _cities(session, route.region)
    travel = travel_of(current().settings.routing_url)
    found = await tours_of_city(session, city, travel, drivers=[driver_id])
    if not found:
        raise NoSuchRoute
    held = found[0]
    if held.missing:
        raise Moved("The driver was given another order; the tour is being planned anew.")
    wanted = [Stop(stop.order_id, stop.kind) for stop in edit.stops]
    _check(held, wanted)
    touched = [
        number
        for number, (before, after) in enumerate(zip(held.tour.plan, wanted, strict=True))
        if before != after or edit.stops[number].pinned
    ]
    last = max(touched, default=-1)
    pinned = [number == last or wish.pinned for number, wish in enumerate(edit.stops)]
    changed = with_order(held, wanted, last + 1)
    if await put_tour(session, principal, changed, travel, pinned=pinned) is None:
        raise Moved(_who_moved(route))
    [shown] = await _shown(session, city, [driver_id])
    return shown


def _who_moved(route: RouteRow) -> str:
    age_s = max(0, round((clock.now() - route.made_at).total_seconds()))
    return f"The tour is at version {route.version} now: {route.made_by}, {age_s} s ago."


def _check(held: DriverTour, wanted: Sequence[Stop]) -> None:
    """Refuse an order of stops that is not the tour's, or that cannot be driven."""
    left = set(held.tour.plan)
    faults = [
        FieldError(f"/stops/{number}", "not_a_stop", "This is no stop of the tour, or it is done.")
        for number, stop in enumerate(wanted)
        if stop not in left
    ]
    faults += [
        FieldError(f"/stops/{number}", "twice", "This stop stands in the tour twice.")
        for number, stop in enumerate(wanted)
        if stop in wanted[:number]
    ]
    if not faults and len(wanted) < len(left):
        faults.append(FieldError("/stops", "missing", "Not every stop of the tour is there."))
    faults += [
        FieldError(f"/stops/{number}", "before_pickup", "A drop comes before its pickup.")
        for number, stop in enumerate(wanted)
        if stop.kind == "drop" and Stop(stop.order, "pickup") in wanted[number:]
    ]
    if (
        not faults
        and schedule(held.tour, wanted).overload > schedule(held.tour, held.tour.plan).overload
    ):
        faults.append(FieldError("/stops", "overload", "The vehicle would carry more than it can."))
    if faults:
        raise Invalid(faults[0].detail, errors=faults)


async def plan_routes(session: AsyncSession, principal: Principal, region: str) -> PlanResult:
    """Plan the tours of a region anew, each in part of a second; needs `dispatch:write` there."""
    identity.authorize(principal, "dispatch:write", region)
    began = perf_counter()
    travel = travel_of(current().settings.routing_url)
    cities = await _cities(session, region)
    if not cities:
        raise NotFound(f"{region} is not a region's code.")
    result = PlanResult(
        region=region, routes=0, changed=0, duration_before_s=0, duration_after_s=0,
        late_before_s=0, late_after_s=0, took_ms=0,
    )  # fmt: skip
    for city in cities:
        # By driver, so that two who plan at once take the drivers' locks in one order.
        held = sorted(
            (t for t in await tours_of_city(session, city, travel) if covers(region, t.place)),
            key=lambda tour: tour.driver_id,
        )
        plans = await planner_pool.plan([tour.tour for tour in held], _PLAN_S)
        for tour, plan in zip(held, plans, strict=True):
            before, after = schedule(tour.tour, tour.tour.plan), schedule(tour.tour, plan)
            result.routes += 1
            result.duration_before_s += before.duration_s
            result.duration_after_s += after.duration_s
            result.late_before_s += before.late_s
            result.late_after_s += after.late_s
            if tour.missing or plan != tour.tour.plan:
                changed = with_order(tour, plan, tour.tour.fixed)
                result.changed += await put_tour(session, principal, changed, travel) is not None
    result.took_ms = round((perf_counter() - began) * 1000)
    return result
