"""The worker's role `incidents`: works deliveries in, keeps what is due, calls people."""

from __future__ import annotations

import asyncio

from backend.incidents import intake, sending, sweeps
from backend.incidents.consumers import GROUP, HANDLERS
from backend.notifications import service as notifications
from backend.platform.consumers import Consumer
from backend.platform.resources import Resources
from backend.platform.turns import repeat

_IDLE_S = 0.2
_SWEEP_EVERY_S = 1.0


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Do all of it until `stop`; each loop on its own, so that a slow mail server holds up none."""
    database = resources.database
    allow_loopback = not resources.settings.production
    async with (
        notifications.Outbound(allow_loopback=allow_loopback) as outbound,
        sending.carriers_of(resources.settings) as carriers,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(Consumer(resources, GROUP, HANDLERS).run(stop))
        group.create_task(repeat(stop, _IDLE_S, lambda: intake.work_in(database)))
        group.create_task(repeat(stop, _SWEEP_EVERY_S, lambda: sweeps.sweep(database)))
        group.create_task(
            repeat(stop, _IDLE_S, lambda: sending.send_due(resources, outbound, carriers))
        )
