"""The roster as a file, and drivers named by their ids."""

from __future__ import annotations

import csv
import io

import httpx

from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.platform.resources import Resources
from backend.tracking import service as tracking
from tests.tracking.fleet import hire, somebody


async def test_the_file_holds_the_callers_drivers_and_is_recorded(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    mine = await hire(resources, "TH-10", name="=HYPERLINK(1)")
    await hire(resources, "BD-13")
    reader = await somebody(resources, "fleet_manager", "TH-10")
    answer = await client.get("/api/v1/roster.csv", headers=reader)
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["code"] == mine.code
    assert row["name"] == "'=HYPERLINK(1)"
    assert row["most_orders"] == "6"
    assert mine.token not in answer.text
    auditor = await somebody(resources, "auditor")
    trail = await client.get("/api/v1/audit?action=roster.exported", headers=auditor)
    assert trail.json()["items"][0]["after"] == {"rows": 1}


async def test_a_filter_that_matches_nobody_gives_a_file_of_heads(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await hire(resources, "TH-10")
    reader = await somebody(resources, "viewer", "TH")
    answer = await client.get("/api/v1/roster.csv?vehicle=truck", headers=reader)
    assert answer.text.strip().splitlines()[0].startswith("code,name,region")
    assert len(answer.text.strip().splitlines()) == 1


async def test_drivers_are_named_where_the_caller_may_see_them(resources: Resources) -> None:
    here, there = await hire(resources, "TH-10"), await hire(resources, "BD-13")
    viewer = Principal("user", "user:v", "V", (GrantScope("viewer", "TH"),))
    async with resources.database.unit_of_work() as session:
        asked = {here.id, there.id}
        assert set(await tracking.name_drivers(session, SYSTEM, asked)) == asked
        seen = await tracking.name_drivers(session, viewer, asked)
        assert {each.code for each in seen.values()} == {here.code}
        assert await tracking.name_drivers(session, viewer, set()) == {}
