"""The worker's role `support`: opens what opens by itself, and keeps what is due by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from backend.platform.consumers import Consumer
from backend.platform.resources import Resources
from backend.support import sweeps
from backend.support.consumers import GROUP, HANDLERS

_SWEEP_EVERY_S = 1.0
_LOOK_FOR_LATE_EVERY_S = 15.0
_DROP_DRAFTS_EVERY_S = 300.0


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Do all of it until `stop`."""
    database = resources.database
    async with asyncio.TaskGroup() as group:
        group.create_task(Consumer(resources, GROUP, HANDLERS).run(stop))
        group.create_task(_repeat(stop, _SWEEP_EVERY_S, lambda: sweeps.sweep(database)))
        group.create_task(_repeat(stop, _LOOK_FOR_LATE_EVERY_S, lambda: sweeps.open_late(database)))
        group.create_task(_repeat(stop, _DROP_DRAFTS_EVERY_S, lambda: sweeps.drop_drafts(database)))


async def _repeat(stop: asyncio.Event, idle_s: float, turn: Callable[[], Awaitable[int]]) -> None:
    """Turn after turn, without a pause while there is work."""
    while not stop.is_set():
        if not await turn():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), idle_s)
