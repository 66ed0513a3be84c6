"""The connection to PostgreSQL and its unit of work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from backend.settings import SettingsError


def asyncpg_url(url: str) -> URL:
    """`url` with the asyncpg driver; raises SettingsError where it is not a PostgreSQL address."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError("WAYPOST_DATABASE_URL is not a database address") from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise SettingsError("WAYPOST_DATABASE_URL must be a postgresql:// address")
    return parsed.set(drivername="postgresql+asyncpg")


async def plan_for_values(session: AsyncSession) -> None:
    """Have statements planned for the values that they are given, until the unit of work ends.

    A plan made for no values in particular would not know which index a filter leads to.
    """
    await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


# Statements that a connection keeps prepared: what a worker asks over and over. Each costs the
# server some ten kilobytes a connection; one that is not kept is parsed and planned every time.
_PREPARED = 200


class Database:
    """A pool of connections, and the units of work done on them."""

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self.url = asyncpg_url(url)
        self.engine = create_async_engine(
            self.url,
            pool_size=pool_size,
            # A connection opened for a crowd and closed after it would prepare everything anew.
            max_overflow=0,
            # The one used last has most of what is asked prepared.
            pool_use_lifo=True,
            pool_pre_ping=True,
            pool_recycle=1800,
            connect_args={
                "timeout": 5,
                "prepared_statement_cache_size": _PREPARED,
                "server_settings": {"application_name": "waypost"},
            },
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[AsyncSession]:
        """A session that commits once at the end, or rolls back whole on any exception."""
        async with self._sessions() as session, session.begin():
            yield session

    async def ping(self) -> str:
        """The server's version, when it answers."""
        async with self.engine.connect() as connection:
            return str(await connection.scalar(text("show server_version")))

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
