"""The worker's role `rollouts`: publishes what is due, moves rollouts on, halts those that burn."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from backend.flags import change_repository, count_repository, repository, rollout_repository
from backend.flags.changes import publish_due
from backend.flags.rollout_steps import running, tend
from backend.platform import clock
from backend.platform.db import Database
from backend.platform.resources import Resources

_LOOK_EVERY_S = 1.0
_TIDY_EVERY = 600
_EXPOSURE_KEPT = timedelta(days=45)
_OUTCOMES_KEPT = timedelta(days=3)
_AT_ONCE = 100


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Look every second until `stop`."""
    turns = 0
    while not stop.is_set():
        await turn(resources.database)
        if turns % _TIDY_EVERY == 0:
            await tidy(resources.database)
        turns += 1
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LOOK_EVERY_S)


async def turn(database: Database) -> None:
    """Publish the changes that are due and tend every rollout, each in its own unit of work."""
    async with database.unit_of_work() as session:
        due = await change_repository.due(session, clock.now(), _AT_ONCE)
        under_way = await running(session)
    for change_id in due:
        async with database.unit_of_work() as session:
            await publish_due(session, change_id)
    for rollout_id, environment in under_way:
        async with database.unit_of_work() as session:
            await repository.lock_environment(session, environment)
            row = await rollout_repository.rollout(session, rollout_id, lock=True)
            if row is not None and row.state == "running":
                await tend(session, row)


async def tidy(database: Database) -> None:
    """Forget counts that nobody looks at any more."""
    now = clock.now()
    async with database.unit_of_work() as session:
        await count_repository.drop_before(session, now - _EXPOSURE_KEPT, now - _OUTCOMES_KEPT)
