"""A database that goes away while messages are on their way makes none of them come twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.notifications import messenger as sending
from backend.notifications import messenger_role
from backend.notifications.messenger import GRACE, LEASE, Messenger
from backend.platform import clock, outages
from backend.platform.outages import STORES_FAILED
from backend.platform.resources import Resources
from tests.dispatch.orders import place_order
from tests.notifications.carriers import GatewayServer, gateway_server
from tests.notifications.outbox import get, messenger_of, queue, send
from tests.notifications.test_channels import by_gateway
from tests.support.outage import database_away


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayServer]:
    async with gateway_server() as opened:
        opened.answer = lambda _: "slow"
        yield opened


async def queued(resources: Resources, count: int) -> list[UUID]:
    """Messages of as many orders."""
    return [(await queue(resources, (await place_order(resources)).id)).id for _ in range(count)]


async def heard(gateway: GatewayServer, count: int) -> None:
    """Return once the gateway has heard of so many messages."""
    async with asyncio.timeout(30):
        while len(gateway.heard) < count:
            await asyncio.sleep(0.01)


async def begin(messenger: Messenger, gateway: GatewayServer, count: int) -> None:
    """Have so many messages in the gateway's hands, which has not answered."""
    assert await messenger.turn() == count
    await heard(gateway, count)


async def fails(messenger: Messenger, times: int = 3) -> None:
    """The messenger cannot write down what came back, however often it tries."""
    for _ in range(times):
        with pytest.raises(STORES_FAILED):
            await messenger.turn()


class Interruptions:
    """How often each part of the role was interrupted, heard in place of the log."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()

    def warning(self, event: str, *, role: str, **_: Any) -> None:
        self.of[role] += event == "role_interrupted"


async def assert_sent_once(resources: Resources, gateway: GatewayServer, ids: list[UUID]) -> None:
    assert sorted(each["id"] for each in gateway.heard) == sorted(str(each) for each in ids)
    for each in ids:
        now = await get(resources, each)
        assert (now.state, now.attempts, now.repeated) == ("sent", 1, False)
        assert [one.outcome for one in now.tried] == ["sent"]


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Let the messengers see a later time."""
    real = clock.now
    monkeypatch.setattr(sending.clock, "now", lambda: real() + by)


async def test_what_was_sent_is_kept_until_the_database_is_back(
    resources: Resources, gateway: GatewayServer
) -> None:
    ids = await queued(resources, 3)
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await begin(messenger, gateway, 3)
        async with database_away(resources):
            gateway.released.set()
            await messenger.settled()
            await fails(messenger)
            assert messenger.busy
        await send(messenger)
        assert not messenger.busy
    await assert_sent_once(resources, gateway, ids)


async def test_an_outage_longer_than_a_claim_lets_nobody_else_send_it_again(
    resources: Resources, gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await queued(resources, 2)
    connections = by_gateway(resources, gateway)
    async with (
        messenger_of(resources, connections) as messenger,
        messenger_of(resources, connections) as other,
    ):
        await begin(messenger, gateway, 2)
        async with database_away(resources):
            gateway.released.set()
            await messenger.settled()
            await fails(messenger)
            await fails(other, 1)
            later(monkeypatch, LEASE + timedelta(seconds=1))
        assert await other.turn() == 0, "who claimed it may be writing down what came of it"
        await send(messenger)
    await assert_sent_once(resources, gateway, ids)


async def test_what_a_dead_process_had_claimed_is_taken_over_once_the_grace_is_over(
    resources: Resources, gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    [one] = await queued(resources, 1)
    connections = by_gateway(resources, gateway)
    async with messenger_of(resources, connections) as dead:
        await begin(dead, gateway, 1)
    gateway.answer = lambda _: (202, {})
    async with messenger_of(resources, connections) as other:
        async with database_away(resources):
            await fails(other, 1)
        later(monkeypatch, LEASE + timedelta(seconds=1))
        assert await other.turn() == 0
        later(monkeypatch, GRACE)
        await send(other)
    now = await get(resources, one)
    assert (now.state, now.repeated, len(gateway.heard)) == ("sent", True, 2)


async def test_a_claim_whose_commit_was_not_heard_of_is_given_back_and_sent_as_new(
    resources: Resources, gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await queued(resources, 2)
    gateway.answer = lambda _: (202, {})
    whole = resources.database.unit_of_work

    @asynccontextmanager
    async def unheard() -> AsyncIterator[object]:
        async with whole() as session:
            yield session
        raise OSError("The connection was lost after the commit.")

    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        with monkeypatch.context() as patch:
            patch.setattr(resources.database, "unit_of_work", unheard)
            await fails(messenger, 1)
        async with resources.database.unit_of_work() as session:
            claimed = text("SELECT count(*) FROM notifications_message WHERE claim IS NOT NULL")
            assert await session.scalar(claimed) == 2
        await send(messenger)
    await assert_sent_once(resources, gateway, ids)


async def test_a_result_that_the_database_refuses_holds_up_no_other(
    resources: Resources, gateway: GatewayServer
) -> None:
    ids = await queued(resources, 2)
    gateway.answer = lambda message: (
        (422, {"detail": "no\0body"}) if message["id"] == str(ids[0]) else (202, {})
    )
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await begin(messenger, gateway, 2)
        await messenger._in_flight.all_landed()
        with pytest.raises(DBAPIError):
            await messenger.turn()
        await messenger.turn()
        assert not messenger.busy
    assert (await get(resources, ids[1])).state == "sent"
    assert (await get(resources, ids[0])).state == "queued"


async def test_the_role_goes_on_with_what_it_had_begun_when_the_database_is_back(
    resources: Resources, gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in by_gateway(resources, gateway).model_dump().items():
        if name.startswith("message_gateway"):
            monkeypatch.setattr(resources.settings, name, value)
    ids = await queued(resources, 3)
    interruptions = Interruptions()
    monkeypatch.setattr(outages, "_log", interruptions)
    stop = asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(messenger_role.run(resources, stop))
        await heard(gateway, 3)
        async with database_away(resources):
            gateway.released.set()
            while interruptions.of["messenger.sending"] < 2:
                await asyncio.sleep(0.01)
        while {(await get(resources, each)).state for each in ids} != {"sent"}:
            await asyncio.sleep(0.05)
        stop.set()
    await assert_sent_once(resources, gateway, ids)
