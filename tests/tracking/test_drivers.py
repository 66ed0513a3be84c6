"""The roster: who may see and change a driver, and what a phone's token opens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.identity.schemas import SYSTEM, AuditFilter
from backend.identity.service import list_audit
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.tracking import livestore
from backend.tracking.livestate import DRIVERS_CHANNEL, LiveState
from backend.tracking.schemas import DriverChange
from backend.tracking.service import change_driver, get_driver
from tests.tracking.fleet import BANGKOK, ago, fix, hire, send, somebody

Problem = Callable[[httpx.Response], dict[str, Any]]
WANTED = {"name": "Ploy", "vehicle": "van", "region": "TH-10", "hub": "TH-10.siam"}


async def seen(resources: Resources, driver: UUID, seconds: float) -> None:
    ms = round(ago(seconds).timestamp() * 1000)
    await livestore.advance(resources.redis, {driver.bytes: LiveState(ms, ms, *BANGKOK)})


async def test_driver_created_is_shown_with_a_masked_phone(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    await hire(resources)
    manager = await somebody(resources, "fleet_manager", "TH-10")
    answer = await client.post(
        "/api/v1/drivers", json={**WANTED, "phone": "+66812345678"}, headers=manager
    )
    assert answer.status_code == 201
    made = answer.json()
    assert made["phone"] == "+6•••78"
    assert (made["status"], made["position"]) == ("offline", None)
    found = await client.get(f"/api/v1/drivers/{made['id']}", headers=manager)
    assert found.json() == made


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"region": "TH"}, "/region"),
        ({"region": "XX-99", "hub": None}, "/region"),
        ({"hub": "IN-KA.koramangala"}, "/hub"),
        ({"vehicle": "rocket"}, "/vehicle"),
        ({"phone": "0812345678"}, "/phone"),
        ({"name": "  "}, "/name"),
        ({"name": "Pl\0oy"}, "/name"),
    ],
)
async def test_driver_with_a_wrong_field_is_refused_by_its_name(
    resources: Resources,
    client: httpx.AsyncClient,
    problem_of: Problem,
    change: dict[str, Any],
    pointer: str,
) -> None:
    await hire(resources)
    admin = await somebody(resources, "admin")
    answer = await client.post("/api/v1/drivers", json=WANTED | change, headers=admin)
    assert answer.status_code == 422
    assert problem_of(answer)["errors"][0]["pointer"] == pointer


async def test_code_of_another_driver_is_a_conflict(
    resources: Resources, client: httpx.AsyncClient, problem_of: Problem
) -> None:
    phone = await hire(resources)
    admin = await somebody(resources, "admin")
    answer = await client.post(
        "/api/v1/drivers", json={**WANTED, "code": phone.code}, headers=admin
    )
    assert answer.status_code == 409
    assert problem_of(answer)["errors"][0]["pointer"] == "/code"


async def test_same_idempotency_key_makes_one_driver_and_one_token(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    await hire(resources)
    admin = {**await somebody(resources, "admin"), "Idempotency-Key": "k1"}
    first, second = [
        await client.post("/api/v1/drivers", json=WANTED, headers=admin) for _ in range(2)
    ]
    assert first.json() == second.json()
    target = f"/api/v1/drivers/{first.json()['id']}/device-token"
    admin["Idempotency-Key"] = "k2"
    tokens = [(await client.post(target, headers=admin)).json()["token"] for _ in range(2)]
    assert tokens[0] == tokens[1]
    sent = await client.post(
        "/api/v1/positions",
        json=fix(ago(1)),
        headers={"Authorization": f"Bearer {tokens[0]}"},
    )
    assert sent.status_code == 202


async def test_driver_of_another_region_is_not_found(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    there = await hire(resources, "IN-KA")
    manager = await somebody(resources, "fleet_manager", "TH-10")
    for method, path, body in (
        ("GET", f"/{there.id}", None),
        ("GET", f"/{there.id}/track", None),
        ("PATCH", f"/{there.id}", {"name": "Mine"}),
        ("POST", f"/{there.id}/device-token", None),
    ):
        answer = await client.request(method, f"/api/v1/drivers{path}", json=body, headers=manager)
        assert answer.status_code == 404, path
        nobody = path.replace(str(there.id), str(uuid7()))
        unknown = await client.request(
            method, f"/api/v1/drivers{nobody}", json=body, headers=manager
        )
        assert unknown.content == answer.content
    listed = await client.get("/api/v1/drivers", headers=manager)
    assert listed.json() == {"items": [], "next_cursor": None}


async def test_who_may_only_look_is_forbidden_to_change(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    viewer = await somebody(resources, "viewer", "TH-10")
    target = f"/api/v1/drivers/{phone.id}"
    answer = await client.patch(target, json={"name": "Else"}, headers=viewer)
    assert answer.status_code == 403
    assert (await client.get(target, headers=viewer)).json()["name"] == "Somchai"


async def test_changed_driver_is_audited_and_told_to_the_maps(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources, phone="+66812345678", plate="1กข 234")
    manager = await somebody(resources, "fleet_manager", "TH-10")
    async with resources.redis.pubsub() as channel:
        await channel.subscribe(DRIVERS_CHANNEL)
        answer = await client.patch(
            f"/api/v1/drivers/{phone.id}",
            json={"name": "Somsak", "phone": "+66899999911", "plate": None, "vehicle": "bike"},
            headers=manager,
        )
        async with asyncio.timeout(30):
            # Channels are shared by every test process on the server.
            async for message in channel.listen():
                if message["data"] == phone.id.bytes:
                    break
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["plate"]) == ("Somsak", None)
    async with resources.database.unit_of_work() as session:
        trail = await list_audit(session, SYSTEM, AuditFilter())
    entry = next(row for row in trail if row.action == "driver.changed")
    assert entry.before == {"name": "Somchai", "phone": "+6•••78", "plate": "1กข 234"}
    assert entry.after == {"name": "Somsak", "phone": "+6•••11", "plate": None}
    assert entry.region == "TH-10"


async def test_change_that_changes_nothing_leaves_no_trace(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    admin = await somebody(resources, "admin")
    answer = await client.patch(
        f"/api/v1/drivers/{phone.id}", json={"name": "Somchai"}, headers=admin
    )
    assert answer.status_code == 200
    async with resources.database.unit_of_work() as session:
        actions = [row.action for row in await list_audit(session, SYSTEM, AuditFilter())]
    assert "driver.changed" not in actions


@pytest.mark.parametrize("body", [{"name": None}, {"region": None}, {"code": "X-1"}, {"name": ""}])
async def test_change_that_would_break_a_driver_is_refused(
    resources: Resources, client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    phone = await hire(resources)
    admin = await somebody(resources, "admin")
    answer = await client.patch(f"/api/v1/drivers/{phone.id}", json=body, headers=admin)
    assert answer.status_code == 422


async def test_driver_moves_only_to_where_the_manager_may_write(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources, hub="TH-10.siam")
    thai = await somebody(resources, "fleet_manager", "TH-10")
    target = f"/api/v1/drivers/{phone.id}"
    refused = await client.patch(target, json={"region": "IN-KA"}, headers=thai)
    assert refused.status_code == 403
    assert (await client.get(target, headers=thai)).json()["hub"] == "TH-10.siam"
    admin = await somebody(resources, "admin")
    moved = await client.patch(target, json={"region": "IN-KA"}, headers=admin)
    assert (moved.json()["region"], moved.json()["hub"]) == ("IN-KA", None)
    assert (await client.get(target, headers=thai)).status_code == 404


async def test_two_changes_at_once_both_hold(resources: Resources) -> None:
    phone = await hire(resources)

    async def change(**values: Any) -> None:
        async with resources.database.unit_of_work() as session:
            await change_driver(session, SYSTEM, phone.id, DriverChange(**values))

    await asyncio.gather(change(name="Other"), change(plate="AB 12"))
    async with resources.database.unit_of_work() as session:
        found = await get_driver(session, SYSTEM, phone.id)
    assert (found.name, found.plate) == ("Other", "AB 12")


async def test_drivers_are_filtered_by_status_region_vehicle_and_text(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    ages = {"fresh": 1.0, "stale": 120.0, "gone": 3600.0}
    for name, age in ages.items():
        await seen(resources, (await hire(resources, name=name)).id, age)
    resting = await hire(resources, name="resting", on_shift=False)
    await seen(resources, resting.id, 1)
    await hire(resources, "IN-KA", name="never", vehicle="van", plate="KA 01_5%")
    admin = await somebody(resources, "admin")

    async def names(**query: str) -> list[str]:
        answer = await client.get("/api/v1/drivers", params=query, headers=admin)
        return [driver["name"] for driver in answer.json()["items"]]

    assert await names(status="live") == ["fresh"]
    assert await names(status="stale") == ["stale"]
    assert await names(status="offline") == ["gone", "never"]
    assert await names(status="off_shift") == ["resting"]
    assert await names(status="offline", region="TH") == ["gone"]
    assert await names(vehicle="van") == ["never"]
    assert await names(q="01_5%") == ["never"]
    assert await names(q="0__5") == []
    assert await names(region="%%") == []
    for wrong in ({"status": "asleep"}, {"q": "\0"}, {"cursor": "\0"}, {"region": "\0\0"}):
        answer = await client.get("/api/v1/drivers", params=wrong, headers=admin)
        assert answer.status_code == 422, wrong


@pytest.mark.parametrize("filters", [{}, {"status": "offline"}])
async def test_pages_hold_every_driver_once(
    resources: Resources, client: httpx.AsyncClient, filters: dict[str, str]
) -> None:
    hired = {(await hire(resources)).code for _ in range(5)}
    admin = await somebody(resources, "admin")
    codes: list[str] = []
    query: dict[str, Any] = {"limit": 2, **filters}
    while True:
        page = (await client.get("/api/v1/drivers", params=query, headers=admin)).json()
        codes += [driver["code"] for driver in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert codes == sorted(hired)


async def test_phone_of_one_driver_cannot_send_for_another(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    mine, other = await hire(resources), await hire(resources)
    answer = await send(client, mine, [fix(ago(1), driver_id=str(other.id)), fix(ago(2))])
    assert [r["status"] for r in answer.json()["results"]] == ["rejected", "accepted"]
    assert answer.json()["results"][0]["code"] == "unknown_driver"


async def test_phone_opens_no_doorway_of_operators(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    for path in ("", f"/{phone.id}", f"/{phone.id}/track"):
        answer = await client.get(f"/api/v1/drivers{path}", headers=phone.headers)
        assert answer.status_code == 403, path


async def test_shift_is_the_callers_own(resources: Resources, client: httpx.AsyncClient) -> None:
    phone = await hire(resources)
    for _ in range(2):
        answer = await client.post(
            "/api/driver/v1/shift", json={"state": "off"}, headers=phone.headers
        )
        assert answer.json() == {"driver_id": str(phone.id), "state": "off"}
    admin = await somebody(resources, "admin")
    found = await client.get(f"/api/v1/drivers/{phone.id}", headers=admin)
    assert found.json()["status"] == "off_shift"
