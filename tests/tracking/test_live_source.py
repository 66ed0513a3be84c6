"""The live hub on real stores: moves, new drivers, limits by region, and a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from backend.identity.schemas import SYSTEM, Principal
from backend.platform.resources import Resources
from backend.regions.service import seed
from backend.tracking import live_hub, livestore
from backend.tracking.live_hub import LiveHub
from backend.tracking.live_source import StoreSource, decode_live, decode_moved
from backend.tracking.live_table import Status, Thresholds
from backend.tracking.livestate import LiveState
from backend.tracking.schemas import DriverIn
from backend.tracking.service import create_driver, set_shift

WITHIN_S = 5.0


def state(*, lat: float = 13.75, lon: float = 100.5, age_s: float = 0) -> LiveState:
    now_ms = int((time() - age_s) * 1000)
    return LiveState(now_ms, now_ms, lat, lon, bearing=90, speed=5, battery=0.8, accuracy=8)


async def driver(resources: Resources, region: str = "TH-10") -> UUID:
    async with resources.database.unit_of_work() as session:
        wanted = DriverIn(name="Malee", vehicle="bike", region=region)
        return (await create_driver(session, SYSTEM, wanted)).id


async def until(holds: object) -> None:
    assert callable(holds)
    async with asyncio.timeout(WITHIN_S):
        while not holds():
            await asyncio.sleep(0.02)


@pytest.fixture
async def cities(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        limits = "UPDATE regions_region SET offline_after_s = 60 WHERE code = 'SG-01'"
        await session.execute(text(limits))


@pytest.fixture
async def hub(resources: Resources, cities: None) -> AsyncIterator[LiveHub]:
    hub = LiveHub(StoreSource(resources), thresholds=Thresholds(), tick_s=0.05)
    async with live_hub.running(hub):
        await until(lambda: hub.table.tick > 1)
        yield hub


def latitude(hub: LiveHub, driver_id: UUID) -> float | None:
    slot = hub.table.slot(driver_id.bytes)
    if slot is None or hub.table.details[slot] is None:
        return None
    return float(hub.table.column("lat_e7")[slot]) / 1e7


@pytest.mark.usefixtures("cities")
async def test_hub_holds_what_the_stores_hold_when_it_starts(resources: Resources) -> None:
    known = await driver(resources)
    await livestore.advance(resources.redis, {known.bytes: state()})
    hub = LiveHub(StoreSource(resources), thresholds=Thresholds(), tick_s=0.05)
    async with live_hub.running(hub):
        await until(lambda: latitude(hub, known) == 13.75)


async def test_driver_who_begins_and_moves_is_seen_at_once(
    resources: Resources, hub: LiveHub
) -> None:
    new = await driver(resources)
    await livestore.advance(resources.redis, {new.bytes: state()})
    await until(lambda: latitude(hub, new) == 13.75)
    await livestore.advance(resources.redis, {new.bytes: state(lat=13.8)})
    await until(lambda: latitude(hub, new) == 13.8)


async def test_going_off_shift_is_seen(resources: Resources, hub: LiveHub) -> None:
    known = await driver(resources)
    await livestore.advance(resources.redis, {known.bytes: state()})
    await until(lambda: latitude(hub, known))
    slot = hub.table.slot(known.bytes)
    assert hub.table.column("status")[slot] == Status.LIVE
    phone = Principal("device", f"driver:{known}", "phone", regions=("TH-10",),
                      permissions=frozenset({"shift:write"}), driver_id=known)  # fmt: skip
    async with resources.database.unit_of_work() as session:
        await set_shift(session, phone, on=False)
    await until(lambda: hub.table.column("status")[slot] == Status.OFF_SHIFT)


async def test_a_regions_own_limits_hold(resources: Resources, hub: LiveHub) -> None:
    here, there = await driver(resources), await driver(resources, "SG-01")
    states = {known.bytes: state(age_s=70) for known in (here, there)}
    await livestore.advance(resources.redis, states)
    await until(lambda: latitude(hub, here) and latitude(hub, there))
    status = [hub.table.column("status")[hub.table.slot(known.bytes)] for known in (here, there)]
    assert status == [Status.STALE, Status.OFFLINE]


async def test_state_of_nobody_is_shown_to_nobody(resources: Resources, hub: LiveHub) -> None:
    ghost, known = UUID(int=7), await driver(resources)
    await livestore.advance(resources.redis, {ghost.bytes: state()})
    await livestore.advance(resources.redis, {known.bytes: state()})
    await until(lambda: latitude(hub, known))
    assert hub.table.scope_mask(["*"]).sum() == 1


async def test_what_was_missed_while_unheard_is_caught_up(
    resources: Resources, hub: LiveHub
) -> None:
    known = await driver(resources)
    await livestore.advance(resources.redis, {known.bytes: state()})
    await until(lambda: latitude(hub, known))
    # Said by nobody, as if the connection had been down at that moment.
    later = {known.bytes: state(lat=13.9)}
    await resources.redis.hset("tracking:live", mapping={i: s.pack() for i, s in later.items()})
    await resources.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: latitude(hub, known) == 13.9)
    await livestore.advance(resources.redis, {known.bytes: state(lat=14)})
    await until(lambda: latitude(hub, known) == 14)


@given(st.binary(max_size=200))
def test_torn_messages_are_read_as_far_as_they_go(content: bytes) -> None:
    ids, states = decode_moved(content)
    assert len(ids) == len(states.lat_e7) == len(content) // 48
    ids, states = decode_live([(content[:16], content[16:])])
    assert len(ids) == (1 if len(content) == 48 else 0)


def test_states_are_read_as_tracking_writes_them() -> None:
    ids, states = decode_moved(b"i" * 15 + b"\0" + state(lat=-1.5, lon=179.99).pack())
    assert ids == [b"i" * 15 + b"\0"]
    assert states.lat_e7.tolist() == [-15_000_000]
    assert states.lon_e7.tolist() == [1_799_900_000]
    assert states.bearing.tolist() == [45]
    assert states.speed.tolist() == [20]
    assert states.battery.tolist() == [80]
    assert states.accuracy_m.tolist() == [8]
