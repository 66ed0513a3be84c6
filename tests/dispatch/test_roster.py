"""The roster: capacity and load, shifts and documents, and how a driver did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from backend.dispatch.consumers import ROSTER, ROSTER_GROUP
from backend.dispatch.rules import Action
from backend.platform import clock, outbox
from backend.platform.consumers import Consumer
from backend.platform.resources import Resources
from tests.dispatch.orders import advance, place_order
from tests.tracking.fleet import Phone, hire, somebody

Problem = Callable[[httpx.Response], dict[str, Any]]
TAKEN = (Action.ASSIGN, Action.ACCEPT, Action.REACH_PICKUP, Action.PICK_UP)


@pytest.fixture
async def phone(resources: Resources) -> Phone:
    return await hire(resources)


@pytest.fixture
async def manager(resources: Resources) -> dict[str, str]:
    return await somebody(resources, "fleet_manager", "TH-10")


def ahead(**delta: float) -> str:
    return (clock.now() + timedelta(**delta)).isoformat()


async def row_of(client: httpx.AsyncClient, phone: Phone, headers: dict[str, str]) -> Any:
    return (await client.get(f"/api/v1/roster/{phone.id}", headers=headers)).json()


async def test_a_driver_has_the_usual_capacity_until_it_is_set(
    client: httpx.AsyncClient, phone: Phone, manager: dict[str, str]
) -> None:
    path = f"/api/v1/drivers/{phone.id}/capacity"
    usual = (await client.get(path, headers=manager)).json()
    assert (usual["most_orders"], usual["usual"]) == (6, True)
    wanted = {
        "most_orders": 2, "most_weight_g": 5_000, "most_volume_cm3": 9_000, "skills": ["cold"],
    }  # fmt: skip
    for _ in range(2):
        assert (await client.put(path, json=wanted, headers=manager)).json() == {
            **wanted,
            "usual": False,
        }
    assert (await row_of(client, phone, manager))["capacity"]["skills"] == ["cold"]


async def test_load_counts_what_is_with_the_driver(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, manager: dict[str, str]
) -> None:
    first, second, third = [await place_order(resources) for _ in range(3)]
    await advance(resources, first.id, Action.ASSIGN, driver=phone.id)
    await advance(resources, second.id, *TAKEN, Action.HOLD, driver=phone.id)
    await advance(resources, third.id, Action.ASSIGN, Action.HOLD, driver=phone.id)
    load = (await row_of(client, phone, manager))["load"]
    assert load == {"orders": 2, "weight_g": 1800, "volume_cm3": 4000}


async def test_shifts_that_overlap_are_refused(
    client: httpx.AsyncClient, phone: Phone, manager: dict[str, str], problem_of: Problem
) -> None:
    path = f"/api/v1/drivers/{phone.id}/shifts"
    plan = {"starts_at": ahead(hours=1), "ends_at": ahead(hours=9)}
    made = await client.post(path, json=plan, headers=manager)
    assert made.status_code == 201
    other = {"starts_at": ahead(hours=8), "ends_at": ahead(hours=12)}
    refused = await client.post(path, json=other, headers=manager)
    assert (refused.status_code, problem_of(refused)["errors"][0]["code"]) == (409, "overlaps")
    shift = f"{path}/{made.json()['id']}"
    assert (await client.delete(shift, headers=manager)).json()["cancelled_at"] is not None
    assert (await client.post(path, json=other, headers=manager)).status_code == 201
    assert len((await client.get(path, headers=manager)).json()) == 2


@pytest.mark.parametrize(
    ("plan", "pointer", "code"),
    [
        ({"starts_at": ahead(hours=2), "ends_at": ahead(hours=1)}, "/ends_at", "reversed"),
        ({"starts_at": ahead(hours=-9), "ends_at": ahead(hours=-1)}, "/ends_at", "in_past"),
        ({"starts_at": ahead(hours=1), "ends_at": ahead(hours=30)}, "/ends_at", "too_long"),
        ({"starts_at": ahead(days=90), "ends_at": ahead(days=90, hours=1)}, "/starts_at",
         "too_far_ahead"),
        ({"starts_at": "2026-11-25T09:00", "ends_at": ahead(hours=1)}, "/starts_at",
         "timezone_aware"),
    ],
)  # fmt: skip
async def test_a_wrong_shift_is_refused_by_its_field(
    client: httpx.AsyncClient,
    phone: Phone,
    manager: dict[str, str],
    problem_of: Problem,
    plan: dict[str, str],
    pointer: str,
    code: str,
) -> None:
    answer = await client.post(f"/api/v1/drivers/{phone.id}/shifts", json=plan, headers=manager)
    assert answer.status_code == 422
    error = problem_of(answer)["errors"][0]
    assert (error["pointer"], error["code"]) == (pointer, code)


async def shift_by_phone(
    resources: Resources, client: httpx.AsyncClient, phone: Phone, *states: str
) -> None:
    for state in states:
        await client.post("/api/driver/v1/shift", json={"state": state}, headers=phone.headers)
    consumer = Consumer(resources, ROSTER_GROUP, ROSTER)
    await consumer.prepare()
    while await outbox.relay_once(resources.database, resources.events):
        pass
    while await consumer.turn(wait_ms=1):
        pass


async def test_the_phone_begins_and_ends_the_planned_shift(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, manager: dict[str, str]
) -> None:
    path = f"/api/v1/drivers/{phone.id}/shifts"
    plan = {"starts_at": ahead(hours=1), "ends_at": ahead(hours=9)}
    made = (await client.post(path, json=plan, headers=manager)).json()
    await shift_by_phone(resources, client, phone, "off", "on")
    [running] = (await client.get(path, headers=manager)).json()
    assert (running["id"], running["ended_at"]) == (made["id"], None)
    assert running["begun_at"] is not None
    assert (await client.delete(f"{path}/{made['id']}", headers=manager)).status_code == 409
    await shift_by_phone(resources, client, phone, "off")
    [ended] = (await client.get(path, headers=manager)).json()
    assert ended["ended_at"] >= running["begun_at"]
    await shift_by_phone(resources, client, phone, "on")
    unplanned = (await client.get(path, headers=manager)).json()
    assert len(unplanned) == 2


async def test_documents_are_masked_and_run_out(
    client: httpx.AsyncClient, phone: Phone, manager: dict[str, str]
) -> None:
    path = f"/api/v1/drivers/{phone.id}/documents"
    today = datetime.now(UTC)
    for kind, days in (("licence", 400), ("insurance", 10), ("permit", -2)):
        until = (today + timedelta(days=days)).date().isoformat()
        body = {"kind": kind, "number": "TH-4455667", "expires_on": until}
        assert (await client.put(path, json=body, headers=manager)).status_code == 200
    found = {row["kind"]: row for row in (await client.get(path, headers=manager)).json()}
    assert {kind: row["state"] for kind, row in found.items()} == {
        "licence": "valid", "insurance": "expiring", "permit": "expired",
    }  # fmt: skip
    assert found["permit"]["number"] == "TH•••67"
    until = (today + timedelta(days=90)).date().isoformat()
    await client.put(
        path, json={"kind": "permit", "number": "P2", "expires_on": until}, headers=manager
    )
    shown = (await row_of(client, phone, manager))["documents"]
    assert [row["state"] for row in shown if row["kind"] == "permit"] == ["valid"]


async def test_performance_counts_what_the_history_says(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, manager: dict[str, str]
) -> None:
    way = (*TAKEN, Action.DEPART, Action.ARRIVE)
    for _ in range(2):
        made = await place_order(resources)
        await advance(resources, made.id, *way, Action.DELIVER, driver=phone.id)
    made = await place_order(resources)
    back = (Action.FAIL, Action.SEND_BACK, Action.GIVE_BACK)
    await advance(resources, made.id, *way, *back, driver=phone.id)
    path = f"/api/v1/drivers/{phone.id}/performance"
    figures = (await client.get(path, headers=manager)).json()
    counted = {name: figures[name] for name in ("delivered", "failed", "returned", "on_time")}
    assert counted == {"delivered": 2, "failed": 1, "returned": 1, "on_time": 2}
    assert figures["on_time_share"] == 1.0
    assert 0 <= figures["minutes_per_stop"] < 1
    assert [day["delivered"] for day in figures["by_day"]] == [2]
    nobody = await hire(resources)
    idle = (await client.get(path.replace(str(phone.id), str(nobody.id)), headers=manager)).json()
    assert (idle["on_time_share"], idle["minutes_per_stop"], idle["by_day"]) == (None, None, [])
    assert (await client.get(path, params={"days": 91}, headers=manager)).status_code == 422


@pytest.mark.parametrize("part", ["capacity", "shifts", "documents", "performance"])
async def test_a_driver_of_another_region_is_not_there(
    client: httpx.AsyncClient, resources: Resources, phone: Phone, part: str
) -> None:
    stranger = await somebody(resources, "fleet_manager", "IN")
    answer = await client.get(f"/api/v1/drivers/{phone.id}/{part}", headers=stranger)
    assert answer.status_code == 404


async def test_who_only_sees_a_driver_may_not_change_them(
    client: httpx.AsyncClient, resources: Resources, phone: Phone
) -> None:
    viewer = await somebody(resources, "viewer", "TH-10")
    body = {"most_orders": 1, "most_weight_g": 1, "most_volume_cm3": 1}
    answer = await client.put(f"/api/v1/drivers/{phone.id}/capacity", json=body, headers=viewer)
    assert answer.status_code == 403
    assert (await client.get("/api/v1/roster", headers=viewer)).json()["items"][0]["driver"][
        "id"
    ] == str(phone.id)
