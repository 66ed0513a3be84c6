"""A city's drivers come as columns, with the newest positions and in code order."""

from __future__ import annotations

import numpy as np
import pytest

from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.identity.service import Denied
from backend.platform import clock
from backend.platform.resources import Resources
from backend.tracking import service
from backend.tracking.livestate import LIVE_KEY, LiveState

from .fleet import BANGKOK, hire


async def _seen(resources: Resources, driver: bytes, age_s: float, battery: float | None) -> None:
    at = int((clock.now().timestamp() - age_s) * 1000)
    state = LiveState(at, at, *BANGKOK, battery=battery)
    await resources.redis.hset(LIVE_KEY, driver, state.pack())


async def test_each_driver_of_the_city_has_a_row_with_the_newest_position(
    resources: Resources,
) -> None:
    seen = await hire(resources, code="DRV-1", vehicle="van", hub="TH-10.siam")
    silent = await hire(resources, code="DRV-2")
    home = await hire(resources, code="DRV-3", on_shift=False)
    await hire(resources, "SG-01", code="DRV-4")
    await _seen(resources, seen.id.bytes, 40, 0.55)
    await _seen(resources, home.id.bytes, 5, None)
    await resources.redis.hset(LIVE_KEY, silent.id.bytes, b"torn")
    async with resources.database.unit_of_work() as session:
        working = await service.drivers_of_city(session, SYSTEM, "TH-10")
        everyone = await service.drivers_of_city(session, SYSTEM, "TH-10", off_shift=True)
    assert working.ids == [seen.id, silent.id]
    assert everyone.ids == [seen.id, silent.id, home.id]
    assert (working.vehicles, working.hubs) == (["van", "bike"], ["TH-10.siam", None])
    assert (working.lat[0], working.lon[0]) == pytest.approx(BANGKOK)
    assert working.age_s[0] == pytest.approx(40, abs=30)
    assert working.battery[0] == pytest.approx(0.55)
    assert np.isnan(working.lat[1])
    assert np.isinf(working.age_s[1])
    assert np.isnan(everyone.battery[2])
    assert everyone.on_shift.tolist() == [True, True, False]
    assert (working.stale_s[0], working.offline_s[0]) == (30, 300)


async def test_more_drivers_than_one_round_trip_asks_for(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.tracking.city_drivers._AT_ONCE", 2)
    phones = [await hire(resources, code=f"DRV-{n}") for n in range(5)]
    for phone in phones:
        await _seen(resources, phone.id.bytes, 1, 0.5)
    async with resources.database.unit_of_work() as session:
        found = await service.drivers_of_city(session, SYSTEM, "TH-10")
    assert np.isfinite(found.lat).sum() == 5


async def test_only_whoever_sees_the_city_may_ask(resources: Resources) -> None:
    stranger = Principal("user", "user:x", "X", grants=(GrantScope("viewer", "IN"),))
    with pytest.raises(Denied):
        async with resources.database.unit_of_work() as session:
            await service.drivers_of_city(session, stranger, "TH-10")
