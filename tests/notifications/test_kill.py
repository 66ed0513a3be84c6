"""A notifier that is killed while it sends loses nothing and mixes nothing up."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta

import pytest

from backend.notifications import notifier
from backend.notifications.notifier import LEASE, Sender
from backend.platform import clock
from backend.platform.resources import Resources
from tests.notifications.conftest import Subscribe, life, log_of, work
from tests.notifications.receiver import Receiver


async def test_what_a_killed_process_had_claimed_is_sent_by_another_in_order(
    resources: Resources,
    receiver: Receiver,
    subscribe: Subscribe,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint = await subscribe()
    await life(resources, "created", "assigned", "accepted")
    receiver.answer = lambda _: "slow"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "backend.cli", "worker", "notifier"),
        env=dict(os.environ),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(120):
            while not receiver.heard:
                await asyncio.sleep(0.02)
    finally:
        process.kill()
        await process.wait()
    assert [each.state for each in await log_of(resources)] == ["pending"] * 3
    receiver.answer = lambda _: 200
    assert await sender.turn() == 0
    real = clock.now
    monkeypatch.setattr(notifier.clock, "now", lambda: real() + LEASE + timedelta(seconds=1))
    await work(sender)
    kinds = [message["type"] for message in receiver.messages(endpoint.secret)]
    assert kinds == ["order.created", "order.created", "order.assigned", "order.accepted"]
    ids = [heard.headers["webhook-id"] for heard in receiver.heard]
    assert ids[0] == ids[1]
    assert [each.state for each in await log_of(resources)] == ["delivered"] * 3
