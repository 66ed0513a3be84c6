"""Every query on tours and their stops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, or_, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.matching_models import RouteRow, StopRow
from backend.dispatch.models import OrderRow
from backend.dispatch.rules import WITH_DRIVER, OrderState
from backend.platform.scopes import EVERYWHERE

S = OrderState
TO_PICK_UP = (S.ASSIGNED, S.ACCEPTED, S.AT_PICKUP)
TO_DROP = (*TO_PICK_UP, S.PICKED_UP, S.IN_TRANSIT, S.ARRIVED)


async def in_force(
    session: AsyncSession, driver_ids: Sequence[UUID]
) -> dict[UUID, tuple[RouteRow, list[StopRow]]]:
    """Each driver's tour in force with its stops in order."""
    routes = list(
        await session.scalars(
            select(RouteRow)
            .where(col(RouteRow.driver_id).in_(driver_ids), col(RouteRow.superseded_at).is_(None))
            .execution_options(populate_existing=True)
        )
    )
    stops = await session.scalars(
        select(StopRow)
        .where(col(StopRow.route_id).in_([route.id for route in routes]))
        .order_by(col(StopRow.route_id), col(StopRow.seq))
    )
    by_route: dict[UUID, list[StopRow]] = {route.id: [] for route in routes}
    for stop in stops:
        by_route[stop.route_id].append(stop)
    return {route.driver_id: (route, by_route[route.id]) for route in routes}


async def drivers_with_routes(session: AsyncSession, scopes: Sequence[str]) -> list[UUID]:
    """The drivers with a tour in force in the scopes."""
    region = col(RouteRow.region)
    inside = (
        true()
        if EVERYWHERE in scopes
        else or_(
            *(
                or_(region == scope, *(region.startswith(scope + e, autoescape=True) for e in "-."))
                for scope in scopes
            )
        )
    )
    found = await session.scalars(
        select(col(RouteRow.driver_id)).where(col(RouteRow.superseded_at).is_(None), inside)
    )
    return list(found)


def _carried() -> Select[OrderRow]:
    """Orders that are with a driver, held ones on board included, the most urgent first."""
    held = col(OrderRow.state) == S.ON_HOLD
    return (
        select(OrderRow)
        .where(
            or_(col(OrderRow.state).in_(sorted(WITH_DRIVER)), held),
            col(OrderRow.driver_id).is_not(None),
        )
        .order_by(col(OrderRow.promised_at), col(OrderRow.id))
        .execution_options(populate_existing=True)
    )


async def carried_orders(session: AsyncSession, city: str) -> list[OrderRow]:
    """Orders of a city that are with drivers, the most urgent first."""
    return list(await session.scalars(_carried().where(col(OrderRow.region) == city)))


async def orders_of_driver(session: AsyncSession, driver_id: UUID) -> list[OrderRow]:
    """What a driver has of orders, the most urgent first."""
    return list(await session.scalars(_carried().where(col(OrderRow.driver_id) == driver_id)))


async def idle_with_route(session: AsyncSession, city: str) -> list[UUID]:
    """Drivers of a city who have a tour in force and no order any more."""
    busy = select(col(OrderRow.driver_id)).where(
        col(OrderRow.state).in_(sorted(WITH_DRIVER)), col(OrderRow.driver_id).is_not(None)
    )
    found = await session.scalars(
        select(col(RouteRow.driver_id)).where(
            col(RouteRow.superseded_at).is_(None),
            or_(
                col(RouteRow.region) == city,
                col(RouteRow.region).startswith(city + ".", autoescape=True),
            ),
            col(RouteRow.driver_id).not_in(busy),
        )
    )
    return list(found)


async def orders_of_stops(session: AsyncSession, stops: Sequence[StopRow]) -> dict[UUID, OrderRow]:
    """The orders that stops are for."""
    found = await session.scalars(
        select(OrderRow)
        .where(col(OrderRow.id).in_({stop.order_id for stop in stops}))
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in found}


async def supersede(session: AsyncSession, driver_id: UUID, now: datetime) -> None:
    """End the driver's tour in force."""
    await session.execute(
        update(RouteRow)
        .where(col(RouteRow.driver_id) == driver_id, col(RouteRow.superseded_at).is_(None))
        .values(superseded_at=now)
        .execution_options(synchronize_session=False)
    )


async def supersede_idle(session: AsyncSession, driver_id: UUID, now: datetime) -> None:
    """End the tour of a driver who has no order any more."""
    if not await orders_of_driver(session, driver_id):
        await supersede(session, driver_id, now)


async def next_version(session: AsyncSession, driver_id: UUID) -> int:
    """The number of the driver's next tour."""
    last = await session.scalar(
        select(func.max(col(RouteRow.version))).where(col(RouteRow.driver_id) == driver_id)
    )
    return (last or 0) + 1


async def put(session: AsyncSession, route: RouteRow, stops: Sequence[dict[str, Any]]) -> None:
    """Store a tour, in force from now on."""
    session.add(route)
    await session.flush()
    if stops:
        await session.execute(insert(StopRow), list(stops))


async def drop_superseded(session: AsyncSession, before: datetime) -> None:
    """Forget tours that were replaced long ago."""
    await session.execute(
        text(
            "WITH gone AS (DELETE FROM dispatch_route WHERE superseded_at < :before RETURNING id)"
            " DELETE FROM dispatch_stop WHERE route_id IN (SELECT id FROM gone)"
        ),
        {"before": before},
    )
