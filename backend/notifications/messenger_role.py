"""The worker role that writes to customers and drivers."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from backend.notifications.broadcasts import advance
from backend.notifications.message_consumers import GROUP, HANDLERS
from backend.notifications.messenger import send_due
from backend.platform.consumers import Consumer
from backend.platform.resources import Resources

_LOOK_EVERY_S = 1.0


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Read events, go through broadcasts and send what is due, until `stop`."""
    async with asyncio.TaskGroup() as group:
        group.create_task(Consumer(resources, GROUP, HANDLERS).run(stop))
        group.create_task(_broadcast(resources, stop))
        group.create_task(send_due(resources, stop))


async def _broadcast(resources: Resources, stop: asyncio.Event) -> None:
    while not stop.is_set():
        if not await advance(resources.database):
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_EVERY_S)
