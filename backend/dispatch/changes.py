"""Counts the changes of each city's orders, so that an open console knows when to look again."""

from __future__ import annotations

from collections import Counter
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.redis import unavailable
from backend.platform.resources import current
from backend.platform.scopes import covers
from backend.platform.telemetry import get_logger

_KEY = "dispatch:changed"
_PENDING = "dispatch.changed_cities"
_log = get_logger(__name__)


def tell_after_commit(session: AsyncSession, city: str) -> None:
    """Count one more change of the city's orders once this unit of work commits."""
    pending = session.info.get(_PENDING)
    if pending is None:
        pending = session.info[_PENDING] = Counter[str]()
        event.listen(session.sync_session, "after_commit", _tell)
    pending[city] += 1


def _tell(sync_session: Any) -> None:
    # A savepoint that ends is told of here too, and is no commit.
    if sync_session.in_nested_transaction():
        return
    cities: Counter[str] = sync_session.info[_PENDING].copy()
    sync_session.info[_PENDING].clear()
    try:
        # The hook runs inside the greenlet of `commit`, which waits for this.
        await_only(_add(cities))
    except RedisError as error:
        # Consoles also look again from time to time: committed is committed.
        _log.warning("order_changes_not_told", error=repr(error))


async def _add(cities: Counter[str]) -> None:
    async with current().redis.pipeline(transaction=False) as pipe:
        for city, count in cities.items():
            pipe.hincrby(_KEY, city, count)
        await pipe.execute()


async def changes_of(principal: Principal, region: str | None = None) -> int:
    """A number that grows with each change of an order that the caller sees below `region`."""
    identity.authorize(principal, "orders:read")
    held = identity.scopes(principal, "orders:read")
    try:
        counted = await current().redis.hgetall(_KEY)  # type: ignore[misc]
    except RedisError as error:
        raise unavailable(error) from error
    cities = {city.decode(): int(count) for city, count in counted.items()}
    return sum(
        count
        for city, count in cities.items()
        # A scope below the city sees a part of its orders.
        if any(covers(scope, city) or covers(city, scope) for scope in held)
        and (region is None or covers(region, city) or covers(city, region))
    )
