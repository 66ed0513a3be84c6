"""Which connections to PostgreSQL are kept, and which is taken first."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from sqlalchemy import text

from backend.platform.db import Database
from backend.platform.resources import Resources
from backend.settings import Settings

CROWD = 15


async def _server_process(database: Database) -> int:
    async with database.unit_of_work() as session:
        return int(await session.scalar(text("SELECT pg_backend_pid()")) or 0)


async def test_connections_opened_for_a_crowd_stay_for_the_next(settings: Settings) -> None:
    database = Database(settings.database_url)
    try:
        crowds = []
        for _ in range(2):
            async with AsyncExitStack() as crowd:
                sessions = [
                    await crowd.enter_async_context(database.unit_of_work()) for _ in range(CROWD)
                ]
                asked = [await each.scalar(text("SELECT pg_backend_pid()")) for each in sessions]
            crowds.append(set(asked))
        assert len(crowds[0]) == CROWD
        assert crowds[1] == crowds[0]
        # What asks one after the other stays with the connection that has it prepared.
        assert len({await _server_process(database) for _ in range(CROWD)}) == 1
    finally:
        await database.dispose()


async def test_no_more_connections_are_opened_than_allowed(resources: Resources) -> None:
    database = Database(resources.settings.database_url, pool_size=2)
    try:
        asked = await asyncio.gather(*(_server_process(database) for _ in range(CROWD)))
        assert len(set(asked)) <= 2
    finally:
        await database.dispose()
