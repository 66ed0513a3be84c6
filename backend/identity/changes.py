"""How a changed grant or token reaches every process within a second.

Each change is one entry of a short stream in Redis. A process reads what is new at most every half
second, when it is about to use what it remembers; so nothing has to run in the background for a
revoked right to be gone. What was lost with Redis itself is covered by the age limit of what is
remembered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

from backend.platform.resources import Resources, current
from backend.platform.telemetry import get_logger

STREAM = "identity:changes"
CHANNEL = "identity:revoked"
_KEPT = 5_000
_CONFIRM_EVERY_S = 0.5
_AGE_LIMIT_S = 300.0
_MOST_REMEMBERED = 100_000
_PENDING = "identity_changes"

_log = get_logger(__name__)
Value = TypeVar("Value")


@dataclass(slots=True)
class _Held(Generic[Value]):
    value: Value
    until: float


@dataclass(slots=True)
class Memory:
    """What one process remembers of persons and tokens, by change key."""

    redis: Redis
    held: dict[str, _Held[Any]] = field(default_factory=dict)
    generation: int = 0
    _last: bytes | None = None
    _confirmed_at: float = -_CONFIRM_EVERY_S

    async def confirm(self) -> None:
        """Forget what has changed elsewhere; raises RedisError when that cannot be known."""
        if monotonic() - self._confirmed_at < _CONFIRM_EVERY_S:
            return
        before, self._confirmed_at = self._confirmed_at, monotonic()
        try:
            entries = await self._news()
        except RedisError:
            self._confirmed_at = before
            raise
        if entries is None:
            self.forget_all()
        elif entries:
            self.generation += 1
            for key in entries:
                self.held.pop(key, None)

    async def _news(self) -> list[str] | None:
        """The keys changed since the last look, None when there is no telling."""
        seen = self._last
        if seen is None:
            newest = await self.redis.xrevrange(STREAM, count=1)
            self._last = newest[0][0] if newest else None
            return None if newest else []
        entries = await self.redis.xrange(STREAM, min=seen.decode())
        # The last entry seen is gone when the stream was cut past it, or lost with Redis.
        if not entries or entries[0][0] != seen:
            self._last = None
            return None
        self._last = entries[-1][0]
        return [fields[b"key"].decode() for _, fields in entries[1:]]

    def get(self, key: str) -> Any | None:
        """What is remembered under `key` and not too old."""
        held = self.held.get(key)
        if held is None or held.until < monotonic():
            return None
        return held.value

    def put(self, key: str, value: Any, generation: int) -> None:
        """Remember `value`, unless something changed since `generation`, when it was asked for."""
        if generation != self.generation:
            return
        if len(self.held) >= _MOST_REMEMBERED:
            self.held.clear()
        self.held[key] = _Held(value, monotonic() + _AGE_LIMIT_S)

    def forget_all(self) -> None:
        """Start over."""
        self.generation += 1
        self.held.clear()


_memories: WeakKeyDictionary[Redis, Memory] = WeakKeyDictionary()


def memory_of(resources: Resources) -> Memory:
    """What this process remembers about the given stores."""
    found = _memories.get(resources.redis)
    if found is None:
        found = _memories[resources.redis] = Memory(resources.redis)
    return found


def announce(session: AsyncSession, *keys: str) -> None:
    """Tell every process that `keys` have changed, right after this unit of work commits."""
    pending = session.info.get(_PENDING)
    if pending is None:
        pending = session.info[_PENDING] = []
        event.listen(session.sync_session, "after_commit", _publish, once=True)
    pending.extend(keys)


def _publish(sync_session: Any) -> None:
    keys: list[str] = sync_session.info.pop(_PENDING, [])
    if not keys:
        return
    try:
        # The hook runs inside the greenlet of `commit`, which waits for this.
        await_only(publish(current().redis, keys))
    except RedisError as error:
        # Committed it is; processes notice when what they remember reaches its age limit.
        _log.warning("change_not_announced", keys=keys, error=repr(error))


async def publish(redis: Redis, keys: list[str]) -> None:
    """Add changes to the stream, and wake whoever holds connections open."""
    async with redis.pipeline(transaction=True) as pipe:
        for key in keys:
            pipe.xadd(STREAM, {"key": key}, maxlen=_KEPT, approximate=True)
            pipe.publish(CHANNEL, f"changed {key}")
        await pipe.execute()
