"""The worker's role `payments`: follows orders, asks gateways, works in what they tell."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import DBAPIError

from backend.payments import actions, booking, tending, webhooks
from backend.payments.consumers import GROUP, HANDLERS
from backend.payments.gateways.registry import Gateways, open_gateways
from backend.platform.consumers import Consumer
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger
from backend.platform.turns import repeat

_IDLE_S = 0.3
_TEND_EVERY_S = 5.0
_SUM_UP_EVERY_S = 60.0

_log = get_logger(__name__)


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Do all of it until `stop`; each loop on its own, so that a slow gateway holds up no order."""
    gateways = open_gateways(resources)
    database = resources.database
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(Consumer(resources, GROUP, HANDLERS).run(stop))
            group.create_task(repeat(stop, _IDLE_S, lambda: actions.run_due(database, gateways)))
            group.create_task(repeat(stop, _IDLE_S, lambda: listen(resources, gateways)))
            group.create_task(repeat(stop, 1.0, lambda: actions.poll(database, gateways)))
            group.create_task(repeat(stop, _TEND_EVERY_S, lambda: tend(resources)))
            group.create_task(repeat(stop, _SUM_UP_EVERY_S, lambda: sum_up(resources)))
    finally:
        await gateways.close()


async def listen(resources: Resources, gateways: Gateways) -> int:
    """Take the sandbox's messages, and work in all that came."""
    sent = await webhooks.deliver_sandbox(resources.database)
    return sent + await webhooks.work_in(resources.database, gateways)


async def tend(resources: Resources) -> int:
    """What is due by the clock; nothing of it hurries."""
    await tending.expire_holds(resources.database)
    await tending.tell_late(resources.database)
    return 0


async def sum_up(resources: Resources) -> int:
    """Sum the hot accounts up; where posting never pauses, the next minute is as good."""
    try:
        await booking.sum_up_hot_accounts(resources.database)
    except DBAPIError as error:
        _log.info("not_summed_up", why=str(error.orig))
    return 0
