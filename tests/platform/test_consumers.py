"""A group's handlers see each event once, and what cannot be handled is not in the way."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from backend.platform import consumers
from backend.platform.consumers import Consumer, Received
from backend.platform.errors import Invalid
from backend.platform.eventlog import Record
from backend.platform.eventlog_streams import dead_topic
from backend.platform.outbox import TOPIC, Event, emit, relay_once
from backend.platform.resources import Resources


async def _publish(resources: Resources, *kinds: str) -> None:
    async with resources.database.unit_of_work() as session:
        for kind in kinds:
            await emit(session, Event(kind, "order-1", "system", {"n": 1}, "TH-10"))
    await relay_once(resources.database, resources.events)


async def test_a_repeated_event_is_handled_once(resources: Resources) -> None:
    seen: list[Received] = []

    async def note(_: AsyncSession, event: Received) -> None:
        seen.append(event)

    consumer = Consumer(resources, "g", {"order.created": note})
    await consumer.prepare()
    await _publish(resources, "order.created", "order.cancelled")
    await resources.events.ensure_group(TOPIC, "look")
    [first, _] = await resources.events.read(TOPIC, "look", "c", count=2, block_ms=10)
    await resources.events.append(TOPIC, [first.record])
    assert await consumer.turn(wait_ms=10) == 3
    [event] = seen
    assert (event.type, event.key, event.region, event.data) == (
        "order.created", "order-1", "TH-10", {"n": 1},
    )  # fmt: skip
    assert await resources.events.lag(TOPIC, "g") == 0


async def test_a_refused_event_comes_again_and_ends_in_the_dead_letters(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "_RETRY_AFTER_MS", 0)
    monkeypatch.setattr(consumers, "_TIDY_EVERY_S", 0)
    tries = 0

    async def refuse(_: AsyncSession, event: Received) -> None:
        nonlocal tries
        tries += 1
        raise Invalid("not yet")

    consumer = Consumer(resources, "g", {"order.created": refuse})
    await consumer.prepare()
    await _publish(resources, "order.created")
    while await resources.events.lag(TOPIC, "g"):
        await consumer.turn(wait_ms=1)
    assert tries == 5
    assert await resources.events.length(dead_topic(TOPIC, "g")) == 1


async def test_rubbish_is_put_aside(resources: Resources) -> None:
    consumer = Consumer(resources, "g", {})
    await consumer.prepare()
    await resources.events.append(TOPIC, [Record(b"k", b"{not json")])
    await consumer.turn(wait_ms=10)
    assert await resources.events.lag(TOPIC, "g") == 0
    assert await resources.events.length(dead_topic(TOPIC, "g")) == 1


async def test_one_refused_event_does_not_hold_up_those_it_came_with(
    resources: Resources,
) -> None:
    handled: list[str] = []

    async def note(_: AsyncSession, event: Received) -> None:
        if event.type == "order.failed":
            raise Invalid("not this one")
        handled.append(event.type)

    kinds = ("order.created", "order.failed", "order.cancelled")
    consumer = Consumer(resources, "g", dict.fromkeys(kinds, note))
    await consumer.prepare()
    await _publish(resources, *kinds)
    await consumer.turn(wait_ms=10)
    # The first came before the refusal, was rolled back with it, and is handled once more.
    assert handled[-2:] == ["order.created", "order.cancelled"]
    assert await resources.events.lag(TOPIC, "g") == 1
