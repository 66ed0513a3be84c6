"""Which driver a device speaks for, remembered for a while: the doorways ask at every request."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from redis.asyncio import Redis

from backend.platform.resources import Resources
from backend.tracking import repository

_KEPT_S = 60.0
_MOST_KEPT = 200_000


class Home(NamedTuple):
    """A driver as the doorways need it: `place` is the hub where there is one, else the city."""

    driver: UUID
    code: str
    region: str
    place: str


@dataclass(slots=True)
class _Memory:
    by_name: dict[UUID | str, tuple[Home, float]] = field(default_factory=dict)


_memories: WeakKeyDictionary[Redis, _Memory] = WeakKeyDictionary()


async def home_of(resources: Resources, named: UUID | str) -> Home | None:
    """The driver with this id or code, None where there is none.

    What is told may be a minute old: a driver that moved to another city is counted there late.
    """
    memory = _memories.get(resources.redis)
    if memory is None:
        memory = _memories[resources.redis] = _Memory()
    key = named.casefold() if isinstance(named, str) else named
    held = memory.by_name.get(key)
    if held is not None and held[1] > monotonic():
        return held[0]
    async with resources.database.unit_of_work() as session:
        row = await repository.by_name(session, named)
    home = None if row is None else Home(row.id, row.code, row.region, row.hub or row.region)
    if len(memory.by_name) >= _MOST_KEPT:
        memory.by_name.clear()
    if home is not None:
        # A name nobody bears is asked for again: a driver may be added the next moment.
        memory.by_name[key] = (home, monotonic() + _KEPT_S)
    return home
