"""What is counted where it happens: at doorways, in matching, at gateways, on the map."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.insights.definitions import objectives
from backend.platform import indicators
from backend.platform.resources import Resources
from tests.dispatch.city import driver, open_city, order, time_passes, turn
from tests.payments.world import World
from tests.tracking.fleet import ago, fix, hire, send, somebody, work_off


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Nothing of what other tests counted; answers have all the time that a busy machine takes."""
    indicators.drain()
    indicators.promise(
        indicators.Promise(name, 60.0 if each.routes else each.within_s, each.routes)
        for name, each in objectives().items()
    )


def counted() -> dict[tuple[str, str], tuple[int, int]]:
    """Valid and good by indicator and region since the last look."""
    counts = indicators.drain()
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for place, valid in counts.valid.items():
        before = found.get((place.name, place.region), (0, 0))
        good = counts.good[place]
        found[place.name, place.region] = (before[0] + valid, before[1] + good)
    return found


async def test_a_phones_request_counts_in_its_city_and_its_fault_does_not(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    phone = await hire(resources)
    indicators.drain()
    assert (await send(client, phone, fix(ago(1)))).status_code == 202
    assert counted() == {("ingest", "TH-10"): (1, 1)}
    assert (await send(client, phone, {"nonsense": 1})).status_code == 422
    stranger = await client.post("/api/v1/positions", json=fix(ago(1)))
    assert stranger.status_code == 401
    assert counted() == {}


async def test_a_request_that_finds_the_log_full_is_bad_in_its_city(
    client: httpx.AsyncClient, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await hire(resources)
    indicators.drain()

    async def full(*_: Any) -> int:
        return 10**12

    monkeypatch.setattr(type(resources.events), "size_bytes", full)
    assert (await send(client, phone, fix(ago(1)))).status_code == 503
    assert counted() == {("ingest", "TH-10"): (1, 0)}


async def test_a_fix_is_on_the_map_in_time_or_too_late(
    client: httpx.AsyncClient, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await hire(resources)
    before = ago(0).timestamp()
    monkeypatch.setattr("backend.tracking.projector.time", lambda: before + 1)
    await send(client, phone, fix(ago(1)))
    indicators.drain()
    await work_off(resources)
    assert counted()["live_map", "TH-10"] == (1, 1)
    after = ago(-30).timestamp()
    monkeypatch.setattr("backend.tracking.projector.time", lambda: after)
    await send(client, phone, fix(ago(0)))
    indicators.drain()
    await work_off(resources)
    assert counted()["live_map", "TH-10"] == (1, 0)


async def test_a_read_order_counts_in_its_city(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await open_city(resources)
    row = await order(resources)
    manager = await somebody(resources, "fleet_manager", "TH-10")
    indicators.drain()
    answer = await client.post(
        f"/api/v1/orders/{row.number}/hold", json={"reason": "recipient asks"}, headers=manager
    )
    assert answer.status_code == 200, answer.text
    assert counted()["order_api", "TH-10"] == (1, 1)


async def test_first_offers_count_by_how_long_the_order_waited(resources: Resources) -> None:
    await open_city(resources)
    await order(resources)
    await driver(resources)
    indicators.drain()
    await turn(resources)
    assert counted()["dispatch", "TH-10"] == (1, 1)
    async with resources.database.unit_of_work() as session:
        await session.execute(text("TRUNCATE dispatch_offer, dispatch_order CASCADE"))
    await order(resources)
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE dispatch_order SET updated_at = updated_at - interval '1 minute'")
        )
    indicators.drain()
    await turn(resources)
    assert counted()["dispatch", "TH-10"] == (1, 0)


async def test_an_order_that_is_escalated_counts_as_bad(resources: Resources) -> None:
    await open_city(resources)
    await order(resources)
    await time_passes(resources, timedelta(minutes=11).total_seconds())
    indicators.drain()
    await turn(resources)
    assert counted()["dispatch", "TH-10"] == (1, 0)


@pytest.mark.parametrize(
    ("method", "kept", "for_the_gateway"),
    [
        ("sandbox:ok", (1, 1), (1, 1)),
        ("sandbox:decline=card_declined", (1, 1), (1, 0)),
        ("sandbox:decline=gateway_error", (1, 0), (1, 0)),
    ],
)
async def test_a_decline_is_the_customers_or_the_gateways(
    resources: Resources, method: str, kept: tuple[int, int], for_the_gateway: tuple[int, int]
) -> None:
    world = World(resources)
    indicators.drain()
    await world.order(method=method)
    await world.settle()
    found = counted()
    assert found["payments", "TH-10"] == kept
    assert found["payments.sandbox", "TH-10"] == for_the_gateway


async def test_a_gateway_without_an_answer_is_bad_for_all(resources: Resources) -> None:
    world = World(resources)
    indicators.drain()
    await world.order(method="sandbox:unreachable=1")
    await world.settle()
    found = counted()
    assert found["payments", "*"] == (1, 0)
    valid, good = found["gateway.sandbox", "*"]
    assert valid - good == 1
    assert found["payments", "TH-10"] == (1, 1)
