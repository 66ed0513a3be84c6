"""Positions through the doorways: what is answered, what is counted, and what is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backend.identity.schemas import SYSTEM
from backend.identity.service import list_tokens, revoke_token
from backend.platform import clock
from backend.platform.eventlog import Record
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.tracking import ingest
from backend.tracking.counters import accepted_by_minute
from backend.tracking.ingest import Intake
from backend.tracking.positions import TOPIC
from tests.tracking.fleet import (
    BANGKOK,
    Phone,
    ago,
    fix,
    hire,
    history,
    owntracks,
    refused,
    send,
    somebody,
    statuses,
    work_off,
)

Problem = Callable[[httpx.Response], dict[str, Any]]
LAT, LON = BANGKOK


# The native doorway


async def test_accepted_fix_is_in_the_log_before_the_answer(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    answer = await send(client, phone, fix(ago(1)))
    assert answer.status_code == 202
    assert answer.json() == {"results": [{"index": 0, "status": "accepted"}]}
    assert await resources.events.length(TOPIC) == 1


async def test_trace_out_of_order_doubled_and_with_a_future_fix_is_judged_by_item(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    times = [ago(seconds) for seconds in (30, 10, 20, 10, 40)]
    batch = [fix(at, LAT + i * 1e-5) for i, at in enumerate(times)]
    batch += [fix(ago(-600)), fix(ago(3 * 86400)), {"lat": 1}, fix(ago(5), 0.0, 0.0)]
    assert await statuses(client, phone, batch) == [
        "accepted",
        "accepted",
        "accepted",
        "duplicate",
        "accepted",
        "rejected in_future",
        "rejected too_old",
        "rejected invalid",
        "rejected null_island",
    ]
    await work_off(resources)
    assert [row.recorded_at for row in await history(resources, phone)] == sorted(set(times))


async def test_repetition_is_a_duplicate_before_and_after_history_has_it(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    batch = [fix(ago(seconds)) for seconds in (30, 20, 10)]
    assert await statuses(client, phone, batch) == ["accepted"] * 3
    assert await statuses(client, phone, batch) == ["duplicate"] * 3
    await work_off(resources)
    assert await statuses(client, phone, [*batch, fix(ago(15))]) == ["duplicate"] * 3 + ["accepted"]
    await work_off(resources)
    assert len(await history(resources, phone)) == 4


async def test_same_request_at_once_is_kept_once(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    batch = [fix(ago(seconds)) for seconds in (30, 20, 10)]
    answers = await asyncio.gather(*(statuses(client, phone, batch) for _ in range(8)))
    assert sum(answer.count("accepted") for answer in answers) == 3
    await work_off(resources)
    assert len(await history(resources, phone)) == 3


async def test_refused_single_fix_is_a_problem_that_names_the_field(
    resources: Resources, client: httpx.AsyncClient, problem_of: Problem
) -> None:
    phone = await hire(resources)
    answer = await send(client, phone, fix(ago(1), lat="13"))
    assert answer.status_code == 422
    problem = problem_of(answer)
    assert problem["errors"][0]["pointer"] == "/lat"
    assert problem["results"][0]["status"] == "rejected"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 422), (b'"x"', 422), (b"[" * 50_000, 400), (b"\xff\xfe", 400)],
)
async def test_body_that_is_no_batch_is_refused_and_counted(
    resources: Resources, client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    phone = await hire(resources)
    answer = await client.post("/api/v1/positions", content=body, headers=phone.headers)
    assert answer.status_code == status
    assert await refused(client, resources) == {("native", "invalid"): 1}


async def test_more_than_a_thousand_fixes_are_too_many(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    assert (await send(client, phone, [fix(ago(1))] * 1001)).status_code == 413
    assert await resources.events.length(TOPIC) == 0


async def test_stranger_and_revoked_phone_are_turned_away(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    assert (await client.post("/api/v1/positions", json=fix(ago(1)))).status_code == 401
    wrong = Phone(phone.id, phone.code, "wpd_wrong")
    assert (await send(client, wrong, fix(ago(1)))).status_code == 401
    assert (await send(client, phone, fix(ago(2)))).status_code == 202
    async with resources.database.unit_of_work() as session:
        [token] = await list_tokens(session, SYSTEM, driver_id=phone.id)
        await revoke_token(session, SYSTEM, token.id)
    async with asyncio.timeout(30):
        while (await send(client, phone, fix(ago(1)))).status_code != 401:
            await asyncio.sleep(0.05)


async def test_integration_names_a_driver_for_each_fix(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    first, second = await hire(resources), await hire(resources, "IN-KA")
    headers = await somebody(resources, "admin")
    batch = [
        fix(ago(9), driver_id=str(first.id)),
        fix(ago(9), driver_id=str(second.id)),
        fix(ago(9)),
        fix(ago(9), driver_id=str(uuid7())),
    ]
    answer = await client.post("/api/v1/positions", json=batch, headers=headers)
    results = answer.json()["results"]
    assert [result["index"] for result in results] == [0, 1, 2, 3]
    assert [result["status"] for result in results] == ["accepted"] * 2 + ["rejected"] * 2


async def test_viewer_may_not_send(resources: Resources, client: httpx.AsyncClient) -> None:
    phone = await hire(resources)
    headers = await somebody(resources, "viewer")
    body = [fix(ago(1), driver_id=str(phone.id))]
    answer = await client.post("/api/v1/positions", json=body, headers=headers)
    refused_all = answer.status_code == 403 or {
        result["status"] for result in answer.json()["results"]
    } == {"rejected"}
    assert refused_all
    assert await resources.events.length(TOPIC) == 0


async def test_jump_is_accepted_with_its_code_and_kept_flagged(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    assert await statuses(client, phone, [fix(ago(30))]) == ["accepted"]
    for seconds in (20, 19):
        assert await statuses(client, phone, [fix(ago(seconds), LAT + 1)]) == [
            "accepted impossible_speed"
        ]
    assert await statuses(client, phone, [fix(ago(18), LAT + 1)]) == ["accepted"]
    await work_off(resources)
    assert [row.flagged for row in await history(resources, phone)] == [False, True, True, False]


# Bounds


@pytest.mark.parametrize("doorway", ["native", "osmand", "owntracks"])
async def test_full_log_answers_503_with_retry_after_and_takes_nothing(
    resources: Resources,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    doorway: str,
) -> None:
    phone = await hire(resources)
    monkeypatch.setattr(ingest, "_LOOK_AT_SIZE_EVERY_S", 0.0)
    monkeypatch.setattr(resources.settings, "event_log_max_mb", 16)
    await resources.events.append(TOPIC, [Record(b"x", b"\xc0" * 2**20) for _ in range(17)])
    held = await resources.events.length(TOPIC)
    at = ago(1)
    place = {"lat": LAT, "lon": LON}

    async def attempt() -> httpx.Response:
        if doorway == "native":
            return await send(client, phone, fix(at))
        if doorway == "osmand":
            query = {"id": phone.code, "timestamp": at.isoformat(), **place}
            return await client.get(f"/api/osmand/{phone.token}", params=query)
        body = {"_type": "location", "tst": int(at.timestamp()), **place}
        return await owntracks(client, phone, body)

    answer = await attempt()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert await resources.events.length(TOPIC) == held
    await resources.redis.xtrim("log:" + TOPIC, maxlen=0)
    assert (await attempt()).status_code in (200, 202)
    assert await resources.events.length(TOPIC) == 1


@pytest.mark.usefixtures("no_refill")
async def test_phone_that_floods_is_held_back_and_others_are_not(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    flooding, calm = await hire(resources), await hire(resources)
    batch = [fix(ago(1000 - n)) for n in range(1000)]
    answers = [await send(client, flooding, batch) for _ in range(30)]
    assert {answer.status_code for answer in answers} <= {200, 202, 429}
    held = next(answer for answer in answers if answer.status_code == 429)
    assert int(held.headers["retry-after"]) > 0
    assert (await send(client, calm, fix(ago(1)))).status_code == 202


async def test_accepted_fixes_are_counted_by_region_and_minute(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    await send(client, phone, [fix(ago(seconds)) for seconds in (3, 2, 1)])
    now = clock.now().timestamp() + 60
    minutes = await accepted_by_minute(
        resources.redis, clock.now().fromtimestamp(now, clock.now().tzinfo), 2
    )
    assert sum(counts.get("TH-10", 0) for _, counts in minutes) == 3


async def test_requests_that_arrive_together_share_their_writes(resources: Resources) -> None:
    phones = [await hire(resources) for _ in range(6)]
    intake = Intake(resources)
    now_ms = round(clock.now().timestamp() * 1000)
    fixes = [ingest.Fix(now_ms - 1000, LAT, LON)]
    verdicts = await asyncio.gather(
        *(intake.take(phone.id, "TH-10", "native", fixes) for phone in phones)
    )
    assert all(verdict is ingest.ACCEPTED for [verdict] in verdicts)
    assert await resources.events.length(TOPIC) <= 2
    assert await work_off(resources) == 6
