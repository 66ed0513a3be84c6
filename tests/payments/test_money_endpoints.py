"""Ledger, wallets and cash over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from tests.tracking.fleet import somebody

from .books import fund, purse
from .world import World

THB = {"minor": 50_000, "currency": "THB"}


@pytest.fixture
def world(resources: Resources) -> World:
    return World(resources)


@pytest.fixture
async def agent(resources: Resources) -> dict[str, str]:
    return await somebody(resources, "support_agent", "TH")


async def test_the_ledger_is_read_by_the_auditor_alone(
    resources: Resources, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    first = await fund(resources.database, purse(), 70_000)
    auditor = await somebody(resources, "auditor")
    assert (await client.get("/api/v1/ledger/accounts", headers=agent)).status_code == 403
    page = (await client.get("/api/v1/ledger/accounts", headers=auditor)).json()
    wallet = next(item for item in page["items"] if item["kind"] == "wallet")
    assert (wallet["balance"], wallet["available"], wallet["floored"]) == (70_000, 70_000, True)
    one = f"/api/v1/ledger/accounts/{wallet['id']}"
    entries = (await client.get(f"{one}/entries", headers=auditor)).json()
    assert [entry["balance"] for entry in entries["items"]] == [70_000]
    before = {"at": (clock.now() - timedelta(hours=1)).isoformat()}
    past = await client.get(f"{one}/balance", params=before, headers=auditor)
    assert past.json()["balance"] == 0
    checked = (await client.get("/api/v1/ledger/check", headers=auditor)).json()
    assert (checked["faults"], checked["entries"]) == ([], 2)
    transfer = (await client.get(f"/api/v1/ledger/transfers/{first}", headers=auditor)).json()
    assert (transfer["state"], transfer["amount"]) == (
        "posted", {"minor": 70_000, "currency": "THB"},
    )  # fmt: skip
    assert transfer["credit"]["id"] == wallet["id"]
    lines = (await client.get(f"{one}/entries.csv", headers=auditor)).text
    assert "700.00" in lines
    wanted = {"id": str(uuid7()), "reason": "typed twice"}
    correct = f"/api/v1/ledger/transfers/{first}/correct"
    assert (await client.post(correct, json=wanted, headers=auditor)).status_code == 403
    admin = await somebody(resources, "admin")
    done = await client.post(correct, json=wanted, headers=admin)
    assert (done.status_code, done.json()["corrects"]) == (201, str(first))


async def test_wallets_over_http(
    world: World, client: httpx.AsyncClient, agent: dict[str, str], resources: Resources
) -> None:
    wallet = await world.wallet(25_000)
    lead = await somebody(resources, "support_lead", "TH")
    one = f"/api/v1/wallets/{wallet}"
    found = (await client.get(one, headers=agent)).json()
    assert (found["available"], found["name"]) == ({"minor": 25_000, "currency": "THB"}, "Ann")
    listed = (await client.get("/api/v1/wallets", params={"q": "ann"}, headers=agent)).json()
    assert [item["id"] for item in listed["items"]] == [str(wallet)]
    body = {"amount": {"minor": 5_000, "currency": "THB"}, "method": "sandbox:ok"}
    assert (await client.post(f"{one}/top-up", json=body, headers=agent)).status_code == 403
    assert (await client.post(f"{one}/top-up", json=body, headers=lead)).status_code == 202
    await world.settle()
    assert await world.balance(wallet) == (30_000, 0)
    entries = (await client.get(f"{one}/entries", headers=agent)).json()
    assert [entry["balance"] for entry in entries["items"]] == [30_000, 25_000]
    month = {"month": f"{clock.now():%Y-%m}"}
    told = (await client.get(f"{one}/statement", params=month, headers=agent)).json()
    assert told["currency"] == "THB"
    pdf = await client.get(f"{one}/statement.pdf", params=month, headers=agent)
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    text = await client.get(f"{one}/statement.csv", params=month, headers=agent)
    assert "Opening balance" in text.text
    wrong = await client.get(f"{one}/statement", params={"month": "2026-13"}, headers=agent)
    assert wrong.status_code == 422
    opened = await client.post(
        "/api/v1/wallets", json={"holder": "c:1", "name": "Bo", "region": "TH-10"}, headers=lead
    )
    assert (opened.status_code, opened.json()["balance"]["minor"]) == (201, 0)
    assert UUID(opened.json()["id"])


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "hub"},
        {"kind": "bank", "hub": "TH-10.siam"},
        {"kind": "merchant", "merchant": "x"},
        {"kind": "gift"},
        {"kind": "bank", "hub": "TH-10.siam", "reference": "x",
         "received": {"minor": -5, "currency": "THB"}},
    ],
)  # fmt: skip
async def test_a_hand_over_needs_what_its_kind_needs(
    resources: Resources, client: httpx.AsyncClient, body: Any
) -> None:
    manager = await somebody(resources, "fleet_manager", "TH-10")
    answer = await client.post("/api/v1/cod/remittances", json=body, headers=manager)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]


async def test_cash_over_http(
    world: World, client: httpx.AsyncClient, resources: Resources
) -> None:
    await world.wallet()
    driver = uuid7()
    order = await world.order(terms="cod")
    await world.deliver(order, driver=driver, collected=50_000)
    manager = await somebody(resources, "fleet_manager", "TH-10")
    board = (await client.get("/api/v1/cod/board", headers=manager)).json()
    [row] = board["drivers"]
    listed = await client.get(
        "/api/v1/cod/orders", params={"driver_id": str(driver)}, headers=manager
    )
    assert listed.json()["items"][0]["state"] == "with_driver"
    body = {
        "kind": "hub", "driver_id": str(driver), "shift": row["shift"], "hub": "TH-10.siam",
        "received": THB,
    }  # fmt: skip
    headers = {**manager, "Idempotency-Key": "k"}
    first, again = [
        await client.post("/api/v1/cod/remittances", json=body, headers=headers) for _ in range(2)
    ]
    assert first.status_code == 201, first.text
    assert first.json() == again.json()
    assert first.json()["difference"] == 0
    page = (await client.get("/api/v1/cod/remittances", headers=manager)).json()
    assert [item["id"] for item in page["items"]] == [first.json()["id"]]
    text = (await client.get("/api/v1/cod/orders.csv", headers=manager)).text
    assert "at_hub" in text
