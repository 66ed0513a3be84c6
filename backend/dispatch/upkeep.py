"""The role `orders`: readies orders whose pickup is near, and keeps shifts as phones tell them."""

from __future__ import annotations

import asyncio

from backend.dispatch import lifecycle, order_list_repository
from backend.dispatch.consumers import ROSTER, ROSTER_GROUP
from backend.dispatch.rules import PREPARED_BEFORE, Action
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.consumers import Consumer
from backend.platform.resources import Resources
from backend.platform.turns import pause

_SWEEP_EVERY_S = 5.0
_AT_ONCE = 200


async def keep_orders(resources: Resources, stop: asyncio.Event) -> None:
    """Do both until asked to stop; store failures are the caller's to retry."""
    async with asyncio.TaskGroup() as group:
        group.create_task(Consumer(resources, ROSTER_GROUP, ROSTER).run(stop))
        group.create_task(_sweep(resources, stop))


async def _sweep(resources: Resources, stop: asyncio.Event) -> None:
    while not stop.is_set():
        if await prepare_due(resources) < _AT_ONCE:
            await pause(stop, _SWEEP_EVERY_S)


async def prepare_due(resources: Resources) -> int:
    """Make ready what is to be picked up soon, up to 200 orders; answers how many.

    Orders that somebody else holds are left for the next time, so that many sweeps may run.
    """
    async with resources.database.unit_of_work() as session:
        due = await order_list_repository.due_to_prepare(
            session, clock.now() + PREPARED_BEFORE, _AT_ONCE
        )
        for order in due:
            await lifecycle.move(session, SYSTEM, order, Action.PREPARE)
        return len(due)
