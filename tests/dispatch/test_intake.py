"""Orders in over HTTP: one by one and in batches, each made once, each fault named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.dispatch import service
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.resources import Resources
from backend.regions.sample import sample
from tests.dispatch.orders import marketplace, order_body, order_in, place_order, seeded
from tests.tracking.fleet import somebody

Problem = Callable[[httpx.Response], dict[str, Any]]


def ahead(**delta: float) -> str:
    return (clock.now() + timedelta(**delta)).isoformat()


async def post(
    client: httpx.AsyncClient, body: Any, headers: dict[str, str], path: str = ""
) -> httpx.Response:
    return await client.post(f"/api/v1/orders{path}", json=body, headers=headers)


@pytest.fixture
async def market(resources: Resources) -> dict[str, str]:
    await seeded(resources)
    _, headers = await marketplace(resources)
    return headers


async def test_an_order_sent_twice_is_made_once(
    client: httpx.AsyncClient, market: dict[str, str]
) -> None:
    body = order_body()
    first, second = [await post(client, body, market) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    made, again = first.json(), second.json()
    assert (made.pop("duplicate"), again.pop("duplicate")) == (False, True)
    assert made == again
    assert (made["state"], made["drop"]["phone"]) == ("ready", "+66812345678")
    assert made["tracking_url"].startswith("http")


async def test_another_order_under_a_reference_is_refused_naming_what_differs(
    client: httpx.AsyncClient, market: dict[str, str], problem_of: Problem
) -> None:
    body = order_body()
    number = (await post(client, body, market)).json()["number"]
    drop = {**body["drop"], "address": "Somewhere else 1"}
    answer = await post(client, {**body, "drop": drop, "tags": ["fragile"]}, market)
    assert answer.status_code == 409
    told = problem_of(answer)
    assert number in told["detail"]
    assert [error["pointer"] for error in told["errors"]] == ["/drop", "/tags"]


async def test_a_repeat_is_known_after_its_windows_have_closed(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seeded(resources)
    order = order_in()
    made = await place_order(resources, **order.model_dump(mode="json"))
    later = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    async with resources.database.unit_of_work() as session:
        again = await service.create_order(session, SYSTEM, order)
    assert (again.id, again.duplicate) == (made.id, True)


async def test_two_marketplaces_may_use_one_reference(
    client: httpx.AsyncClient, resources: Resources, market: dict[str, str]
) -> None:
    _, other = await marketplace(resources, "other")
    body = order_body()
    first, second = await post(client, body, market), await post(client, body, other)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
    hidden = await client.get(f"/api/v1/orders/{first.json()['number']}", headers=other)
    assert hidden.status_code == 404
    seen = await client.get("/api/v1/orders", headers=other)
    assert [order["id"] for order in seen.json()["items"]] == [second.json()["id"]]


async def test_the_same_order_on_many_connections_at_once_is_one(
    client: httpx.AsyncClient, market: dict[str, str]
) -> None:
    body = order_body()
    answers = await asyncio.gather(*(post(client, body, market) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_an_idempotency_key_replays_the_first_answer(
    client: httpx.AsyncClient, market: dict[str, str]
) -> None:
    body, headers = order_body(), {**market, "Idempotency-Key": "k1"}
    first, second = [await post(client, body, headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert (await post(client, order_body(), headers)).status_code == 422


PICKUP = order_body()["pickup"]
DROP = order_body()["drop"]
PAID = {"minor": 12_500, "currency": "THB"}
PARCEL = {"barcode": "A1", "weight_g": 900}


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"region": "XX-99"}, "/region", "unknown"),
        ({"region": "TH"}, "/region", "unknown"),
        ({"region": "TH-10.siam"}, "/region", "unknown"),
        ({"reference": " "}, "/reference", "string_too_short"),
        ({"reference": "a\0b"}, "/reference", "string_pattern_mismatch"),
        ({"service": "rocket"}, "/service", "literal_error"),
        ({"pickup": {**PICKUP, "phone": "0812345678"}}, "/pickup/phone", "string_pattern_mismatch"),
        ({"pickup": {**PICKUP, "lat": 12.9716, "lon": 77.5946}}, "/pickup/lat", "outside_region"),
        ({"drop": {**DROP, "lat": 91}}, "/drop/lat", "less_than_equal"),
        ({"drop": {**DROP, "lat": 0, "lon": 0}}, "/drop/lat", "outside_region"),
        ({"drop": {**DROP, "name": "x\0"}}, "/drop/name", "string_pattern_mismatch"),
        (
            {"pickup": {**PICKUP, "window": [ahead(hours=2), ahead(hours=1)]}},
            "/pickup/window",
            "reversed",
        ),
        (
            {"drop": {**DROP, "window": [ahead(hours=-2), ahead(hours=-1)]}},
            "/drop/window/1",
            "in_past",
        ),
        (
            {"drop": {**DROP, "window": [ahead(days=80), ahead(days=90)]}},
            "/drop/window/1",
            "too_far_ahead",
        ),
        (
            {"pickup": {**PICKUP, "window": [ahead(hours=5), ahead(hours=6)]}},
            "/promised_at",
            "before_pickup",
        ),
        ({"promised_at": ahead(minutes=-1)}, "/promised_at", "in_past"),
        ({"promised_at": "9999-12-31T23:59:59Z"}, "/promised_at", "too_far_ahead"),
        ({"promised_at": "2026-11-25T10:00:00"}, "/promised_at", "timezone_aware"),
        ({"parcels": []}, "/parcels", "too_short"),
        ({"parcels": [PARCEL, PARCEL]}, "/parcels/1/barcode", "repeated"),
        ({"parcels": [{**PARCEL, "weight_g": 0}]}, "/parcels/0/weight_g", "greater_than"),
        (
            {"parcels": [{"barcode": f"A{i}", "weight_g": 900_000} for i in range(6)]},
            "/parcels",
            "too_heavy",
        ),
        (
            {"vehicle": "bike", "parcels": [{**PARCEL, "weight_g": 40_000}]},
            "/parcels",
            "too_heavy",
        ),
        (
            {"payment": {"terms": "prepaid", "amount": {"minor": 1, "currency": "INR"}}},
            "/payment/amount/currency",
            "wrong_currency",
        ),
        (
            {"payment": {"terms": "cod", "amount": {**PAID, "minor": 0}}},
            "/payment/amount/minor",
            "zero",
        ),
        (
            {"payment": {"terms": "cod", "amount": {**PAID, "minor": 1.5}}},
            "/payment/amount/minor",
            "int_type",
        ),
        ({"payment": {"terms": "wallet", "amount": PAID}}, "/payment/wallet_id", "missing"),
        ({"tags": ["Not A Tag"]}, "/tags/0", "string_pattern_mismatch"),
        ({"colour": "red"}, "/colour", "extra_forbidden"),
    ],
)
async def test_a_wrong_field_is_refused_by_its_name(
    client: httpx.AsyncClient,
    market: dict[str, str],
    problem_of: Problem,
    changes: dict[str, Any],
    pointer: str,
    code: str,
) -> None:
    answer = await post(client, order_body(**changes), market)
    assert answer.status_code == 422
    told = problem_of(answer)["errors"]
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in told], told


async def test_a_region_of_others_is_refused(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await seeded(resources)
    _, headers = await marketplace(resources, "india", "IN")
    answer = await post(client, order_body(), headers)
    assert answer.status_code == 403
    viewer = await somebody(resources, "viewer", "TH-10")
    assert (await post(client, order_body(), viewer)).status_code == 403


async def test_a_batch_answers_for_each_item(
    client: httpx.AsyncClient, market: dict[str, str]
) -> None:
    known = order_body()
    await post(client, known, market)
    good, twice = order_body(), order_body()
    batch = [
        good,
        known,
        order_body(region="XX-99"),
        {"reference": "half"},
        twice,
        {**twice},
        {**known, "tags": ["other"]},
    ]
    answer = await post(client, batch, market, "/batch")
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(7))
    told = [(result["status"], result["code"], result["pointer"]) for result in results]
    assert told[:3] == [
        ("accepted", None, None),
        ("duplicate", None, None),
        ("rejected", "unknown", "/region"),
    ]
    assert results[3]["status"] == "rejected"
    assert "/drop" in [error["pointer"] for error in results[3]["errors"]]
    assert told[4:] == [
        ("accepted", None, None),
        ("rejected", "repeated", "/reference"),
        ("rejected", "repeated", "/reference"),
    ]
    listed = await client.get("/api/v1/orders", headers=market)
    assert {order["number"] for order in listed.json()["items"]} == {
        result["number"] for result in results if result["number"]
    }


async def test_a_batch_is_bounded_and_may_be_named(
    client: httpx.AsyncClient, market: dict[str, str]
) -> None:
    assert (await post(client, [order_body()] * 501, market, "/batch")).status_code == 422
    assert (await post(client, [], market, "/batch")).status_code == 422
    named = await post(client, {"orders": [order_body()]}, market, "/batch")
    assert [result["status"] for result in named.json()["results"]] == ["accepted"]


async def test_batches_of_the_same_orders_at_once_make_each_once(
    client: httpx.AsyncClient, market: dict[str, str]
) -> None:
    bodies = [order_body() for _ in range(60)]
    batches = (bodies, bodies[::-1], bodies[20:] + bodies[:20])
    answers = await asyncio.gather(*(post(client, b, market, "/batch") for b in batches))
    results = [result for answer in answers for result in answer.json()["results"]]
    assert [result["status"] for result in results].count("accepted") == 60
    assert [result["status"] for result in results].count("duplicate") == 120
    assert len({result["number"] for result in results}) == 60


async def test_a_batch_of_500_takes_few_statements(resources: Resources) -> None:
    from sqlalchemy import event

    await seeded(resources)
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    engine = resources.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        async with resources.database.unit_of_work() as session:
            batch = [order_body() for _ in range(500)]
            made = await service.create_orders(session, SYSTEM, batch)
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert {result.status for result in made.results} == {"accepted"}
    assert statements < 20
    async with resources.database.unit_of_work() as session:
        first = await service.get_order(session, SYSTEM, made.results[0].number or "")
        steps = await service.order_history(session, SYSTEM, first.id)
    assert [step.type for step in steps] == ["order.created", "order.ready"]
    assert first.version == 2


async def test_what_is_promised_follows_service_and_window(
    client: httpx.AsyncClient, market: dict[str, str]
) -> None:
    express = await post(client, order_body(service="express", promised_at=None), market)
    due = express.json()
    assert due["promised_at"][:16] == (clock.now() + timedelta(hours=2)).isoformat()[:16]
    closes = clock.now() + timedelta(hours=30)
    drop = {**DROP, "window": [ahead(hours=28), closes.isoformat()]}
    windowed = await post(client, order_body(drop=drop, promised_at=None), market)
    assert windowed.json()["promised_at"][:19] == closes.isoformat()[:19]


async def test_an_order_has_the_hub_nearest_to_its_drop(
    client: httpx.AsyncClient, market: dict[str, str]
) -> None:
    hubs = next(city for city in sample()["cities"] if city["code"] == "TH-10")["hubs"]
    for hub in hubs:
        drop = {**DROP, "lat": hub["lat"], "lon": hub["lon"]}
        made = await post(client, order_body(drop=drop), market)
        assert made.json()["hub"] == hub["code"]
