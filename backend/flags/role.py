"""The worker's role `rollouts`: publishes what is due, moves rollouts on, halts those that burn."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import change_repository, count_repository, repository, rollout_repository
from backend.flags.changes import give_up_due, publish_due
from backend.flags.models import RolloutRow
from backend.flags.rollout_steps import hold, running, tend
from backend.platform import clock
from backend.platform.db import Database
from backend.platform.errors import DomainError
from backend.platform.resources import Resources
from backend.platform.turns import pause

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
        await pause(stop, _LOOK_EVERY_S)


async def turn(database: Database) -> None:
    """Publish the changes that are due and tend every rollout, each in its own unit of work."""
    async with database.unit_of_work() as session:
        due = await change_repository.due(session, clock.now(), _AT_ONCE)
        under_way = await running(session)
    for change_id in due:
        try:
            async with database.unit_of_work() as session:
                await publish_due(session, change_id)
        except DomainError as error:
            async with database.unit_of_work() as session:
                await give_up_due(session, change_id, error.detail)
    for rollout_id, environment in under_way:
        try:
            async with database.unit_of_work() as session:
                if row := await _to_tend(session, rollout_id, environment):
                    await tend(session, row)
        except DomainError as error:
            async with database.unit_of_work() as session:
                if row := await _to_tend(session, rollout_id, environment):
                    hold(row, error.detail)


async def _to_tend(session: AsyncSession, rollout_id: UUID, environment: str) -> RolloutRow | None:
    await repository.lock_environment(session, environment)
    row = await rollout_repository.rollout(session, rollout_id, lock=True)
    return row if row is not None and row.state == "running" else None


async def tidy(database: Database) -> None:
    """Forget counts that nobody looks at any more."""
    now = clock.now()
    async with database.unit_of_work() as session:
        await count_repository.drop_before(session, now - _EXPOSURE_KEPT, now - _OUTCOMES_KEPT)
