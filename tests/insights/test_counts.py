"""What is counted in memory reaches the store once, and is read by window and region."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.identity.service import Denied
from backend.insights import count_repository
from backend.insights.counting import counting, write_counts
from backend.insights.definitions import objectives, promise_objectives
from backend.insights.service import burning_slos, slo_status
from backend.insights.slo_rules import Tally
from backend.platform import clock, indicators
from backend.platform.resources import Resources
from backend.regions.service import seed

from .counted import counted, counted_for_weeks

MANAGER = Principal("user", "user:1", "Malee", (GrantScope("fleet_manager", "TH-10"),))
VIEWER = Principal("user", "user:2", "Ravi", (GrantScope("viewer", "*"),))


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """What other tests counted in this process is not these tests'."""
    indicators.drain()
    promise_objectives()


async def test_two_processes_add_to_the_same_minute(resources: Resources) -> None:
    for _ in range(2):
        indicators.count("order_api", "TH-10", valid=5, good=4)
        indicators.count("order_api", "TH-10", good=1)
        await write_counts(resources.database)
    await write_counts(resources.database)
    async with resources.database.unit_of_work() as session:
        seen = await count_repository.windows(session, ["order_api"], clock.now())
    found = seen["order_api", "TH-10"]
    assert found["5m"] == found["6h"] == found["3d"] == Tally(12, 10)


async def test_windows_hold_what_began_in_them(resources: Resources) -> None:
    for minutes, valid in ((2, 1), (20, 10), (50, 100), (100, 1_000), (300, 10_000)):
        await counted(resources, "ingest", "SG-01", timedelta(minutes=minutes), valid, 0)
    await counted(resources, "ingest", "SG-01", timedelta(days=2), 100_000, 0)
    async with resources.database.unit_of_work() as session:
        seen = (await count_repository.windows(session, ["ingest"], clock.now()))["ingest", "SG-01"]
    assert {window: tally.valid for window, tally in seen.items()} == {
        "5m": 1, "30m": 11, "1h": 111, "2h": 1_111, "6h": 11_111, "1d": 11_111, "3d": 111_111,
    }  # fmt: skip


async def test_counts_outlive_a_store_that_is_away(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    indicators.count("payments", "TH-10", valid=3, good=2)

    async def away(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("gone"))

    with monkeypatch.context() as patch:
        patch.setattr(count_repository, "add", away)
        await write_counts(resources.database)
    indicators.count("payments", "TH-10", good=1)
    await write_counts(resources.database)
    async with resources.database.unit_of_work() as session:
        seen = await count_repository.windows(session, ["payments"], clock.now())
    assert seen["payments", "TH-10"]["5m"] == Tally(4, 3)


async def test_what_is_counted_last_is_written_at_the_end(resources: Resources) -> None:
    async with counting(resources.database):
        indicators.count("dispatch", "TH-10", good=1)
    async with resources.database.unit_of_work() as session:
        seen = await count_repository.windows(session, ["dispatch"], clock.now())
    assert seen["dispatch", "TH-10"]["5m"] == Tally(1, 1)


async def test_answers_of_the_api_are_counted_by_route_and_outcome(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    assert (await client.get("/api/v1/orders")).status_code == 401
    assert not indicators.drain().valid
    indicators.count_answer("/api/v1/orders/{order_id}", "TH-10", 200, 0.2)
    indicators.count_answer("/api/v1/orders/{order_id}", "TH-10", 200, 1.2)
    indicators.count_answer("/api/v1/orders", "TH-10", 503, 0.1)
    indicators.count_answer("/api/v1/orders", "TH-10", 422, 0.1)
    indicators.count_answer("/api/v1/payments", "TH-10", 500, 0.1)
    await write_counts(resources.database)
    async with resources.database.unit_of_work() as session:
        seen = await count_repository.windows(session, ["order_api"], clock.now())
    assert seen["order_api", "TH-10"]["5m"] == Tally(3, 1)


def test_latency_steps_are_fine_enough_for_a_percentile() -> None:
    bounds = indicators.LATENCY_BOUNDS_S
    assert bounds[0] <= 0.001
    assert bounds[-1] > 10
    assert all(after / before < 1.11 for before, after in pairwise(bounds))


async def test_status_shows_the_callers_regions_and_their_budget(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    await counted_for_weeks(resources, "order_api")
    await counted(resources, "order_api", "TH-10", timedelta(minutes=3), 1_000, 2)
    await counted(resources, "order_api", "SG-01", timedelta(minutes=3), 1_000, 500)
    async with resources.database.unit_of_work() as session:
        rows = {row.name: row for row in await slo_status(session, MANAGER)}
        everything = {row.name: row for row in await slo_status(session, VIEWER)}
        with pytest.raises(Denied):
            await slo_status(session, MANAGER, "SG-01")
    assert list(rows) == list(objectives()) == [
        "ingest", "live_map", "order_api", "dispatch", "payments",
    ]  # fmt: skip
    mine = rows["order_api"]
    assert (mine.region, mine.region_name, mine.valid, mine.good) == (
        "TH-10", "Bangkok", 1_000, 998,
    )  # fmt: skip
    assert mine.budget_left == pytest.approx(-1.0)
    assert mine.burning is None
    assert everything["order_api"].burning == "page"
    assert everything["order_api"].budget_left == pytest.approx(1 - 502 / 2)
    assert rows["ingest"].budget_left is None


async def test_what_burns_is_told_by_city_and_only_to_those_who_see_it(
    resources: Resources,
) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    await counted_for_weeks(resources, "ingest")
    for region, bad in (("TH-10", 0), ("SG-01", 300), ("IN-KA", 0), ("VN-SG", 0)):
        await counted(resources, "ingest", region, timedelta(minutes=3), 1_000, bad)
    async with resources.database.unit_of_work() as session:
        assert await burning_slos(session, MANAGER) == []
        [burns] = await burning_slos(session, VIEWER)
        assert (burns.name, burns.region, burns.alarm) == ("ingest", "SG-01", "page")
        assert burns.reason == "300.0 times too fast over 1h and 5m"
        assert burns.since <= datetime.now(UTC)


async def test_what_burns_nearly_everywhere_is_one_thing(resources: Resources) -> None:
    await counted_for_weeks(resources, "ingest")
    for region, bad in (("TH-10", 300), ("SG-01", 300), ("IN-KA", 0)):
        await counted(resources, "ingest", region, timedelta(minutes=3), 1_000, bad)
    async with resources.database.unit_of_work() as session:
        [burns] = await burning_slos(session, VIEWER)
    assert (burns.region, burns.reason) == ("*", "200.0 times too fast over 1h and 5m")


async def test_the_first_minutes_of_a_new_system_page_nobody(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    await counted(resources, "ingest", "TH-10", timedelta(minutes=3), 1_000, 300)
    async with resources.database.unit_of_work() as session:
        assert await burning_slos(session, VIEWER) == []
    await counted(resources, "ingest", "TH-10", timedelta(minutes=6), 1, 0)
    async with resources.database.unit_of_work() as session:
        [burns] = await burning_slos(session, VIEWER)
    assert (burns.region, burns.alarm) == ("TH-10", "page")


async def test_old_minutes_are_forgotten_and_their_hours_kept(resources: Resources) -> None:
    await counted(resources, "ingest", "TH-10", timedelta(days=2), 10, 0)
    await counted(resources, "ingest", "TH-10", timedelta(hours=1), 10, 0)
    async with resources.database.unit_of_work() as session:
        await count_repository.drop_expired(session, clock.now())
        minutes = await session.scalar(text("SELECT count(*) FROM insights_minute"))
        hours = await session.scalar(text("SELECT count(*) FROM insights_hour"))
    assert (minutes, hours) == (1, 2)
