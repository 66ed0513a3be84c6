"""A messenger that is killed while it sends repeats a message at most once, and says so."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import text

from backend.platform.resources import Resources
from tests.dispatch.orders import place_order
from tests.notifications.carriers import SECRET, GatewayServer, gateway_server
from tests.notifications.outbox import get, messenger_of, queue, send
from tests.notifications.test_channels import by_gateway


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayServer]:
    async with gateway_server() as opened:
        yield opened


async def killed_while_sending(gateway: GatewayServer) -> None:
    """A messenger in a process of its own, ended once the gateway has heard from it."""
    before = len(gateway.heard)
    environment = {
        **os.environ,
        "WAYPOST_MESSAGE_GATEWAY_URL": gateway.url,
        "WAYPOST_MESSAGE_GATEWAY_SECRET": SECRET,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "backend.cli", "worker", "messenger"),
        env=environment,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(120):
            while len(gateway.heard) == before:
                await asyncio.sleep(0.02)
    finally:
        process.kill()
        await process.wait()


async def lease_over(resources: Resources, message_id: UUID) -> None:
    """Let the time pass for which the dead process had claimed the message."""
    async with resources.database.unit_of_work() as session:
        done = await session.execute(
            text(
                "UPDATE notifications_message SET claimed_until = queued_at"
                " WHERE id = :id AND claimed_until > now() RETURNING id"
            ),
            {"id": message_id},
        )
        assert done.all(), "it was not claimed"


async def test_a_message_is_repeated_at_most_once(
    resources: Resources, gateway: GatewayServer
) -> None:
    gateway.answer = lambda _: "slow"
    made = await queue(resources, (await place_order(resources)).id)
    await killed_while_sending(gateway)
    assert (await get(resources, made.id)).state == "queued"
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        assert await messenger.turn() == 0, "another's claim is left alone"
    await lease_over(resources, made.id)
    gateway.answer = lambda _: (202, {})
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
    first, second = gateway.heard
    assert (first["repeat"], second["repeat"]) == (False, True)
    assert gateway.ids[0] == gateway.ids[1], "so that the gateway knows it again"
    now = await get(resources, made.id)
    assert (now.state, now.repeated, now.attempts) == ("sent", True, 1)
    assert [(each.outcome, each.repeat) for each in now.tried] == [
        ("cut_off", False),
        ("sent", True),
    ]


async def test_after_a_second_kill_it_is_not_sent_a_third_time(
    resources: Resources, gateway: GatewayServer
) -> None:
    gateway.answer = lambda _: "slow"
    made = await queue(resources, (await place_order(resources)).id)
    for _ in range(2):
        await killed_while_sending(gateway)
        await lease_over(resources, made.id)
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
    now = await get(resources, made.id)
    assert len(gateway.heard) == 2
    assert now.state == "given_up"
    assert now.why == "Sending was cut off twice; whether it arrived is not known."
