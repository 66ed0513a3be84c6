"""A database that is away for a while, as those who use it see it: cut off, and then refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from backend.platform.db import Database
from backend.platform.resources import Resources


@asynccontextmanager
async def database_away(resources: Resources) -> AsyncIterator[None]:
    """Within this every connection to the tests' database is closed, and none can be opened."""
    name = resources.database.url.database
    server = Database(resources.database.url.set(database="postgres").render_as_string(False))
    try:
        async with server.engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await plain.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
            try:
                await plain.execute(
                    text(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                        " WHERE datname = :name"
                    ),
                    {"name": name},
                )
                yield
            finally:
                await plain.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
    finally:
        await server.dispose()
