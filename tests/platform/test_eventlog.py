"""The event log keeps what it accepted and hands it to every group at least once."""

from __future__ import annotations

from backend.platform.eventlog import Record
from backend.platform.eventlog_streams import dead_topic
from backend.platform.outbox import TOPIC, Event, emit, relay_once
from backend.platform.resources import Resources

_TOPIC = "test.topic"


def _records(*values: bytes) -> list[Record]:
    return [Record(b"key", value) for value in values]


async def test_each_group_reads_every_record_once_in_order(resources: Resources) -> None:
    log = resources.events
    await log.append(_TOPIC, _records(b"1", b"2", b"3"))
    for group in ("a", "b"):
        await log.ensure_group(_TOPIC, group)
        got = await log.read(_TOPIC, group, "c1", count=10, block_ms=10)
        assert [delivery.record.value for delivery in got] == [b"1", b"2", b"3"]
        assert await log.read(_TOPIC, group, "c1", count=10, block_ms=10) == []


async def test_a_dead_consumers_deliveries_are_reclaimed_and_counted(resources: Resources) -> None:
    log = resources.events
    await log.ensure_group(_TOPIC, "g")
    await log.append(_TOPIC, _records(b"1", b"2"))
    first = await log.read(_TOPIC, "g", "dies", count=10, block_ms=10)
    await log.acknowledge(_TOPIC, "g", [first[0].id])
    again = await log.reclaim(_TOPIC, "g", "lives", min_idle_ms=0, count=10)
    assert [(delivery.record.value, delivery.attempts) for delivery in again] == [(b"2", 2)]
    assert await log.lag(_TOPIC, "g") == 1


async def test_a_poisonous_record_ends_in_the_dead_letters(resources: Resources) -> None:
    log = resources.events
    await log.ensure_group(_TOPIC, "g")
    await log.append(_TOPIC, [Record(b"key", b"rubbish", {"type": "x"})])
    [delivery] = await log.read(_TOPIC, "g", "c", count=1, block_ms=10)
    await log.dead_letter(_TOPIC, "g", delivery, "cannot be decoded")
    assert await log.lag(_TOPIC, "g") == 0
    await log.ensure_group(dead_topic(_TOPIC, "g"), "look")
    [dead] = await log.read(dead_topic(_TOPIC, "g"), "look", "c", count=1, block_ms=10)
    assert dead.record.value == b"rubbish"
    assert dead.record.headers["reason"] == "cannot be decoded"
    assert dead.record.headers["type"] == "x"


async def test_trimming_stops_at_the_slowest_group(resources: Resources) -> None:
    log = resources.events
    await log.ensure_group(_TOPIC, "fast")
    await log.ensure_group(_TOPIC, "slow")
    await log.append(_TOPIC, _records(b"1", b"2", b"3"))
    for group, done in (("fast", 3), ("slow", 1)):
        got = await log.read(_TOPIC, group, "c", count=10, block_ms=10)
        await log.acknowledge(_TOPIC, group, [delivery.id for delivery in got[:done]])
    assert await log.trim(_TOPIC) == 1
    assert await log.length(_TOPIC) == 2


async def test_a_group_that_has_read_nothing_keeps_everything(resources: Resources) -> None:
    log = resources.events
    await log.ensure_group(_TOPIC, "new")
    await log.append(_TOPIC, _records(b"1"))
    assert await log.trim(_TOPIC) == 0
    assert await log.length(_TOPIC) == 1


async def test_a_lost_stream_does_not_stop_its_readers(resources: Resources) -> None:
    log = resources.events
    await log.ensure_group(_TOPIC, "g")
    await resources.redis.flushdb()
    assert await log.read(_TOPIC, "g", "c", count=1, block_ms=10) == []
    await log.append(_TOPIC, _records(b"1"))
    assert len(await log.read(_TOPIC, "g", "c", count=1, block_ms=10)) == 1


async def test_an_event_is_published_only_when_its_change_is_committed(
    resources: Resources,
) -> None:
    class Abandoned(Exception):
        pass

    try:
        async with resources.database.unit_of_work() as session:
            await emit(session, Event("order.lost", "k", "system", {}))
            raise Abandoned
    except Abandoned:
        pass
    async with resources.database.unit_of_work() as session:
        await emit(session, Event("order.kept", "k", "system", {"n": 1}))
    assert await relay_once(resources.database, resources.events) == 1
    assert await relay_once(resources.database, resources.events) == 0
    assert await resources.events.length(TOPIC) == 1
