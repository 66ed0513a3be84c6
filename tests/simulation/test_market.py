"""Orders as the demo's marketplaces send them, against the real API."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from random import Random

import httpx
import pytest

from backend.dispatch import service
from backend.dispatch.demo_recipients import GROUP, HANDLERS
from backend.dispatch.rules import Action
from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform import outbox
from backend.platform.consumers import Consumer
from backend.platform.resources import Resources
from backend.regions.service import seed
from backend.simulation import trade
from backend.simulation.courier import Courier
from backend.simulation.doorways import Device
from backend.simulation.line import Line
from backend.simulation.market import Market
from backend.simulation.motion import Journey
from backend.simulation.operator import Operator
from backend.simulation.transport import Answer, Request
from backend.simulation.wallet import Wallet
from tests.dispatch.phones import act, column, story
from tests.simulation.conftest import InProcess
from tests.simulation.world import CITIES
from tests.tracking.fleet import hire

CITY = next(city for city in CITIES if city.code == "TH-10")


class Clock:
    """Time that moves when told."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def open_market(
    client: httpx.AsyncClient, resources: Resources, folder: Path, clock: Clock, per_hour: int
) -> Market:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        issued = await issue_api_token(session, SYSTEM, "operator", role="admin")
    transport = InProcess(client)
    wallet = Wallet(folder, "http://localhost:8000")
    market = Market(
        transport,
        Operator(transport, issued.secret, patience=0),
        wallet,
        CITIES,
        per_hour,
        lambda _: [],
        clock,
    )
    await market.open()
    return market


async def test_every_order_of_every_city_is_taken(
    client: httpx.AsyncClient, resources: Resources, tmp_path: Path
) -> None:
    clock = Clock(time.time())
    market = await open_market(client, resources, tmp_path, clock, 40_000)
    clock.now += 55
    await market.turn()
    assert market.refused == 0
    assert market.sent > 200
    regions = set(await column(resources, "SELECT DISTINCT region FROM dispatch_order"))
    assert regions == {city.code for city in CITIES}
    sellers = await column(resources, "SELECT DISTINCT merchant FROM dispatch_order")
    assert len(sellers) == 3
    terms = set(await column(resources, "SELECT DISTINCT terms FROM dispatch_order"))
    assert terms == {"cod", "prepaid", "wallet"}


async def test_a_lost_answer_makes_no_order_twice(
    client: httpx.AsyncClient, resources: Resources, tmp_path: Path
) -> None:
    clock = Clock(time.time())
    market = await open_market(client, resources, tmp_path, clock, 3_000)
    clock.now += 50
    transport = market._transport
    assert isinstance(transport, InProcess)
    transport.lose_every = 1
    await market.turn()
    transport.lose_every = 0
    await market.turn()
    [count] = await column(resources, "SELECT count(*) FROM dispatch_order")
    assert count == market.sent > 10


async def test_some_orders_are_called_off_in_time(
    client: httpx.AsyncClient, resources: Resources, tmp_path: Path
) -> None:
    clock = Clock(time.time())
    market = await open_market(client, resources, tmp_path, clock, 60_000)
    clock.now += 55
    await market.turn()
    clock.now += 620
    market._per_hour = 0
    await market.turn()
    counts = Counter(await column(resources, "SELECT state FROM dispatch_order"))
    assert counts["cancelled"] > 3
    assert counts["on_hold"] > 0


async def test_tokens_are_kept_for_the_next_start(
    client: httpx.AsyncClient, resources: Resources, tmp_path: Path
) -> None:
    clock = Clock(time.time())
    await open_market(client, resources, tmp_path, clock, 100)
    await open_market(client, resources, tmp_path, clock, 100)
    names = await column(resources, "SELECT name FROM identity_token WHERE name LIKE '%-%'")
    assert Counter(names)["kaveri-bazaar"] == 1


def test_shops_are_busier_in_the_evening_than_at_night() -> None:
    night, evening = 1_790_010_000.0, 1_790_000_000.0
    assert trade.rhythm(CITY, evening) != trade.rhythm(CITY, night)
    assert 0.9 < sum(trade.RHYTHM) / 24 < 1.1


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.code)
def test_a_city_orders_in_its_own_words_and_money(city: object) -> None:
    made = [
        trade.order(city, Random(number), 1_790_000_000.0, f"T-{number:05d}")  # type: ignore[arg-type]
        for number in range(40)
    ]
    assert len({order["drop"]["address"] for order in made}) > 35
    assert {order["payment"]["amount"]["currency"] for order in made} == {
        trade.trades()[city.code]["currency"]  # type: ignore[attr-defined]
    }
    assert not any("{" in order["drop"]["address"] for order in made)


async def test_a_driver_brings_an_order_to_its_door_through_the_real_doorway(
    client: httpx.AsyncClient, resources: Resources, tmp_path: Path
) -> None:
    """Order, drive, scan, code read by the recipient, delivery: all over the public API."""
    clock = Clock(time.time())
    market = await open_market(client, resources, tmp_path, clock, 0)
    market._order(CITY, clock.now, CITY.hubs[0].at)
    await market.turn()
    market._later.clear()
    phone = await hire(resources)
    await client.post("/api/driver/v1/shift", json={"state": "on"}, headers=phone.headers)
    [order_id] = await column(resources, "SELECT id FROM dispatch_order")
    async with resources.database.unit_of_work() as session:
        order = await service.get_order(session, SYSTEM, order_id)
    await act(resources, order, Action.ASSIGN, driver_id=phone.id)
    journey = Journey(CITY, CITY.hubs[0], "bike", "brings", clock.now)
    assert journey.on_shift
    courier = Courier(CITY, journey, "brings", clock.now)
    consumer = Consumer(resources, GROUP, HANDLERS)
    await consumer.prepare()
    transport = InProcess(client)

    async def send(request: Request) -> Answer | None:
        return await transport.send(request)

    line = Line(courier, send, market.ask_code, "brings")
    device = Device(str(phone.id), phone.code, phone.token)
    ended: list[str] = []
    while not ended and clock.now < time.time() + 7200:
        clock.now += 8
        sample = journey.advance(clock.now)
        place = (sample.fix.lat, sample.fix.lon) if sample.fix else None
        courier.live(clock.now, place, reachable=sample.reachable)
        if sample.reachable:
            await line.speak(device, clock.now)
            await outbox.relay_once(resources.database, resources.events)
            await consumer.turn(wait_ms=1)
        ended = [
            kind
            for kind in await story(resources, order)
            if kind in ("order.delivered", "order.returned")
        ]
    assert ended, await story(resources, order)
