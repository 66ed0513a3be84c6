"""One action on many orders: which of them were done, which were not, and why."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from backend.platform.resources import Resources
from tests.dispatch.orders import act, order_body, place_order
from tests.tracking.fleet import Phone, hire, somebody


@pytest.fixture
async def phone(resources: Resources) -> Phone:
    return await hire(resources)


@pytest.fixture
async def nok(resources: Resources) -> dict[str, str]:
    return await somebody(resources, "fleet_manager", "TH-10")


async def test_a_bulk_action_tells_which_half_failed(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, nok: dict[str, str]
) -> None:
    ready, held, abroad, old = [
        await place_order(resources),
        await place_order(resources),
        await place_order(
            resources,
            region="IN-KA",
            pickup={**order_body()["pickup"], "lat": 12.9716, "lon": 77.5946},
            drop={**order_body()["drop"], "lat": 12.9716, "lon": 77.5946},
            payment={"terms": "prepaid", "amount": {"minor": 1, "currency": "INR"}},
        ),
        await place_order(resources),
    ]
    await act(client, nok, held, "hold", reason="Wrong address")
    items = [
        {"order_id": str(held.id)},
        {"order_id": str(abroad.id)},
        {"order_id": str(ready.id), "seen_version": ready.version},
        {"order_id": str(old.id), "seen_version": 1},
    ]
    body = {"action": "assign", "driver_id": str(phone.id), "items": items}
    answer = (await client.post("/api/v1/orders/bulk", json=body, headers=nok)).json()
    assert answer["done"] == 1
    assert [(r["index"], r["status"], r["code"]) for r in answer["results"]] == [
        (0, "refused", "wrong_state"),
        (1, "refused", "not_found"),
        (2, "done", None),
        (3, "refused", "moved"),
    ]
    assert answer["results"][2]["order"]["driver_id"] == str(phone.id)
    states = {
        o["id"]: o["state"]
        for o in (await client.get("/api/v1/orders", headers=nok)).json()["items"]
    }
    assert (states[str(ready.id)], states[str(held.id)], states[str(old.id)]) == (
        "assigned", "on_hold", "ready",
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"action": "assign"},
        {"action": "hold"},
        {"action": "explode", "reason": "Why not"},
        {"action": "hold", "reason": "no"},
    ],
)
async def test_a_bulk_action_that_lacks_something_is_refused_whole(
    client: httpx.AsyncClient, resources: Resources, nok: dict[str, str], body: dict[str, Any]
) -> None:
    order = await place_order(resources)
    items = [{"order_id": str(order.id)}]
    answer = await client.post("/api/v1/orders/bulk", json={**body, "items": items}, headers=nok)
    assert answer.status_code == 422
    twice = {"action": "hold", "reason": "Twice", "items": items * 2}
    assert (await client.post("/api/v1/orders/bulk", json=twice, headers=nok)).status_code == 422


async def test_bulk_actions_on_the_same_orders_do_not_wait_in_a_circle(
    client: httpx.AsyncClient, resources: Resources, nok: dict[str, str]
) -> None:
    orders = [await place_order(resources) for _ in range(12)]
    items = [{"order_id": str(order.id)} for order in orders]
    bodies = [
        {"action": "hold", "reason": "Flood", "items": part}
        for part in (items, items[::-1], items[3:] + items[:3])
    ]
    answers = await asyncio.gather(
        *(client.post("/api/v1/orders/bulk", json=body, headers=nok) for body in bodies)
    )
    assert [answer.status_code for answer in answers] == [200] * 3
    assert sum(answer.json()["done"] for answer in answers) == 12
