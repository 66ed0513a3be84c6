"""The open connections of one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from backend.platform.db import Database
from backend.platform.eventlog import EventLog
from backend.platform.eventlog_streams import StreamEventLog
from backend.platform.redis import connect
from backend.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Resources:
    """Settings and the stores they name, opened."""

    settings: Settings
    database: Database
    redis: Redis
    events: EventLog


_opened: list[Resources] = []


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open what the settings name, make it current for this process, and close it at the end."""
    if not settings.database_url:
        raise SettingsError("WAYPOST_DATABASE_URL is not set")
    if not settings.redis_url:
        raise SettingsError("WAYPOST_REDIS_URL is not set")
    database = Database(settings.database_url)
    redis = connect(settings.redis_url)
    events = open_event_log(settings, redis)
    resources = Resources(settings, database, redis, events)
    _opened.append(resources)
    try:
        yield resources
    finally:
        _opened.remove(resources)
        await redis.aclose()
        await database.dispose()


def open_event_log(settings: Settings, redis: Redis) -> EventLog:
    """The event log that `EVENTS_URL` names; Streams on the given connection by default."""
    url = settings.events_url
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsError("WAYPOST_EVENTS_URL: only redis:// is supported by this version")
    return StreamEventLog(connect(url) if url and url != settings.redis_url else redis)


def current() -> Resources:
    """What this process has opened; a programming error before `open_resources`."""
    if not _opened:
        raise RuntimeError("no resources are open in this process")
    return _opened[-1]
