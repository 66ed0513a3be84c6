"""The worker role that writes to customers and drivers."""

from __future__ import annotations

import asyncio
from functools import partial

from backend.notifications.broadcasts import advance
from backend.notifications.message_consumers import GROUP, HANDLERS
from backend.notifications.messenger import send_due
from backend.platform.consumers import Consumer
from backend.platform.outages import outlast
from backend.platform.resources import Resources
from backend.platform.turns import repeat

_LOOK_EVERY_S = 1.0


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Read events, go through broadcasts and send what is due, until `stop`.

    Each outlasts a store that is away by itself, so that what is being sent is not cut off.
    """
    read = partial(Consumer(resources, GROUP, HANDLERS).run, stop)
    broadcast = partial(repeat, stop, _LOOK_EVERY_S, partial(advance, resources.database))
    async with asyncio.TaskGroup() as group:
        group.create_task(outlast("messenger.events", read, stop))
        group.create_task(outlast("messenger.broadcasts", broadcast, stop))
        group.create_task(send_due(resources, stop))
