"""Matches a city's open orders with its drivers, all together, and offers them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import matching_repository, offer_repository, offers, order_repository
from backend.dispatch.fleet import columns_of, fleet_of
from backend.dispatch.lifecycle import Circumstances, note
from backend.dispatch.matching import (
    Weighed,
    also_asked,
    candidate_rows,
    match,
    unfit_counts,
    weigh,
)
from backend.dispatch.matching_models import OfferRow
from backend.dispatch.matching_repository import UNMATCHED
from backend.dispatch.matching_rules import Fleet, Ints, OpenOrders
from backend.dispatch.matching_schemas import OfferState, RunResult
from backend.dispatch.routed_pairs import MOST_ORDERS, routed
from backend.dispatch.travel import local_hour, speeds_m_s, travel_of
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock, indicators
from backend.platform.errors import NotFound
from backend.platform.ids import uuid7
from backend.platform.resources import current
from backend.platform.telemetry import tracer
from backend.regions import service as regions
from backend.regions.schemas import Region
from backend.tracking import service as tracking

EXPRESS_ALSO_ASKS = 2
"""How many drivers beside the best an express order is offered to at the same time."""
_MOST_ORDERS = 2_000
_TOLD_AGAIN_AFTER = timedelta(seconds=60)
"""How often it is written down that there is still nobody for an order."""
_ESCALATED_AT_ONCE = 100
_NEVER = datetime.min.replace(tzinfo=UTC)


async def run_matching(session: AsyncSession, principal: Principal, city: str) -> RunResult:
    """Match the city now, whether or not its switch is on; needs `dispatch:write` there."""
    identity.authorize(principal, "dispatch:write", city)
    region = (await regions.directory(session, SYSTEM)).get(city)
    if region is None or region.kind != "city":
        raise NotFound(f"{city} is not a city's code.")
    return await match_city(session, principal, region)


async def match_city(session: AsyncSession, principal: Principal, city: Region) -> RunResult:
    """One round of a city in one unit of work: close old offers, match, make new ones.

    Whoever dies before it commits has changed nothing. `busy` where another process is at it.
    """
    began = perf_counter()
    if not await matching_repository.lock_city(session, city.code):
        return RunResult(city=city.code, busy=True)
    with tracer.start_as_current_span("match city", attributes={"city": city.code}):
        await close_offers(session, city.code)
        result = await _match(session, principal, city)
        await _escalate(session, city.code)
    return result.model_copy(update={"took_ms": round((perf_counter() - began) * 1000)})


async def close_offers(session: AsyncSession, city: str) -> None:
    """Close offers that ran out of time, and those of orders that are no longer to be had."""
    now = clock.now()
    await offers.tell(
        session, SYSTEM, await offer_repository.withdraw_overtaken(session, city, now)
    )
    await offers.tell(session, SYSTEM, await offer_repository.expire(session, city, now))


async def _match(session: AsyncSession, principal: Principal, city: Region) -> RunResult:
    waiting = await matching_repository.orders_to_match(session, city.code, _MOST_ORDERS)
    if not waiting:
        return RunResult(city=city.code)
    now = clock.now()
    drivers = await tracking.drivers_of_city(session, SYSTEM, city.code)
    fleet, _ = await fleet_of(session, city.code, drivers, now)
    orders = columns_of(waiting, now)
    cooling = await cooling_pairs(session, orders, fleet, now)
    hour = local_hour(now, city.time_zone)
    weighed = await _weighed(orders, fleet, cooling, hour)
    chosen = await asyncio.to_thread(match, orders, fleet, weighed)
    more = also_asked(orders, weighed, chosen, EXPRESS_ALSO_ASKS)
    rows = await _decisions(session, principal, city.code, now, orders, fleet, weighed, chosen)
    await matching_repository.add_decisions(session, rows)
    ready = await matching_repository.still_ready(
        session, [orders.ids[number] for number in np.flatnonzero(chosen >= 0).tolist()]
    )
    decided = {row["order_id"]: row["id"] for row in rows}
    picked = [
        (orders.ids[number], fleet.ids[weighed.pairs.driver[pair]])
        for number in np.flatnonzero(chosen >= 0).tolist()
        if orders.ids[number] in ready
        for pair in (int(chosen[number]), *more.get(number, ()))
    ]
    since = {order.id: order.updated_at for order in waiting}
    made = await _offer(session, city.code, now, picked, decided, since)
    return RunResult(
        city=city.code,
        orders=len(orders),
        drivers=len(fleet),
        offers=made,
        unmatched=int(np.count_nonzero(chosen < 0)),
    )


async def _weighed(orders: OpenOrders, fleet: Fleet, cooling: Ints, hour: int) -> Weighed:
    """Candidates with fitness and costs, by the routing service's ways where there is one."""
    speeds = speeds_m_s(hour)
    weighed = await asyncio.to_thread(weigh, orders, fleet, speeds, cooling)
    url = current().settings.routing_url
    if not url or len(orders) > MOST_ORDERS:
        return weighed
    pairs = await routed(orders, fleet, weighed, travel_of(url), hour)
    return weigh(orders, fleet, speeds, cooling, pairs=pairs)


async def cooling_pairs(
    session: AsyncSession, orders: OpenOrders, fleet: Fleet, now: datetime
) -> Ints:
    """The pairs that were refused lately, as order x drivers + driver."""
    since = now - timedelta(seconds=current().settings.dispatch_cool_down_s)
    row_of = {driver: number for number, driver in enumerate(fleet.ids)}
    number_of = {order: number for number, order in enumerate(orders.ids)}
    found = await offer_repository.cooling(session, list(orders.ids), since)
    pairs = [
        number_of[order] * len(fleet) + row_of[driver]
        for order, driver in found
        if driver in row_of
    ]
    return np.array(pairs, dtype=np.int64)


async def _decisions(
    session: AsyncSession,
    principal: Principal,
    city: str,
    now: datetime,
    orders: OpenOrders,
    fleet: Fleet,
    weighed: Weighed,
    chosen: Ints,
) -> list[dict[str, Any]]:
    """A row for each order that got somebody; for others one a minute while it stays so."""
    left = [orders.ids[number] for number in np.flatnonzero(chosen < 0).tolist()]
    last = await matching_repository.last_decisions(session, left)
    rows = []
    for number, order_id in enumerate(orders.ids):
        pair = int(chosen[number])
        at, for_whom = last.get(order_id, (_NEVER, None))
        if pair < 0 and for_whom is None and at > now - _TOLD_AGAIN_AFTER:
            continue
        rows.append(
            {
                "id": uuid7(),
                "order_id": order_id,
                "city": city,
                "at": now,
                "made_by": principal.name,
                "chosen": fleet.ids[weighed.pairs.driver[pair]] if pair >= 0 else None,
                "considered": len(weighed.of_order(number)),
                "candidates": candidate_rows(fleet, weighed, number),
                "unfit": unfit_counts(weighed, number),
            }
        )
    return rows


async def _offer(
    session: AsyncSession,
    city: str,
    now: datetime,
    picked: Sequence[tuple[UUID, UUID]],
    decided: dict[UUID, UUID],
    since: dict[UUID, datetime],
) -> int:
    rounds = await offer_repository.last_rounds(session, [order for order, _ in picked])
    made = [
        OfferRow(
            id=uuid7(),
            city=city,
            order_id=order,
            driver_id=driver,
            decision_id=decided.get(order),
            round=rounds.get(order, 0) + 1,
            state=OfferState.OPEN,
            offered_at=now,
            expires_at=now + timedelta(seconds=current().settings.dispatch_offer_s),
        )
        for order, driver in picked
    ]
    await offer_repository.add(session, [offer.model_dump() for offer in made])
    await offers.tell(session, SYSTEM, made)
    for order in {order for order, _ in picked} - rounds.keys():
        indicators.count_timed("dispatch", city, (now - since[order]).total_seconds())
    return len(made)


async def _escalate(session: AsyncSession, city: str) -> None:
    """Tell once of each order that nobody has taken for too long."""
    waited = timedelta(seconds=current().settings.dispatch_unmatched_after_s)
    late = await matching_repository.never_taken(
        session, city, clock.now() - waited, _ESCALATED_AT_ONCE
    )
    for order_id in await matching_repository.still_ready(session, late):
        order = await order_repository.locked(session, order_id)
        if order is not None:
            indicators.count("dispatch", city, good=0)
            minutes = round(waited.total_seconds() / 60)
            await note(
                session, SYSTEM, order, UNMATCHED,
                Circumstances(reason=f"Nobody has taken it for {minutes} minutes."),
            )  # fmt: skip
