"""Matching, tours and ETAs over HTTP, as integrations and the command line use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from backend.dispatch import planner_pool
from backend.platform.resources import Resources
from tests.tracking.fleet import somebody

from .city import CENTRE, CITY, driver, open_city, order


@pytest.fixture(autouse=True)
async def city(resources: Resources) -> None:
    await open_city(resources)


@pytest.fixture
def pool() -> Iterator[None]:
    """Planning processes that end with the test."""
    yield
    planner_pool.close()


async def test_a_city_is_matched_on_demand_and_says_why(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    manager = await somebody(resources, "fleet_manager", CITY)
    who = await driver(resources, CENTRE)
    waiting = await order(resources)
    answer = await client.post("/api/v1/dispatch/run", json={"city": CITY}, headers=manager)
    assert answer.status_code == 200
    assert (answer.json()["orders"], answer.json()["offers"]) == (1, 1)
    path = f"/api/v1/orders/{waiting.number}"
    [decision] = (await client.get(f"{path}/decisions", headers=manager)).json()
    assert decision["chosen"] == str(who)
    assert decision["made_by"] != "Waypost"
    [offer] = (await client.get(f"{path}/offers", headers=manager)).json()
    assert (offer["state"], offer["driver_id"]) == ("open", str(who))
    [ranked] = (await client.get(f"{path}/drivers", headers=manager)).json()
    assert ranked["status"] == "live"
    figures = (await client.get("/api/v1/dispatch/figures", headers=manager)).json()
    assert [(c["code"], c["open_offers"]) for c in figures["cities"]] == [(CITY, 1)]


async def test_a_switch_needs_a_reason_and_a_city(
    client: httpx.AsyncClient, resources: Resources, problem_of: Any
) -> None:
    manager = await somebody(resources, "fleet_manager", CITY)
    path = f"/api/v1/dispatch/cities/{CITY}"
    bare = await client.put(path, json={"automatic": False}, headers=manager)
    assert bare.status_code == 422
    assert problem_of(bare)["errors"][0]["pointer"] == "/reason"
    off = {"automatic": False, "reason": "flooded streets"}
    assert (await client.put(path, json=off, headers=manager)).json()["automatic"] is False
    [switch] = (await client.get("/api/v1/dispatch/cities", headers=manager)).json()
    assert (switch["code"], switch["reason"]) == (CITY, "flooded streets")
    other = await client.put("/api/v1/dispatch/cities/SG-01", json=off, headers=manager)
    assert other.status_code == 404
    viewer = await somebody(resources, "viewer", CITY)
    assert (await client.put(path, json=off, headers=viewer)).status_code == 403


@pytest.mark.usefixtures("pool")
async def test_tours_are_planned_and_edited(
    client: httpx.AsyncClient, resources: Resources, problem_of: Any
) -> None:
    manager = await somebody(resources, "fleet_manager", CITY)
    who = await driver(resources, CENTRE)
    await order(resources, state="accepted", driver_id=who)
    planned = await client.post("/api/v1/routes/plan", json={"region": CITY}, headers=manager)
    assert planned.json()["changed"] == 1
    [route] = (await client.get("/api/v1/routes", headers=manager)).json()
    path = f"/api/v1/drivers/{who}/route"
    assert (await client.get(path, headers=manager)).json() == route
    stops = [{"order_id": s["order_id"], "kind": s["kind"]} for s in route["stops"]]
    reverse = {"seen_version": 1, "stops": stops[::-1]}
    refused = await client.put(path, json=reverse, headers=manager)
    assert refused.status_code == 422
    assert problem_of(refused)["errors"][0]["code"] == "before_pickup"
    pinned = {"seen_version": 1, "stops": [{**stops[0], "pinned": True}, stops[1]]}
    edited = await client.put(path, json=pinned, headers=manager)
    assert [stop["pinned"] for stop in edited.json()["stops"]] == [True, False]
    again = await client.put(path, json=pinned, headers=manager)
    assert again.status_code == 409
    assert problem_of(again)["type"] == "urn:waypost:problem:moved"
    idle = await driver(resources, CENTRE)
    assert (await client.get(f"/api/v1/drivers/{idle}/route", headers=manager)).status_code == 404


async def test_an_incident_empties_an_area(client: httpx.AsyncClient, resources: Resources) -> None:
    manager = await somebody(resources, "fleet_manager", CITY)
    who = await driver(resources, CENTRE)
    given = await order(resources, state="accepted", driver_id=who)
    body = {"region": CITY, "reason": "protest on the bridge"}
    answer = await client.post("/api/v1/dispatch/redispatch", json=body, headers=manager)
    assert answer.json() == {"region": CITY, "taken_back": [given.number]}
    assert (await client.get("/api/v1/dispatch/eta-accuracy", headers=manager)).json() == []
