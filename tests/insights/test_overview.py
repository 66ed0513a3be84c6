"""The overview from real stores, in the caller's regions only."""

from __future__ import annotations

from time import time
from uuid import UUID

import pytest
from sqlalchemy import text

from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.identity.service import Denied
from backend.insights.service import overview
from backend.platform.resources import Resources
from backend.regions.service import seed
from backend.tracking import counters, livestore
from backend.tracking.livestate import LiveState
from backend.tracking.schemas import DriverIn
from backend.tracking.service import create_driver

MANAGER = Principal("user", "user:1", "Malee", (GrantScope("fleet_manager", "TH"),))
VIEWER = Principal("user", "user:2", "Ravi", (GrantScope("viewer", "*"),))


@pytest.fixture
async def fleet(resources: Resources) -> Resources:
    """Bangkok: live, live on low battery, stale, offline, off shift. Singapore: silent."""
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        bangkok = [await _driver(session, "TH-10", on_shift=n < 4) for n in range(5)]
        singapore = await _driver(session, "SG-01")
    states = {
        driver.bytes: _state(age_s, battery)
        for driver, age_s, battery in zip(
            [*bangkok, singapore],
            (1, 2, 60, 900, 1, 1200),
            (0.9, 0.1, 0.9, 0.1, 0.1, 0.9),
            strict=True,
        )
    }
    await livestore.advance(resources.redis, states)
    minute_ms = int(time() * 1000) - 60_000
    async with resources.redis.pipeline() as pipe:
        counters.count(pipe, minute_ms, {"TH-10": 240, "SG-01": 7}, {})
        refused = {("TH-10", "osmand", "in_future"): 30, ("SG-01", "native", "too_old"): 3}
        counters.count(pipe, minute_ms + 60_000, {}, refused)
        await pipe.execute()
    return resources


async def _driver(session: object, region: str, *, on_shift: bool = True) -> UUID:
    driver = await create_driver(
        session, SYSTEM, DriverIn(name="Malee", vehicle="bike", region=region)  # type: ignore[arg-type]
    )  # fmt: skip
    if not on_shift:
        gone = text("UPDATE tracking_driver SET on_shift = false WHERE id = :id")
        await session.execute(gone, {"id": driver.id})  # type: ignore[attr-defined]
    return driver.id


def _state(age_s: float, battery: float) -> LiveState:
    at_ms = int((time() - age_s) * 1000)
    return LiveState(at_ms, at_ms, 13.75, 100.5, battery=battery)


async def test_everything_of_the_callers_regions_and_nothing_else(fleet: Resources) -> None:
    seen = await overview(fleet, MANAGER)
    assert seen.drivers.model_dump() == {
        "live": 2, "stale": 1, "offline": 1, "off_shift": 1, "low_battery": 1,
    }  # fmt: skip
    [bangkok] = seen.cities
    assert (bangkok.region, bangkok.name, bangkok.country) == ("TH-10", "Bangkok", "TH")
    assert bangkok.newest_age_s is not None
    assert 0 <= bangkok.newest_age_s < 30
    assert len(seen.fixes_per_minute) == 60
    # A minute may end while the test runs.
    assert 240 in seen.fixes_per_minute[-2:]
    assert bangkok.fixes_last_minute == seen.fixes_per_minute[-1]
    assert [(row.code, row.count) for row in seen.refusals] == [("in_future", 30)]
    assert [need.kind for need in seen.needs] == ["refusals", "offline", "low_battery"]
    assert seen.log_lag == 0


async def test_whoever_sees_all_sees_the_silent_city_first(fleet: Resources) -> None:
    seen = await overview(fleet, VIEWER)
    assert [row.region for row in seen.cities] == ["SG-01", "TH-10"]
    first = seen.needs[0]
    assert (first.kind, first.region) == ("silent_city", "SG-01")
    assert first.for_s == pytest.approx(1200, abs=60)
    assert seen.refused_last_hour == 33
    assert sum(seen.fixes_per_minute) == 247


async def test_a_part_of_the_callers_regions_can_be_asked_for(fleet: Resources) -> None:
    assert [row.region for row in (await overview(fleet, VIEWER, "SG")).cities] == ["SG-01"]
    assert (await overview(fleet, MANAGER, "TH-10.siam")).cities == []


async def test_a_foreign_region_is_denied(fleet: Resources) -> None:
    with pytest.raises(Denied):
        await overview(fleet, MANAGER, "SG-01")


async def test_an_empty_system_has_an_overview(resources: Resources) -> None:
    seen = await overview(resources, VIEWER)
    assert seen.cities == seen.needs == []
    assert seen.newest_age_s is None
    assert seen.fixes_per_minute == [0] * 60
