"""Every query on ETAs and on how they came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.matching_models import EtaErrorRow
from backend.dispatch.models import OrderRow
from backend.dispatch.rules import OrderState

S = OrderState
UNDER_WAY = (S.ASSIGNED, S.ACCEPTED, S.AT_PICKUP, S.PICKED_UP, S.IN_TRANSIT)
EXPECTED_STATES = (S.CREATED, S.READY, *UNDER_WAY)
"""The states in which somebody waits for the order to come."""


async def expected_orders(session: AsyncSession, city: str) -> Sequence[Any]:
    """What an ETA is made of, for each order of the city that is on its way or will be."""
    found = await session.execute(
        select(
            col(OrderRow.id),
            col(OrderRow.number),
            col(OrderRow.merchant),
            col(OrderRow.state),
            col(OrderRow.driver_id),
            col(OrderRow.hub),
            col(OrderRow.vehicle),
            col(OrderRow.pickup_lat),
            col(OrderRow.pickup_lon),
            col(OrderRow.pickup_from),
            col(OrderRow.drop_lat),
            col(OrderRow.drop_lon),
            col(OrderRow.drop_from),
            col(OrderRow.promised_at),
            col(OrderRow.eta_at),
            col(OrderRow.delay_told),
        )
        .where(col(OrderRow.region) == city, col(OrderRow.state).in_(EXPECTED_STATES))
        .order_by(col(OrderRow.promised_at), col(OrderRow.id))
    )
    return found.all()


async def cities_expecting(session: AsyncSession) -> list[str]:
    """The cities in which somebody waits for an order."""
    found = await session.scalars(
        select(col(OrderRow.region)).where(col(OrderRow.state).in_(EXPECTED_STATES)).distinct()
    )
    return sorted(found)


async def put_etas(session: AsyncSession, etas: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """Tell the new ETAs in one statement; orders that somebody is changing wait for the next time.

    The order's version stays: an ETA is nobody's change.
    """
    if not etas:
        return 0
    done = await session.execute(
        text(
            "WITH told AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[]),"
            " CAST(:lows AS timestamptz[]), CAST(:highs AS timestamptz[]))"
            " AS told(id, eta_at, eta_low, eta_high)),"
            " free AS (SELECT o.id FROM dispatch_order o JOIN told USING (id)"
            " WHERE o.state = ANY(:states) ORDER BY o.id FOR UPDATE OF o SKIP LOCKED)"
            " UPDATE dispatch_order o SET eta_at = told.eta_at, eta_low = told.eta_low,"
            " eta_high = told.eta_high, eta_made_at = :now"
            " FROM told JOIN free USING (id) WHERE o.id = told.id RETURNING o.id"
        ),
        {
            "ids": [eta["id"] for eta in etas],
            "ats": [eta["at"] for eta in etas],
            "lows": [eta["low"] for eta in etas],
            "highs": [eta["high"] for eta in etas],
            "states": [state.value for state in EXPECTED_STATES],
            "now": now,
        },
    )
    return len(done.all())


async def note_delays(session: AsyncSession, told: Mapping[UUID, datetime]) -> set[UUID]:
    """Remember the ETAs that are told as delays; answers the orders that nobody is changing."""
    if not told:
        return set()
    done = await session.scalars(
        text(
            "WITH told AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[]))"
            " AS told(id, eta_at)),"
            " free AS (SELECT o.id FROM dispatch_order o JOIN told USING (id)"
            " WHERE o.state = ANY(:states) ORDER BY o.id FOR UPDATE OF o SKIP LOCKED)"
            " UPDATE dispatch_order o SET delay_told = told.eta_at"
            " FROM told JOIN free USING (id) WHERE o.id = told.id RETURNING o.id"
        ),
        {
            "ids": list(told),
            "ats": list(told.values()),
            "states": [state.value for state in EXPECTED_STATES],
        },
    )
    return set(done)


async def keep_guesses(session: AsyncSession, guesses: Sequence[Mapping[str, Any]]) -> None:
    """Remember the first ETA of each order in each state."""
    if guesses:
        await session.execute(insert(EtaErrorRow).on_conflict_do_nothing(), list(guesses))


async def settle_guesses(session: AsyncSession, city: str) -> int:
    """Note for the city's guesses when their orders arrived; answers how many came out.

    The arrival's own time counts, which a phone without a network may have told much later.
    """
    done = await session.execute(
        text(
            "UPDATE dispatch_eta_error g SET arrived_at = e.happened,"
            " actual_s = greatest(0, extract(epoch FROM e.happened - g.made_at))::int,"
            " inside = extract(epoch FROM e.happened - g.made_at) BETWEEN g.low_s AND g.high_s"
            " FROM (SELECT w.order_id, min(coalesce(e.device_at, e.at)) AS happened"
            " FROM dispatch_eta_error w JOIN dispatch_order_event e USING (order_id)"
            " WHERE w.city = :city AND w.arrived_at IS NULL AND e.type = 'order.arrived'"
            " GROUP BY w.order_id) e"
            " WHERE g.arrived_at IS NULL AND e.order_id = g.order_id"
            " RETURNING g.order_id"
        ),
        {"city": city},
    )
    return len(done.all())


async def outcomes(session: AsyncSession, city: str, since: datetime) -> Sequence[Any]:
    """Actual to model time of the city's arrivals since: count and quantiles.

    One row for the whole city (hub and hour null), one for each hour, one for each hub and hour.
    """
    found = await session.execute(
        text(
            "SELECT hub, hour, count(*) AS n, grouping(hub) AS any_hub, grouping(hour) AS any_hour,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY actual_s / raw_s::float) AS ratio,"
            " percentile_cont(0.1) WITHIN GROUP (ORDER BY actual_s / raw_s::float) AS low,"
            " percentile_cont(0.9) WITHIN GROUP (ORDER BY actual_s / raw_s::float) AS high"
            " FROM dispatch_eta_error"
            " WHERE city = :city AND arrived_at > :since AND raw_s >= 60"
            " GROUP BY GROUPING SETS ((), (hour), (hub, hour))"
        ),
        {"city": city, "since": since},
    )
    return found.all()


async def accuracy(session: AsyncSession, cities: Sequence[str], since: datetime) -> Sequence[Any]:
    """Errors of the ETAs given in each state, by city."""
    found = await session.execute(
        text(
            "SELECT city, horizon, count(*) AS n, avg(abs(actual_s - predicted_s)) AS mean_abs_s,"
            " avg(actual_s - predicted_s) AS bias_s, avg(inside::int) AS inside"
            " FROM dispatch_eta_error WHERE city = ANY(:cities) AND arrived_at > :since"
            " GROUP BY city, horizon ORDER BY city, horizon"
        ),
        {"cities": list(cities), "since": since},
    )
    return found.all()


async def drop_guesses(session: AsyncSession, before: datetime) -> None:
    """Forget guesses of long ago, those of orders that never arrived too."""
    await session.execute(
        text("DELETE FROM dispatch_eta_error WHERE made_at < :before"), {"before": before}
    )
