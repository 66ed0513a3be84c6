"""Who has which escalation before them, and who is writing; kept in the hot store alone."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.redis import RedisError
from backend.platform.resources import current
from backend.support.changes import to_look_at
from backend.support.schemas import Viewer

SEEN_FOR = timedelta(seconds=25)
_MOST_VIEWERS = 50


def _key(escalation_id: UUID) -> str:
    return f"support:looking:{escalation_id}"


async def presence(
    session: AsyncSession, principal: Principal, escalation_id: UUID
) -> list[Viewer]:
    """The others who have it before them, the first to come first."""
    await to_look_at(session, principal, escalation_id)
    return await presence_of(escalation_id, principal)


async def look_at(
    session: AsyncSession, principal: Principal, escalation_id: UUID, *, typing: bool = False
) -> list[Viewer]:
    """Say that one looks at it, every ten seconds or so; answers the others."""
    await to_look_at(session, principal, escalation_id)
    now = clock.now()
    redis, key = current().redis, _key(escalation_id)
    before = await cast(Awaitable[bytes | None], redis.hget(key, principal.id))
    since = now
    if before is not None:
        known = orjson.loads(before)
        if now - datetime.fromisoformat(known["seen"]) <= SEEN_FOR:
            since = datetime.fromisoformat(known["since"])
    told = {"name": principal.name, "typing": typing, "since": since, "seen": now}
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hset(key, principal.id, orjson.dumps(told).decode())
        pipe.expire(key, SEEN_FOR)
        await pipe.execute()
    return await presence_of(escalation_id, principal)


async def leave(session: AsyncSession, principal: Principal, escalation_id: UUID) -> None:
    """Say that one looks at it no longer."""
    await to_look_at(session, principal, escalation_id)
    await cast(Awaitable[int], current().redis.hdel(_key(escalation_id), principal.id))


async def presence_of(escalation_id: UUID, principal: Principal) -> list[Viewer]:
    """The others, for a caller who may look; nobody while the hot store does not answer."""
    try:
        key = _key(escalation_id)
        found = await cast(Awaitable[dict[bytes, bytes]], current().redis.hgetall(key))
    except RedisError:
        return []
    now = clock.now()
    viewers = []
    for person, told in found.items():
        each = orjson.loads(told)
        fresh = now - datetime.fromisoformat(each["seen"]) <= SEEN_FOR
        if fresh and person.decode() != principal.id:
            viewers.append(
                Viewer(
                    person_id=person.decode(),
                    name=each["name"],
                    typing=each["typing"],
                    since=datetime.fromisoformat(each["since"]),
                )
            )
    return sorted(viewers, key=lambda each: each.since)[:_MOST_VIEWERS]
