"""How long an order waits for its first offer while many come in, on stores of its own."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text

from backend.bench.report import Figure
from backend.bench.running import fresh_stores
from backend.dispatch import service
from backend.dispatch.dispatcher_role import dispatch
from backend.dispatch.errors import OfferGone
from backend.dispatch.schemas import OrderIn
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock, outbox
from backend.platform.ids import uuid7
from backend.platform.resources import Resources, open_resources
from backend.platform.turns import pause, repeat
from backend.regions.service import seed
from backend.settings import Settings, adopt
from backend.tracking import live_repository
from backend.tracking.live_table import DriverDetails
from backend.tracking.livestate import LIVE_KEY, LiveState

ORDERS_PER_S = 50
DRIVERS = 2_000
_CITY, _CURRENCY = "TH-10", "THB"
_CENTRE = (13.7456, 100.5341)
_SPREAD = 0.02
_WAIT_S = 20.0
_BATCH = 10
_OPEN_OFFERS = "SELECT id FROM dispatch_offer WHERE state = 'open' ORDER BY offered_at LIMIT 200"
_FIRST_OFFERS = "SELECT order_id, min(offered_at) AS at FROM dispatch_offer GROUP BY order_id"
_MARKET = Principal(
    kind="service",
    id="service:bench",
    name="bench",
    permissions=frozenset({"orders:create"}),
    regions=(_CITY,),
)


async def bench_order_to_offer(seconds: int) -> list[Figure]:
    """Send fifty orders a second, ten at a time, beside a running dispatcher, relay and phones.

    The drivers accept what they are offered; there is room for all.
    """
    async with fresh_stores() as (folder, stores):
        settings = adopt(
            {
                "WAYPOST_ENV": "development",
                "WAYPOST_DATABASE_URL": stores.database_url,
                "WAYPOST_REDIS_URL": stores.redis_url,
                "WAYPOST_DATA_DIR": str(folder),
                "WAYPOST_LOG_LEVEL": "warning",
            }
        )
        return await _measure(settings, seconds)


async def _measure(settings: Settings, seconds: int) -> list[Figure]:
    async with open_resources(settings) as resources:
        rng = np.random.default_rng(1)
        fleet = await _fleet(resources, rng)
        stop = asyncio.Event()
        relay = partial(outbox.relay_once, resources.database, resources.events)
        roles = [
            asyncio.create_task(dispatch(resources, stop)),
            asyncio.create_task(repeat(stop, 0.2, relay)),
            asyncio.create_task(_keep_heard(resources, fleet, stop)),
        ]
        phones = asyncio.create_task(_answer_offers(resources, stop))
        made, behind_s = await _orders(resources, rng, seconds)
        offered = await _offered(resources, made)
        stop.set()
        await asyncio.gather(*roles, phones)
    waits = np.sort([offered[order] for order in made if order in offered])
    return [
        Figure(
            "orders created", len(made) / (seconds + behind_s), "1/s", f">= {ORDERS_PER_S}",
            f"for {seconds} s, {DRIVERS:,} drivers",
        ),
        Figure("offered", len(waits) / len(made) * 100, "%", "100", f"of {len(made):,} orders"),
        Figure("creation to offer, median", float(np.quantile(waits, 0.5)), "s"),
        Figure("creation to offer, 95th percentile", float(np.quantile(waits, 0.95)), "s", "< 5"),
        Figure("creation to offer, longest", float(waits[-1]), "s"),
    ]  # fmt: skip


async def _fleet(resources: Resources, rng: np.random.Generator) -> dict[UUID, tuple[float, float]]:
    drivers = [
        DriverDetails(uuid7(), f"DRV-{n:05}", f"Driver {n}", None, "bike", None, _CITY, True)
        for n in range(DRIVERS)
    ]
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        await live_repository.add_drivers(session, drivers)
    places = np.array(_CENTRE) + rng.normal(0, _SPREAD, (DRIVERS, 2))
    fleet = {
        driver.id: (float(lat), float(lon))
        for driver, (lat, lon) in zip(drivers, places, strict=True)
    }
    await _hear(resources, fleet)
    return fleet


async def _hear(resources: Resources, fleet: dict[UUID, tuple[float, float]]) -> None:
    now_ms = int(time.time() * 1000)
    states = {
        driver.bytes: LiveState(now_ms, now_ms, *place, battery=0.9).pack()
        for driver, place in fleet.items()
    }
    await resources.redis.hset(LIVE_KEY, mapping=states)  # type: ignore[misc]


async def _keep_heard(
    resources: Resources, fleet: dict[UUID, tuple[float, float]], stop: asyncio.Event
) -> None:
    while not stop.is_set():
        await _hear(resources, fleet)
        await pause(stop, 20.0)


async def _answer_offers(resources: Resources, stop: asyncio.Event) -> None:
    """The phones: offers are accepted one after another."""
    while not stop.is_set():
        async with resources.database.unit_of_work() as session:
            waiting = list(await session.scalars(text(_OPEN_OFFERS)))
        for offer in waiting:
            with suppress(OfferGone):
                async with resources.database.unit_of_work() as session:
                    await service.accept_offer(session, SYSTEM, offer)
        await pause(stop, 0.2)


async def _orders(
    resources: Resources, rng: np.random.Generator, seconds: int
) -> tuple[dict[UUID, float], float]:
    """Ids of the orders with the time of their sending, and how long it took beyond `seconds`."""
    sent: dict[UUID, float] = {}
    began = time.monotonic()
    for turn in range(seconds * ORDERS_PER_S // _BATCH):
        wanted = [_order(turn * _BATCH + number, rng) for number in range(_BATCH)]
        await asyncio.sleep(max(0.0, began + turn * _BATCH / ORDERS_PER_S - time.monotonic()))
        at = time.time()
        async with resources.database.unit_of_work() as session:
            taken = await service.create_orders(session, _MARKET, wanted)
        sent |= {UUID(result.id): at for result in taken.results if result.id is not None}
    return sent, max(0.0, time.monotonic() - began - seconds)


def _order(number: int, rng: np.random.Generator) -> OrderIn:
    def place(name: str) -> dict[str, Any]:
        lat, lon = np.array(_CENTRE) + rng.normal(0, _SPREAD, 2)
        return {
            "name": name, "phone": "+66812345678", "address": "1 Rama I Road",
            "lat": float(lat), "lon": float(lon),
        }  # fmt: skip

    return OrderIn.model_validate(
        {
            "reference": f"B-{number}",
            "region": _CITY,
            "pickup": place("Shop"),
            "drop": place("Customer"),
            "parcels": [{"barcode": f"B{number:08}", "weight_g": 500, "volume_cm3": 500}],
            "payment": {"terms": "prepaid", "amount": {"minor": 10_000, "currency": _CURRENCY}},
            "promised_at": clock.now() + timedelta(hours=3),
        }
    )


async def _offered(resources: Resources, made: dict[UUID, float]) -> dict[UUID, float]:
    """Seconds from creation to first offer, by order; waits a while for the last ones."""
    deadline = time.monotonic() + _WAIT_S
    while True:
        async with resources.database.unit_of_work() as session:
            first = {row.order_id: row.at for row in await session.execute(text(_FIRST_OFFERS))}
        if len(first) >= len(made) or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.5)
    return {order: at.timestamp() - made[order] for order, at in first.items() if order in made}
