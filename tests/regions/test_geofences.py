"""Geofences: who may draw where, what is refused, and that every process hears of a change."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from backend.identity.schemas import SYSTEM
from backend.platform.resources import Resources
from backend.regions.schemas import CHANGED_CHANNEL
from backend.regions.service import FenceWatch, fences
from tests.regions.conftest import CallerOf

RING = [[100.50, 13.70], [100.52, 13.70], [100.52, 13.72], [100.50, 13.72], [100.50, 13.70]]


def wish(**changes: Any) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [RING]}
    return {"kind": "zone", "region": "TH-10", "name": "Sathon", "geometry": geometry, **changes}


async def test_a_geofence_lives_from_creation_to_removal(
    api: httpx.AsyncClient, caller: CallerOf, seeded: Resources
) -> None:
    own = await caller("fleet_manager", "TH-10")
    made = await api.post("/api/v1/geofences", json=wish(), headers=own)
    assert made.status_code == 201
    address = f"/api/v1/geofences/{made.json()['id']}"
    assert (await api.get(address, headers=own)).json() == made.json()

    moved = wish(name="Sathon south", kind="no_go")
    changed = await api.put(address, json=moved, headers=own)
    assert (changed.json()["name"], changed.json()["kind"]) == ("Sathon south", "no_go")
    assert changed.json()["updated_at"] > made.json()["updated_at"]

    assert (await api.delete(address, headers=own)).status_code == 204
    assert (await api.get(address, headers=own)).status_code == 404
    async with seeded.database.unit_of_work() as session:
        rows = await session.scalars(text("SELECT value FROM platform_outbox ORDER BY seq"))
        events = [orjson.loads(value) for value in rows]
    told = [e["type"] for e in events if e["type"].startswith("geofence.")]
    assert told == ["geofence.created", "geofence.changed", "geofence.removed"]


async def test_the_same_key_makes_one_geofence(api: httpx.AsyncClient, caller: CallerOf) -> None:
    own = {**await caller("fleet_manager", "TH-10"), "Idempotency-Key": "once"}
    first = await api.post("/api/v1/geofences", json=wish(), headers=own)
    again = await api.post("/api/v1/geofences", json=wish(), headers=own)
    assert first.json() == again.json()
    assert again.status_code == 201


@pytest.mark.parametrize(
    ("changes", "status", "pointer", "code"),
    [
        ({"region": "TH-10.nowhere"}, 422, "/region", "unknown_region"),
        ({"geometry": {"type": "Polygon", "coordinates": [RING[:4]]}}, 422,
         "/geometry/coordinates/0", "ring_not_closed"),
        ({"geometry": {"type": "Polygon", "coordinates": [[p[::-1] for p in RING]]}}, 422,
         "/geometry/coordinates/0/0", "latitude_out_of_range"),
        ({"geometry": {"type": "Polygon",
                       "coordinates": [[[lon - 50, lat] for lon, lat in RING]]}}, 422,
         "/geometry/coordinates", "far_from_region"),
        ({"kind": "lake"}, 422, "/kind", "literal_error"),
        ({"name": "  "}, 422, "/name", "string_too_short"),
        ({"colour": "red"}, 422, "/colour", "extra_forbidden"),
    ],
)  # fmt: skip
async def test_a_wrong_geofence_is_refused_by_field(
    api: httpx.AsyncClient,
    caller: CallerOf,
    problem_of,
    changes: dict[str, Any],
    status: int,
    pointer: str,
    code: str,
) -> None:
    own = await caller("fleet_manager", "TH-10")
    answer = await api.post("/api/v1/geofences", json=wish(**changes), headers=own)
    assert answer.status_code == status
    fault = problem_of(answer)["errors"][0]
    assert (fault["pointer"], fault["code"]) == (pointer, code)


async def test_a_name_is_given_once_per_kind_and_region(
    api: httpx.AsyncClient, caller: CallerOf
) -> None:
    own = await caller("admin")
    first = await api.post("/api/v1/geofences", json=wish(), headers=own)
    again = await api.post("/api/v1/geofences", json=wish(), headers=own)
    assert again.status_code == 409
    other = await api.post("/api/v1/geofences", json=wish(kind="no_go"), headers=own)
    assert other.status_code == 201
    same = await api.put(f"/api/v1/geofences/{first.json()['id']}", json=wish(), headers=own)
    assert same.status_code == 200


async def test_others_regions_are_out_of_reach(api: httpx.AsyncClient, caller: CallerOf) -> None:
    bangkok, saigon = await caller("fleet_manager", "TH-10"), await caller("viewer", "TH-10")
    made = await api.post("/api/v1/geofences", json=wish(), headers=bangkok)
    address = f"/api/v1/geofences/{made.json()['id']}"
    assert (await api.delete(address, headers=saigon)).status_code == 403
    stranger = await caller("fleet_manager", "VN")
    for answer in (
        await api.get(address, headers=stranger),
        await api.put(address, json=wish(), headers=stranger),
        await api.delete(address, headers=stranger),
    ):
        assert answer.status_code == 404
    refused = await api.post("/api/v1/geofences", json=wish(name="x"), headers=stranger)
    assert refused.status_code == 403
    taken = await api.put(address, json=wish(region="VN-SG"), headers=bangkok)
    assert taken.status_code == 403


async def test_pages_hold_every_geofence_once(api: httpx.AsyncClient, caller: CallerOf) -> None:
    own = await caller("viewer", "TH")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await api.get("/api/v1/geofences", params={"limit": 4, **cursor}, headers=own)
        seen += [fence["id"] for fence in page.json()["items"]]
        if page.json()["next_cursor"] is None:
            break
        cursor = {"cursor": page.json()["next_cursor"]}
    assert len(seen) == len(set(seen)) == 4 + 7
    no_go = await api.get("/api/v1/geofences?kind=no_go&region=TH-10", headers=own)
    assert {fence["name"] for fence in no_go.json()["items"]} == {
        "Grand Palace",
        "Don Mueang airport airside",
    }
    shapes = await api.get("/api/v1/geofences?geometry=1&kind=hub", headers=own)
    assert len(shapes.json()["features"]) == 7
    bad = await api.get("/api/v1/geofences?cursor=nonsense", headers=own)
    assert bad.status_code == 400


async def test_positions_find_their_geofences(seeded: Resources) -> None:
    async with seeded.database.unit_of_work() as session:
        index = await fences(session, SYSTEM)
    assert [(f.kind, f.name) for f in index.at(13.7456, 100.5341)] == [("hub", "Siam")]
    assert [(f.kind, f.name) for f in index.at(13.7500, 100.4920)] == [("no_go", "Grand Palace")]
    assert index.at(39.98, 116.31) == []


async def test_a_watch_comes_to_know_a_new_geofence(
    api: httpx.AsyncClient, caller: CallerOf, seeded: Resources
) -> None:
    watch, stop = FenceWatch(seeded), asyncio.Event()
    task = asyncio.create_task(watch.run(stop))
    async with asyncio.timeout(30):
        while watch.version == 0:
            await asyncio.sleep(0.01)
    assert watch.index.at(13.71, 100.51) == []
    await api.post("/api/v1/geofences", json=wish(), headers=await caller("admin"))
    async with asyncio.timeout(30):
        while not watch.index.at(13.71, 100.51):
            await asyncio.sleep(0.01)
    stop.set()
    await task


async def test_a_refused_change_is_not_announced(
    api: httpx.AsyncClient, caller: CallerOf, seeded: Resources
) -> None:
    own = await caller("admin")
    async with seeded.redis.pubsub() as channel:
        await channel.subscribe(CHANGED_CHANNEL)
        await api.post("/api/v1/geofences", json=wish(region="XX"), headers=own)
        made = await api.post("/api/v1/geofences", json=wish(), headers=own)
        async with asyncio.timeout(30):
            while True:
                message = await channel.get_message(ignore_subscribe_messages=True, timeout=0.1)
                if message:
                    break
    assert message["data"].decode() == made.json()["id"]
