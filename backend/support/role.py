"""The worker's role `support`: opens what opens by itself, and keeps what is due by the clock."""

from __future__ import annotations

import asyncio

from backend.platform.consumers import Consumer
from backend.platform.resources import Resources
from backend.platform.turns import repeat
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
        group.create_task(repeat(stop, _SWEEP_EVERY_S, lambda: sweeps.sweep(database)))
        group.create_task(repeat(stop, _LOOK_FOR_LATE_EVERY_S, lambda: sweeps.open_late(database)))
        group.create_task(repeat(stop, _DROP_DRAFTS_EVERY_S, lambda: sweeps.drop_drafts(database)))
