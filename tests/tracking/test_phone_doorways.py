"""OsmAnd, Traccar Client and OwnTracks: keys, answers, units and counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backend.platform.resources import Resources
from backend.tracking.positions import TOPIC
from tests.tracking.fleet import (
    BANGKOK,
    ago,
    basic,
    hire,
    history,
    owntracks,
    refused,
    somebody,
    work_off,
)

Problem = Callable[[httpx.Response], dict[str, Any]]
LAT, LON = BANGKOK


# OsmAnd and Traccar Client


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_osmand_phone_is_known_by_its_key(
    resources: Resources, client: httpx.AsyncClient, method: str
) -> None:
    phone = await hire(resources)
    stamp = int(ago(2).timestamp())
    query = {"id": phone.code, "lat": LAT, "lon": LON, "timestamp": stamp, "speed": 19.438445}
    by_path = await client.request(method, f"/api/osmand/{phone.token}", params=query)
    by_password = await client.request(
        method, "/api/osmand", params=query | {"timestamp": stamp - 1}, headers=basic(phone)
    )
    assert (by_path.status_code, by_password.status_code) == (200, 200)
    await work_off(resources)
    rows = await history(resources, phone)
    assert [round(row.speed or 0, 3) for row in rows] == [10.0, 10.0]


async def test_osmand_takes_a_form(resources: Resources, client: httpx.AsyncClient) -> None:
    phone = await hire(resources)
    form = {"id": phone.code, "lat": str(LAT), "lon": str(LON)}
    answer = await client.post(f"/api/osmand/{phone.token}", data=form)
    assert answer.status_code == 200
    assert await work_off(resources) == 1


async def test_device_id_alone_is_enough_in_the_demo_only(
    resources: Resources, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await hire(resources)
    query = {"id": phone.code, "lat": LAT, "lon": LON}
    assert (await client.get("/api/osmand", params=query)).status_code == 200
    monkeypatch.setattr(resources.settings, "env", "development")
    assert (await client.get("/api/osmand", params=query)).status_code == 400
    body = {"device_id": phone.code, "location": None}
    assert (await client.post("/api/osmand", json=body)).status_code == 404


async def test_key_of_one_phone_does_not_open_for_another(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    mine, other = await hire(resources), await hire(resources)
    query = {"id": other.code, "lat": LAT, "lon": LON}
    assert (await client.get(f"/api/osmand/{mine.token}", params=query)).status_code == 400
    assert await resources.events.length(TOPIC) == 0


async def test_unknown_device_is_400_and_404_to_traccar_json(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    query = {"id": "DRV-9999", "lat": LAT, "lon": LON}
    assert (await client.get("/api/osmand", params=query)).status_code == 400
    body = {"device_id": "DRV-9999", "location": {"coords": {"latitude": 1, "longitude": 2}}}
    assert (await client.post("/api/osmand", json=body)).status_code == 404
    assert await refused(client, resources) == {("osmand", "unknown_device"): 2}


async def test_traccar_client_9_sends_metres_per_second(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    coords = {"latitude": LAT, "longitude": LON, "speed": 10, "heading": -1, "accuracy": 6}
    body = {
        "device_id": phone.code,
        "location": {
            "timestamp": ago(2).isoformat(),
            "coords": coords,
            "battery": {"level": 0.5, "is_charging": False},
        },
    }
    answer = await client.post(f"/api/osmand/{phone.token}", json=body)
    assert answer.status_code == 200
    await work_off(resources)
    [row] = await history(resources, phone)
    assert (row.speed, row.bearing) == (10.0, None)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"lat": "0", "lon": "0"}, 200, "null_island"),
        ({"lat": "1", "lon": "2", "timestamp": "1"}, 200, "too_old"),
        ({"lat": "1", "lon": "2", "valid": "false"}, 200, "not_a_fix"),
        ({"lat": "x", "lon": "2"}, 400, "invalid"),
    ],
)
async def test_refused_osmand_fix_is_told_and_counted(
    resources: Resources,
    client: httpx.AsyncClient,
    query: dict[str, str],
    status: int,
    code: str,
) -> None:
    phone = await hire(resources)
    answer = await client.get(f"/api/osmand/{phone.token}", params={"id": phone.code, **query})
    assert answer.status_code == status
    assert code in answer.text
    assert await refused(client, resources) == {("osmand", code): 1}


# OwnTracks


async def test_owntracks_is_answered_an_empty_list_once_the_fix_is_durable(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    at = ago(2).replace(microsecond=0)
    body = {"_type": "location", "tst": int(at.timestamp()), "lat": LAT, "lon": LON, "vel": 36}
    answer = await owntracks(client, phone, body)
    assert (answer.status_code, answer.json()) == (200, [])
    assert await resources.events.length(TOPIC) == 1
    await work_off(resources)
    [row] = await history(resources, phone)
    assert (row.recorded_at, row.speed, row.accuracy) == (at, 10.0, 0.0)


@pytest.mark.parametrize("body", [b"", b'{"_type":"lwt","tst":1}', b'{"_type":"waypoint"}'])
async def test_other_owntracks_messages_are_answered_and_ignored(
    resources: Resources, client: httpx.AsyncClient, body: bytes
) -> None:
    phone = await hire(resources)
    answer = await client.post("/api/owntracks", content=body, headers=basic(phone))
    assert (answer.status_code, answer.content) == (200, b"[]")
    assert await resources.events.length(TOPIC) == 0


async def test_owntracks_ping_is_kept_and_moves_nobody(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    body = {"_type": "location", "t": "p", "tst": int(ago(2).timestamp()), "lat": LAT, "lon": LON}
    assert (await owntracks(client, phone, body)).status_code == 200
    await work_off(resources)
    assert len(await history(resources, phone)) == 1
    admin = await somebody(resources, "admin")
    shown = await client.get(f"/api/v1/drivers/{phone.id}", headers=admin)
    assert shown.json()["position"] is None


async def test_owntracks_without_a_password_is_401(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    body = {"_type": "location", "tst": 1, "lat": 1, "lon": 2}
    assert (await client.post("/api/owntracks", json=body)).status_code == 401
