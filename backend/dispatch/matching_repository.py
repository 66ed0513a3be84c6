"""Every query of matching on cities, open orders, drivers' loads and decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, exists, func, insert, or_, select, text, union_all
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from backend.dispatch.matching_models import CityRow, DecisionRow, OfferRow
from backend.dispatch.matching_schemas import OfferState
from backend.dispatch.models import OrderEventRow, OrderRow, ShiftRow
from backend.dispatch.rules import WITH_DRIVER, OrderState

UNMATCHED = "dispatch.unmatched"


def _lock_id(name: str) -> dict[str, int]:
    return {"id": int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)}


async def try_lock(session: AsyncSession, name: str) -> bool:
    """Whether nobody else holds the lock of this name; held until this unit of work ends."""
    taken = await session.scalar(text("SELECT pg_try_advisory_xact_lock(:id)"), _lock_id(name))
    return bool(taken)


async def lock_city(session: AsyncSession, city: str) -> bool:
    """Whether nobody else matches the city until this unit of work ends."""
    return await try_lock(session, f"dispatch:city:{city}")


async def await_city(session: AsyncSession, city: str) -> None:
    """Wait for the round of matching that is going on; no other begins before this work ends."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(:id)"), _lock_id(f"dispatch:city:{city}")
    )


async def switches(session: AsyncSession) -> dict[str, CityRow]:
    """The cities that somebody has switched, by code."""
    return {row.code: row for row in await session.scalars(select(CityRow))}


async def put_switch(session: AsyncSession, row: CityRow) -> None:
    """Keep a city's switch as it is now."""
    values = row.model_dump()
    await session.execute(
        upsert(CityRow).values(values).on_conflict_do_update(index_elements=["code"], set_=values)
    )


async def busy_cities(session: AsyncSession) -> set[str]:
    """The cities in which an order waits, is on its way to be picked up, or is offered."""
    watched = (OrderState.READY, OrderState.ASSIGNED, OrderState.ACCEPTED)
    found = await session.scalars(
        union_all(
            select(col(OrderRow.region)).where(col(OrderRow.state).in_(watched)).distinct(),
            select(col(OfferRow.city)).where(col(OfferRow.state) == OfferState.OPEN).distinct(),
        )
    )
    return set(found)


async def orders_to_match(session: AsyncSession, city: str, limit: int) -> list[OrderRow]:
    """Ready orders of the city that nobody is asked about, the most urgent first."""
    asked = exists().where(
        col(OfferRow.order_id) == col(OrderRow.id), col(OfferRow.state) == OfferState.OPEN
    )
    found = await session.scalars(
        select(OrderRow)
        .where(col(OrderRow.region) == city, col(OrderRow.state) == OrderState.READY, ~asked)
        .order_by(col(OrderRow.promised_at), col(OrderRow.id))
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def still_ready(session: AsyncSession, order_ids: Sequence[UUID]) -> set[UUID]:
    """Those that are ready yet, locked; orders that somebody is changing are passed over."""
    found = await session.scalars(
        select(col(OrderRow.id))
        .where(col(OrderRow.id).in_(order_ids), col(OrderRow.state) == OrderState.READY)
        .order_by(col(OrderRow.id))
        .with_for_update(skip_locked=True)
    )
    return set(found)


async def loads(session: AsyncSession, city: str) -> dict[UUID, Row[Any]]:
    """Orders, grams and cubic centimetres with each driver of a city, by driver.

    `offers` counts the orders offered to them, whose size is in the sums.
    """
    carried: Select[*tuple[Any, ...]] = select(
        col(OrderRow.driver_id).label("driver_id"),
        col(OrderRow.weight_g),
        col(OrderRow.volume_cm3),
        text("0 AS offered"),
    ).where(col(OrderRow.region) == city, _with_driver())
    offered: Select[*tuple[Any, ...]] = (
        select(
            col(OfferRow.driver_id),
            col(OrderRow.weight_g),
            col(OrderRow.volume_cm3),
            text("1 AS offered"),
        )
        .join(OrderRow, col(OrderRow.id) == col(OfferRow.order_id))
        .where(col(OfferRow.city) == city, col(OfferRow.state) == OfferState.OPEN)
    )
    every = union_all(carried, offered).subquery()
    found = await session.execute(
        select(
            every.c.driver_id,
            func.count().label("orders"),
            func.sum(every.c.weight_g).label("weight_g"),
            func.sum(every.c.volume_cm3).label("volume_cm3"),
            func.sum(text("offered")).label("offers"),
        ).group_by(every.c.driver_id)
    )
    return {row.driver_id: row for row in found}


def _with_driver() -> Any:
    """Whether an order takes up room of its driver, a held one on board included."""
    held = and_(col(OrderRow.state) == OrderState.ON_HOLD, col(OrderRow.driver_id).is_not(None))
    return or_(col(OrderRow.state).in_(sorted(WITH_DRIVER)), held)


async def given_since(session: AsyncSession, city: str, since: datetime) -> dict[UUID, int]:
    """How many offers each driver of a city has accepted since, by driver."""
    found = await session.execute(
        select(col(OfferRow.driver_id), func.count())
        .where(
            col(OfferRow.city) == city,
            col(OfferRow.offered_at) > since,
            col(OfferRow.state) == OfferState.ACCEPTED,
        )
        .group_by(col(OfferRow.driver_id))
    )
    return dict(found.all())


async def shift_ends(session: AsyncSession, city: str, now: datetime) -> dict[UUID, datetime]:
    """When the shift ends that each driver of the city is in; nothing for one without a plan."""
    found = await session.execute(
        select(col(ShiftRow.driver_id), func.max(col(ShiftRow.ends_at)))
        .where(
            col(ShiftRow.region).startswith(city, autoescape=True),
            col(ShiftRow.starts_at) <= now,
            col(ShiftRow.ends_at) > now,
            col(ShiftRow.cancelled_at).is_(None),
            col(ShiftRow.ended_at).is_(None),
        )
        .group_by(col(ShiftRow.driver_id))
    )
    return dict(found.all())


async def last_decisions(
    session: AsyncSession, order_ids: Sequence[UUID]
) -> dict[UUID, tuple[datetime, UUID | None]]:
    """When each order was decided on last, and for whom."""
    found = await session.execute(
        select(col(DecisionRow.order_id), col(DecisionRow.at), col(DecisionRow.chosen))
        .ext(distinct_on(col(DecisionRow.order_id)))
        .where(col(DecisionRow.order_id).in_(order_ids))
        .order_by(col(DecisionRow.order_id), col(DecisionRow.at).desc())
    )
    return {order_id: (at, chosen) for order_id, at, chosen in found}


async def add_decisions(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a round of matching decided, in one go."""
    if rows:
        await session.execute(insert(DecisionRow), list(rows))


async def decisions(session: AsyncSession, order_id: UUID, limit: int) -> list[DecisionRow]:
    """The decisions made for an order, newest first."""
    found = await session.scalars(
        select(DecisionRow)
        .where(col(DecisionRow.order_id) == order_id)
        .order_by(col(DecisionRow.at).desc(), col(DecisionRow.id).desc())
        .limit(limit)
    )
    return list(found)


async def drop_decisions(session: AsyncSession, before: datetime) -> None:
    """Forget decisions of long ago."""
    await session.execute(
        text("DELETE FROM dispatch_decision WHERE at < :before"), {"before": before}
    )


async def never_taken(session: AsyncSession, city: str, before: datetime, limit: int) -> list[UUID]:
    """Ready orders that have been so since before then, and are not escalated since."""
    ready, told = aliased(OrderEventRow), aliased(OrderEventRow)
    became_ready = (
        select(func.max(col(ready.at)))
        .where(
            col(ready.order_id) == col(OrderRow.id),
            col(ready.type).in_(("order.ready", "order.unassigned", "order.released")),
        )
        .correlate(OrderRow)
        .scalar_subquery()
    )
    since = func.coalesce(became_ready, col(OrderRow.created_at))
    escalated = (
        select(col(told.id))
        .where(
            col(told.order_id) == col(OrderRow.id),
            col(told.type) == UNMATCHED,
            col(told.at) >= since,
        )
        .correlate(OrderRow)
        .exists()
    )
    found = await session.scalars(
        select(col(OrderRow.id))
        .where(
            col(OrderRow.region) == city,
            col(OrderRow.state) == OrderState.READY,
            col(OrderRow.created_at) < before,
            since < before,
            ~escalated,
        )
        .order_by(col(OrderRow.id))
        .limit(limit)
    )
    return list(found)


async def awaiting_pickup(session: AsyncSession, city: str, before: datetime) -> list[OrderRow]:
    """Orders given to a driver who has not reached the pickup, and unchanged since before then."""
    found = await session.scalars(
        select(OrderRow)
        .where(
            col(OrderRow.region) == city,
            col(OrderRow.state).in_((OrderState.ASSIGNED, OrderState.ACCEPTED)),
            col(OrderRow.updated_at) < before,
        )
        .order_by(col(OrderRow.id))
        .execution_options(populate_existing=True)
    )
    return list(found)


async def before_pickup(session: AsyncSession, city: str) -> list[OrderRow]:
    """Orders of the city with a driver who has not taken the parcels."""
    states = (OrderState.ASSIGNED, OrderState.ACCEPTED, OrderState.AT_PICKUP)
    found = await session.scalars(
        select(OrderRow)
        .where(col(OrderRow.region) == city, col(OrderRow.state).in_(states))
        .order_by(col(OrderRow.id))
    )
    return list(found)


async def queue_by_city(session: AsyncSession, cities: Sequence[str]) -> dict[str, int]:
    """How many orders wait for a driver in each city."""
    found = await session.execute(
        select(col(OrderRow.region), func.count())
        .where(col(OrderRow.region).in_(cities), col(OrderRow.state) == OrderState.READY)
        .group_by(col(OrderRow.region))
    )
    return dict(found.all())


async def unmatched_by_city(
    session: AsyncSession, cities: Sequence[str], waiting_since: datetime
) -> dict[str, int]:
    """How many ready orders of each city have waited since before then."""
    found = await session.execute(
        select(col(OrderRow.region), func.count())
        .where(
            col(OrderRow.region).in_(cities),
            col(OrderRow.state) == OrderState.READY,
            col(OrderRow.created_at) < waiting_since,
        )
        .group_by(col(OrderRow.region))
    )
    return dict(found.all())


async def backlog_by_city(session: AsyncSession, now: datetime, since: datetime) -> list[Row[Any]]:
    """Orders under way by city: `waiting` ready ones from before `since`, `late`, and `open`."""
    late = col(OrderRow.promised_at) < now
    waiting = and_(col(OrderRow.state) == OrderState.READY, col(OrderRow.updated_at) < since)
    asked: Select[*tuple[Any, ...]] = (
        select(
            col(OrderRow.region).label("city"),
            func.count().filter(waiting).label("waiting"),
            func.count().filter(late).label("late"),
            func.count().label("open"),
        )
        .where(col(OrderRow.ended_at).is_(None))
        .group_by(col(OrderRow.region))
    )
    return list(await session.execute(asked))


async def offer_figures(
    session: AsyncSession, cities: Sequence[str], now: datetime
) -> dict[str, Row[Any]]:
    """Offers of the last hour by city, and the median wait in seconds for a first one."""
    first = (
        select(
            col(OfferRow.city),
            col(OfferRow.order_id),
            func.min(col(OfferRow.offered_at)).label("at"),
        )
        .where(col(OfferRow.city).in_(cities), col(OfferRow.offered_at) > now - timedelta(hours=1))
        .where(col(OfferRow.round) == 1)
        .group_by(col(OfferRow.city), col(OfferRow.order_id))
        .subquery()
    )
    began = func.greatest(col(OrderRow.created_at), func.min(col(OrderEventRow.at)))
    waits = (
        select(first.c.city, func.extract("epoch", first.c.at - began).label("waited_s"))
        .join(OrderRow, col(OrderRow.id) == first.c.order_id)
        .join(
            OrderEventRow,
            and_(
                col(OrderEventRow.order_id) == first.c.order_id,
                col(OrderEventRow.state) == OrderState.READY,
            ),
            isouter=True,
        )
        .group_by(first.c.city, first.c.order_id, first.c.at, col(OrderRow.created_at))
        .subquery()
    )
    medians = (
        select(
            waits.c.city,
            func.percentile_cont(0.5).within_group(waits.c.waited_s).label("median_s"),
        )
        .group_by(waits.c.city)
        .subquery()
    )
    offers = (
        select(
            col(OfferRow.city),
            func.count().filter(col(OfferRow.state) == OfferState.OPEN).label("open"),
            func.count().label("made"),
            func.count().filter(col(OfferRow.state) == OfferState.ACCEPTED).label("accepted"),
        )
        .where(col(OfferRow.city).in_(cities), col(OfferRow.offered_at) > now - timedelta(hours=1))
        .group_by(col(OfferRow.city))
        .subquery()
    )
    found = await session.execute(
        select(offers, medians.c.median_s).join(
            medians, medians.c.city == offers.c.city, isouter=True
        )
    )
    return {row.city: row for row in found}
