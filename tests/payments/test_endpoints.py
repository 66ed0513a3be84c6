"""Payments over HTTP: shapes that outsiders read, refusals that name the field."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.identity.schemas import SYSTEM, AuditFilter
from backend.identity.service import issue_api_token, list_audit
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from tests.tracking.fleet import somebody

from .world import MERCHANT, World, number_of

THB = {"minor": 50_000, "currency": "THB"}


@pytest.fixture
def world(resources: Resources) -> World:
    return World(resources)


@pytest.fixture
async def agent(resources: Resources) -> dict[str, str]:
    return await somebody(resources, "support_agent", "TH")


async def test_a_payment_has_the_shape_that_outsiders_read(
    world: World, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    order = await world.order()
    await world.settle()
    page = (await client.get("/api/v1/payments", headers=agent)).json()
    [found] = page["items"]
    assert page["next_cursor"] is None
    assert found["order"] == number_of(order)
    assert (found["amount"], found["captured"], found["refunded"]) == (
        THB, {**THB, "minor": 0}, {**THB, "minor": 0},
    )  # fmt: skip
    assert (found["state"], found["gateway"]) == ("authorised", "sandbox")
    assert [attempt["action"] for attempt in found["attempts"]] == ["authorise"]
    one = (await client.get(f"/api/v1/payments/{found['id']}", headers=agent)).json()
    titles = [item["title"] for item in one["timeline"]]
    assert titles[0] == "Payment opened"
    assert {"Authorisation asked", "Put aside on the ledger"} <= set(titles)
    assert (one["may_capture"], one["may_retry"]) == (True, False)
    shown = (await client.get(f"/api/v1/payments/orders/{number_of(order)}", headers=agent)).json()
    assert shown["payments"][0]["id"] == found["id"]


async def test_payments_are_filtered_and_paged(
    world: World, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    good = [await world.order() for _ in range(3)]
    bad = await world.order(method="sandbox:decline=card_declined")
    await world.settle()

    async def orders(**query: Any) -> list[str]:
        answer = await client.get("/api/v1/payments", params=query, headers=agent)
        assert answer.status_code == 200, answer.text
        return [item["order"] for item in answer.json()["items"]]

    assert await orders(states="failed") == [number_of(bad)]
    assert await orders(failure_code="card_declined") == [number_of(bad)]
    assert await orders(q=number_of(bad)[-6:].lower()) == [number_of(bad)]
    assert await orders(region="TH-10", states=["authorised"]) == [
        number_of(order) for order in reversed(good)
    ]
    assert await orders(region="IN") == await orders(currency="VND") == []
    assert await orders(since=(clock.now() + timedelta(hours=1)).isoformat()) == []
    assert await orders(late="true") == []
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = (await client.get("/api/v1/payments", params=query, headers=agent)).json()
        seen += [item["order"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert sorted(seen) == sorted(number_of(order) for order in (*good, bad))
    for wrong in ({"cursor": "%%"}, {"cursor": "AAAA"}):
        answer = await client.get("/api/v1/payments", params=wrong, headers=agent)
        assert answer.status_code == 400, wrong
    for wrong in ({"states": "asleep"}, {"limit": 201}, {"q": "\0"}, {"since": "yesterday"}):
        answer = await client.get("/api/v1/payments", params=wrong, headers=agent)
        assert answer.status_code == 422, wrong


async def test_payments_of_other_regions_are_not_there(
    world: World, client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await world.order()
    found = await world.payment(order)
    foreign = await somebody(resources, "support_agent", "IN")
    assert (await client.get("/api/v1/payments", headers=foreign)).json()["items"] == []
    one = f"/api/v1/payments/{found.id}"
    assert (await client.get(one, headers=foreign)).status_code == 404
    assert (await client.post(f"{one}/retry", json={}, headers=foreign)).status_code == 404
    shown = await client.get(f"/api/v1/payments/orders/{number_of(order)}", headers=foreign)
    assert shown.json()["payments"] == []
    reader = await somebody(resources, "fleet_manager", "TH-10")
    assert (await client.get(one, headers=reader)).status_code == 200
    assert (await client.post(f"{one}/retry", json={}, headers=reader)).status_code == 403


async def test_an_order_is_paid_by_a_method_of_the_app_once(
    world: World, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    order = await world.order(method=None)
    body = {"order": number_of(order), "amount": THB, "method": "sandbox:ok"}
    headers = {**agent, "Idempotency-Key": "pay-1"}
    first, again = [
        await client.post("/api/v1/payments", json=body, headers=headers) for _ in range(2)
    ]
    assert (first.status_code, first.json()) == (201, again.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = {**body, "method": "sandbox:late=1"}
    assert (await client.post("/api/v1/payments", json=other, headers=headers)).status_code == 422
    await world.settle()
    assert await world.state(order) == "authorised"
    refused = await client.post("/api/v1/payments", json=body, headers=agent)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:waypost:problem:wrong_state")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"amount": {"minor": 50_000, "currency": "INR"}}, "/amount/currency"),
        ({"amount": {"minor": 50_000, "currency": "XXX"}}, "/amount/currency"),
        ({"amount": {"minor": -1, "currency": "THB"}}, "/amount/minor"),
        ({"amount": {"minor": 0, "currency": "THB"}}, "/amount/minor"),
        ({"amount": {"minor": 500.5, "currency": "THB"}}, "/amount/minor"),
        ({"amount": {"minor": "50000", "currency": "THB"}}, "/amount/minor"),
        ({"amount": {"minor": 10**16, "currency": "THB"}}, "/amount/minor"),
        ({"amount": {"minor": 49_999, "currency": "THB"}}, "/amount/minor"),
        ({"order": "WP-0000000000"}, "/order"),
        ({"method": ""}, "/method"),
        ({"method": "a\0b"}, "/method"),
        ({"gateway": "paypal"}, "/gateway"),
        ({"tip": 5}, "/tip"),
    ],
)
async def test_bad_input_is_refused_by_field_and_nothing_is_half_applied(
    world: World, client: httpx.AsyncClient, agent: dict[str, str], change: Any, pointer: str
) -> None:
    order = await world.order(method=None)
    body = {"order": number_of(order), "amount": THB, "method": "sandbox:ok", **change}
    answer = await client.post("/api/v1/payments", json=body, headers=agent)
    assert answer.status_code == 422, answer.text
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]
    assert await world.state(order) == "requires_method"
    assert await world.attempts(order) == []


async def test_an_order_of_another_region_is_unknown(
    world: World, client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await world.order(method=None)
    foreign = await somebody(resources, "support_agent", "IN")
    body = {"order": number_of(order), "amount": THB, "method": "sandbox:ok"}
    answer = await client.post("/api/v1/payments", json=body, headers=foreign)
    assert answer.json()["errors"][0]["pointer"] == "/order"


async def test_an_integration_works_by_named_permissions(
    world: World, client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await world.order()
    permissions = frozenset({"payments:read"})
    seen = []
    for name in (MERCHANT.removeprefix("service:"), "rival"):
        async with resources.database.unit_of_work() as session:
            issued = await issue_api_token(
                session, SYSTEM, name, permissions=permissions, regions=("TH",)
            )
        headers = {"Authorization": f"Bearer {issued.secret}"}
        found = await client.get("/api/v1/payments", headers=headers)
        seen.append([item["order"] for item in found.json()["items"]])
    assert seen == [[number_of(order)], []]
    assert (await client.get("/api/v1/refunds", headers=headers)).status_code == 403


async def test_many_are_tried_again_with_a_result_for_each(
    world: World, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    failed = [await world.order(method="sandbox:decline=card_declined") for _ in range(2)]
    fine = await world.order()
    await world.settle()
    ids = [str((await world.payment(order)).id) for order in (*failed, fine)]
    groups = (await client.get("/api/v1/payments/failures", headers=agent)).json()
    assert [(g["gateway"], g["code"], g["count"]) for g in groups] == [
        ("sandbox", "card_declined", 2)
    ]
    assert groups[0]["amounts"] == [{"minor": 100_000, "currency": "THB"}]
    asked = {"payment_ids": [*ids, str(uuid7()), ids[0]]}
    answer = await client.post("/api/v1/payments/retry", json=asked, headers=agent)
    results = answer.json()["results"]
    assert [r["index"] for r in results] == [0, 1, 2, 3, 4]
    assert [(r["status"], r["code"]) for r in results] == [
        ("accepted", None), ("accepted", None), ("rejected", "wrong_state"),
        ("rejected", "not_found"), ("duplicate", None),
    ]  # fmt: skip
    assert (await world.payment(failed[0])).state == "processing"


async def test_capture_and_cancel_are_asked_over_http(
    world: World, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    taken, given_up = await world.order(), await world.order()
    await world.settle()
    first, second = [(await world.payment(order)).id for order in (taken, given_up)]
    for amount, pointer in (
        ({"minor": 50_001, "currency": "THB"}, "/amount/minor"),
        ({"minor": 0, "currency": "THB"}, "/amount/minor"),
        ({"minor": 1, "currency": "VND"}, "/amount/currency"),
    ):
        refused = await client.post(
            f"/api/v1/payments/{first}/capture", json={"amount": amount}, headers=agent
        )
        assert refused.json()["errors"][0]["pointer"] == pointer
    part = {"amount": {"minor": 20_000, "currency": "THB"}}
    answer = await client.post(f"/api/v1/payments/{first}/capture", json=part, headers=agent)
    assert answer.status_code == 202
    answer = await client.post(
        f"/api/v1/payments/{second}/cancel", json={"reason": "asked by phone"}, headers=agent
    )
    assert answer.status_code == 202
    await world.settle()
    assert (await world.payment(taken)).captured.minor == 20_000
    assert await world.state(given_up) == "cancelled"
    totals = (
        await client.get(
            "/api/v1/payments/totals",
            params={"since": (clock.now() - timedelta(hours=1)).isoformat()},
            headers=agent,
        )
    ).json()
    assert totals["counts"] == {"captured": 1, "cancelled": 1}
    assert (totals["captured"], totals["success"]) == ([{"minor": 20_000, "currency": "THB"}], 1.0)


async def test_refunds_go_over_http_with_an_idempotency_key(
    world: World, client: httpx.AsyncClient, agent: dict[str, str], resources: Resources
) -> None:
    order = await world.order()
    await world.settle()
    await world.deliver(order)
    await world.settle()
    found = await world.payment(order)
    body = {"payment_id": str(found.id), "amount": {"minor": 10_000, "currency": "THB"},
            "reason": "arrived broken"}  # fmt: skip
    headers = {**agent, "Idempotency-Key": "r-1"}
    first, again = [
        await client.post("/api/v1/refunds", json=body, headers=headers) for _ in range(2)
    ]
    assert first.json() == again.json()
    await world.settle()
    assert (await world.payment(order)).refunded.minor == 10_000
    limit = await client.get(
        "/api/v1/refunds/limit", params={"region": "TH-10", "currency": "THB"}, headers=agent
    )
    assert limit.json()["limit"]["minor"] == 100_000
    lead = await somebody(resources, "support_lead", "TH")
    asked = {**body, "amount": {"minor": 40_000, "currency": "THB"}}
    one = (await client.post("/api/v1/refunds", json=asked, headers=agent)).json()
    refused = await client.post(
        f"/api/v1/refunds/{one['id']}/approve", json={"note": "looks right"}, headers=lead
    )
    assert refused.status_code == 409
    rows = list(
        csv.DictReader(io.StringIO((await client.get("/api/v1/refunds.csv", headers=agent)).text))
    )
    assert sorted(row["amount"] for row in rows) == ["100.00", "400.00"]


async def test_exports_hold_major_units_and_no_formulas(
    world: World, client: httpx.AsyncClient, agent: dict[str, str], resources: Resources
) -> None:
    await world.order(12_345)
    answer = await client.get("/api/v1/payments.csv", headers=agent)
    assert answer.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["amount"], row["currency"], row["captured"]) == ("123.45", "THB", "0.00")
    from backend.payments.exports import table

    text = table(("a", "b", "c"), [("=1+1", "-12.50", "@x")])
    assert text.splitlines()[1] == "'=1+1,-12.50,'@x"
    async with resources.database.unit_of_work() as session:
        trail = await list_audit(session, SYSTEM, AuditFilter())
    assert "payments.exported" in {row.action for row in trail}
