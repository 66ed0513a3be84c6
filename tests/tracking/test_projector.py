"""From the log to live state and history: in any order, more than once, and past bad records."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from backend.platform.eventlog import Record
from backend.platform.eventlog_streams import dead_topic
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.tracking import fix_repository, livestore, projector
from backend.tracking.livestate import MOVED_BYTES, MOVED_CHANNEL, LiveState
from backend.tracking.positions import GROUP, IN_FLIGHT_KEY, TOPIC, LoggedFix, encode
from backend.tracking.projector import Projector
from tests.tracking.fleet import (
    BANGKOK,
    Phone,
    ago,
    fix,
    hire,
    history,
    position,
    send,
    somebody,
    work_off,
)

LAT, LON = BANGKOK


def logged(phone: Phone, seconds: float, **values: Any) -> LoggedFix:
    """A fix so many seconds old as it stands in the log."""
    ms = round(ago(seconds).timestamp() * 1000)
    plain = LoggedFix(phone.id.bytes, ms, ms, LAT, LON, None, None, None, None, None, None, 0)
    return plain._replace(**values)


async def append(resources: Resources, *records: Sequence[LoggedFix] | bytes) -> None:
    await resources.events.append(
        TOPIC,
        [
            Record(b"", record) if isinstance(record, bytes) else encode(record)
            for record in records
        ],
    )


async def live(resources: Resources, phone: Phone) -> LiveState | None:
    return (await livestore.newest(resources.redis, [phone.id])).get(phone.id)


async def test_fix_comes_to_history_and_live_state_with_all_it_says(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    at = ago(5)
    said = {"speed": 9.5, "bearing": 46.0, "accuracy": 6.0, "battery": 0.81, "altitude": 3.0}
    await send(client, phone, fix(at, **said))
    assert await work_off(resources) == 1
    [row] = await history(resources, phone)
    assert (row.recorded_at, row.lat, row.lon, row.flagged) == (at, LAT, LON, False)
    assert (row.speed, row.bearing, row.accuracy) == (9.5, 46.0, 6.0)
    shown = await position(client, phone, await somebody(resources, "viewer", "TH-10"))
    assert shown["recorded_at"].startswith(at.isoformat()[:19])
    assert (shown["lat"], shown["lon"], shown["battery"]) == (LAT, LON, 0.81)
    assert await resources.events.lag(TOPIC, GROUP) == 0


async def test_late_fix_enters_history_but_not_live_state(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    await send(client, phone, fix(ago(10)))
    await work_off(resources)
    before = await live(resources, phone)
    await send(client, phone, [fix(ago(7200 + n), LAT + 0.01) for n in range(3)])
    await work_off(resources)
    assert await live(resources, phone) == before
    assert len(await history(resources, phone)) == 4


async def test_one_future_fix_does_not_freeze_a_driver(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    await send(client, phone, fix(ago(-240)))
    await work_off(resources)
    await asyncio.sleep(0.01)
    await send(client, phone, fix(ago(0), LAT + 0.0001))
    await work_off(resources)
    state = await live(resources, phone)
    assert state is not None
    assert state.lat == pytest.approx(LAT + 0.0001, abs=1e-7)


async def test_doubted_fix_does_not_move_live_state(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    phone = await hire(resources)
    await send(client, phone, [fix(ago(30)), fix(ago(20), LAT + 1)])
    await work_off(resources)
    state = await live(resources, phone)
    assert state is not None
    assert state.lat == pytest.approx(LAT, abs=1e-7)
    assert len(await history(resources, phone)) == 2


async def test_moved_drivers_are_told_to_the_maps(resources: Resources) -> None:
    phone = await hire(resources)
    async with resources.redis.pubsub() as channel:
        await channel.subscribe(MOVED_CHANNEL)
        await append(resources, [logged(phone, 5)])
        await work_off(resources)
        async with asyncio.timeout(30):
            # Channels are shared by every test process on the server.
            async for message in channel.listen():
                told = message["data"]
                if isinstance(told, bytes) and told.startswith(phone.id.bytes):
                    break
    assert len(told) == MOVED_BYTES


async def test_driver_is_in_the_set_of_one_cell_only(resources: Resources) -> None:
    phone = await hire(resources)
    for seconds, lat in ((20, LAT), (10, LAT + 0.5)):
        await append(resources, [logged(phone, seconds, lat=lat)])
        await work_off(resources)
    keys = [key async for key in resources.redis.scan_iter("tracking:cell:*")]
    members = [await resources.redis.smembers(key) for key in keys]
    assert sorted(map(len, members)) == [1]


async def test_same_record_twice_is_one_fix(resources: Resources) -> None:
    phone = await hire(resources)
    fixes = [logged(phone, seconds) for seconds in (30, 20, 10)]
    await append(resources, fixes, fixes, [*fixes, *fixes])
    await work_off(resources)
    assert len(await history(resources, phone)) == 3


async def test_crash_between_history_and_acknowledgement_loses_and_doubles_nothing(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await hire(resources)
    await append(resources, [logged(phone, 20)], [logged(phone, 10)])
    dying = Projector(resources)
    await dying.prepare()

    async def die(*_: object) -> None:
        raise ConnectionError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(resources.events, "acknowledge", die)
        with pytest.raises(ConnectionError):
            await dying.turn(wait_ms=10)
    assert len(await history(resources, phone)) == 2
    assert await resources.events.lag(TOPIC, GROUP) == 2
    monkeypatch.setattr(projector, "_DEAD_AFTER_MS", 0)
    await work_off(resources)
    assert len(await history(resources, phone)) == 2
    assert await resources.events.lag(TOPIC, GROUP) == 0
    assert await resources.redis.scard(IN_FLIGHT_KEY) == 0


async def test_crash_before_history_is_made_good_by_the_next_projector(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await hire(resources)
    await append(resources, [logged(phone, 20)])
    dying = Projector(resources)
    await dying.prepare()

    async def die(_: AsyncSession, __: Sequence[LoggedFix]) -> None:
        raise ConnectionError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(fix_repository, "add", die)
        with pytest.raises(ConnectionError):
            await dying.turn(wait_ms=10)
    assert await history(resources, phone) == []
    monkeypatch.setattr(projector, "_DEAD_AFTER_MS", 0)
    await work_off(resources)
    assert len(await history(resources, phone)) == 1


@pytest.mark.parametrize("poison", [b"\xc1 not ours", b"\x91\x91\x01", b"\x05"])
async def test_record_that_cannot_be_read_is_set_aside_and_the_rest_goes_on(
    resources: Resources, poison: bytes
) -> None:
    phone = await hire(resources)
    await append(resources, [logged(phone, 20)], poison, [logged(phone, 10)])
    await work_off(resources)
    assert len(await history(resources, phone)) == 2
    assert await resources.events.length(dead_topic(TOPIC, GROUP)) == 1
    assert await resources.events.lag(TOPIC, GROUP) == 0


async def test_record_that_postgresql_refuses_takes_no_good_one_with_it(
    resources: Resources,
) -> None:
    phone = await hire(resources)
    bad = logged(phone, 15, speed=1e300)
    await append(resources, [logged(phone, 20)], [bad], [logged(phone, 10)])
    await work_off(resources)
    assert len(await history(resources, phone)) == 2
    assert await resources.events.length(dead_topic(TOPIC, GROUP)) == 1
    assert await resources.events.lag(TOPIC, GROUP) == 0


async def test_fixes_of_a_driver_who_is_gone_are_kept_as_any(resources: Resources) -> None:
    gone = Phone(uuid7(), "DRV-X", "")
    await append(resources, [logged(gone, 5)])
    assert await work_off(resources) == 1


async def test_log_is_cut_short_behind_the_projector(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await hire(resources)
    await append(resources, *([logged(phone, n + 1)] for n in range(20)))
    await work_off(resources)
    monkeypatch.setattr(projector, "_TIDY_EVERY_S", 0.0)
    await work_off(resources)
    assert await resources.events.length(TOPIC) == 0
