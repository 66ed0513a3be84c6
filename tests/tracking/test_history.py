"""Looking back, and how long history is kept."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from backend.platform import clock
from backend.platform.resources import Resources
from backend.tracking.service import keep_partitions
from tests.tracking.fleet import BANGKOK, ago, fix, hire, history, send, somebody, work_off

LAT, LON = BANGKOK


async def days(resources: Resources) -> set[str]:
    async with resources.database.unit_of_work() as session:
        names = await session.scalars(
            text(
                "SELECT inhrelid::regclass::text FROM pg_inherits"
                " WHERE inhparent = 'tracking_fix'::regclass"
            )
        )
        return set(names)


async def test_a_partition_is_ready_for_every_day_that_a_fix_may_be_of(
    resources: Resources,
) -> None:
    now = clock.now()
    for _ in range(2):
        async with resources.database.unit_of_work() as session:
            await keep_partitions(session, now, 90)
    wanted = {f"tracking_fix_{now + timedelta(days=n):%Y%m%d}" for n in range(-2, 2)}
    assert wanted <= await days(resources)


async def test_days_past_retention_are_dropped_and_no_other(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    await send(client, phone, fix(ago(60)))
    await work_off(resources)
    now = clock.now()
    async with resources.database.unit_of_work() as session:
        await keep_partitions(session, now - timedelta(days=200), 90)
    old = f"tracking_fix_{now - timedelta(days=200):%Y%m%d}"
    assert old in await days(resources)
    async with resources.database.unit_of_work() as session:
        await keep_partitions(session, now, 90)
    assert old not in await days(resources)
    assert len(await history(resources, phone)) == 1


async def test_fix_of_a_day_without_a_partition_is_kept(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    at = ago(30 * 3600)
    async with resources.database.unit_of_work() as session:
        await session.execute(text(f"DROP TABLE IF EXISTS tracking_fix_{at:%Y%m%d}"))
    await send(client, phone, fix(at))
    await work_off(resources)
    assert [row.recorded_at for row in await history(resources, phone)] == [at]
    async with resources.database.unit_of_work() as session:
        await keep_partitions(session, clock.now(), 90)


async def test_track_is_read_page_by_page_oldest_first(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    await send(client, phone, [fix(ago(seconds)) for seconds in range(70, 0, -10)])
    await work_off(resources)
    viewer = await somebody(resources, "viewer", "TH-10")
    target = f"/api/v1/drivers/{phone.id}/track"
    seen: list[str] = []
    cursor = ""
    while True:
        # As a client does that escapes nothing.
        page = (await client.get(f"{target}?limit=3{cursor}", headers=viewer)).json()
        seen += [row["recorded_at"] for row in page["fixes"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == 7
    assert seen == sorted(set(seen))


async def test_track_window_takes_from_and_leaves_to(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    times = [ago(seconds) for seconds in (3000, 2000, 1000)]
    await send(client, phone, [fix(at) for at in times])
    await work_off(resources)
    viewer = await somebody(resources, "viewer", "TH-10")

    async def between(**query: str) -> int:
        answer = await client.get(f"/api/v1/drivers/{phone.id}/track", params=query, headers=viewer)
        return len(answer.json()["fixes"])

    first, _, last = (at.isoformat() for at in times)
    assert await between(**{"from": first, "to": last}) == 2
    assert await between(to=ago(2999).isoformat()) == 1
    assert await between() == 0


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2024-05-02T00:00:00Z", "to": "2024-05-01T00:00:00Z"},
        {"from": "2024-05-01T00:00:00Z", "to": "2024-06-01T00:00:00Z"},
        {"from": "2024-05-01T00:00:00"},
        {"cursor": "yesterday"},
        {"cursor": "2024-05-01"},
        {"limit": "0"},
        {"limit": "5001"},
    ],
)
async def test_track_window_that_cannot_be_is_refused(
    resources: Resources, client: httpx.AsyncClient, query: dict[str, str]
) -> None:
    phone = await hire(resources)
    viewer = await somebody(resources, "viewer", "TH-10")
    answer = await client.get(f"/api/v1/drivers/{phone.id}/track", params=query, headers=viewer)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("year", ["0001", "9999"])
async def test_track_of_the_ends_of_time_is_empty(
    resources: Resources, client: httpx.AsyncClient, year: str
) -> None:
    phone = await hire(resources)
    viewer = await somebody(resources, "viewer", "TH-10")
    for offset in ("Z", "+14:00", "-12:00"):
        for month in ("01-01", "12-30"):
            window = {
                "from": f"{year}-{month}T00:00:00{offset}",
                "to": f"{year}-{month}T23:59:59{offset}",
            }
            answer = await client.get(
                f"/api/v1/drivers/{phone.id}/track", params=window, headers=viewer
            )
            assert answer.status_code in (200, 422), answer.text


async def test_playback_tells_who_of_the_region_was_where(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    here, wild, there = [await hire(resources, region) for region in ("TH-10", "TH-10", "IN-KA")]
    await send(client, here, [fix(ago(seconds), LAT + seconds * 1e-5) for seconds in (300, 200, 9)])
    await send(client, wild, [fix(ago(300)), fix(ago(200), LAT + 1)])
    await send(client, there, fix(ago(200)))
    await work_off(resources)
    viewer = await somebody(resources, "viewer", "TH-10")
    query = {"region": "TH-10", "at": ago(100).isoformat()}
    answer = await client.get("/api/v1/playback", params=query, headers=viewer)
    places = {place["driver_id"]: place["lat"] for place in answer.json()["places"]}
    assert places == {
        str(here.id): pytest.approx(LAT + 200e-5),
        str(wild.id): pytest.approx(LAT),
    }
    foreign = await client.get(
        "/api/v1/playback", params={**query, "region": "IN-KA"}, headers=viewer
    )
    assert foreign.status_code == 404


async def test_refusals_of_other_regions_are_not_shown(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    for region in ("TH-10", "IN-KA"):
        await send(client, await hire(resources, region), fix(ago(1), 0.0, 0.0))
    viewer = await somebody(resources, "viewer", "TH-10")
    answer = await client.get("/api/v1/positions/refusals", headers=viewer)
    assert [(row["region"], row["code"]) for row in answer.json()] == [("TH-10", "null_island")]
