"""What feeds the live hub: states from Valkey, drivers from PostgreSQL, and news of both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.identity.schemas import SYSTEM
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger
from backend.regions import service as regions
from backend.tracking import live_repository
from backend.tracking.live_hub import News
from backend.tracking.live_table import States, Thresholds
from backend.tracking.livestate import (
    DRIVERS_CHANNEL,
    ID_BYTES,
    LIVE_KEY,
    MOVED_BYTES,
    MOVED_CHANNEL,
    STATE,
)

_STATE_FIELDS = np.dtype(
    [
        ("effective_ms", "<i8"),
        ("recorded_ms", "<i8"),
        ("lat_e7", "<i4"),
        ("lon_e7", "<i4"),
        ("bearing", "u1"),
        ("speed", "u1"),
        ("battery", "u1"),
        ("flags", "u1"),
        ("accuracy_m", "<u2"),
        ("reserved", "<u2"),
    ]
)
_MOVED_FIELDS = np.dtype([("id", f"V{ID_BYTES}"), ("state", _STATE_FIELDS)])
assert _STATE_FIELDS.itemsize == STATE.size
assert _MOVED_FIELDS.itemsize == MOVED_BYTES

# A lost message shows at the latest after this long: everything is read again.
_RECONCILE_S = 60.0
_RETRY_S = 0.5
_HEAR_S = 1.0
_SCAN_COUNT = 2_000
# A driver that moves and is in no table is asked for again only after this long.
_UNKNOWN_AGAIN_S = 30.0
_PAUSE_S = 0.2
_STORES_DOWN = (RedisError, SQLAlchemyError, OSError)

_log = get_logger(__name__)


def decode_moved(payload: bytes) -> tuple[list[bytes], States]:
    """Ids and states of a `tracking:moved` message; a torn end is left out."""
    rows = np.frombuffer(payload, _MOVED_FIELDS, len(payload) // MOVED_BYTES)
    return rows["id"].tolist(), _columns(rows["state"])


def decode_live(items: Iterable[tuple[bytes, bytes]]) -> tuple[list[bytes], States]:
    """Ids and states of fields of the `tracking:live` hash; what is not a state is left out."""
    whole = [(i, state) for i, state in items if len(i) == ID_BYTES and len(state) == STATE.size]
    rows = np.frombuffer(b"".join(state for _, state in whole), _STATE_FIELDS)
    return [driver_id for driver_id, _ in whole], _columns(rows)


def _columns(rows: npt.NDArray[Any]) -> States:
    return States(
        effective_ms=rows["effective_ms"],
        lat_e7=rows["lat_e7"],
        lon_e7=rows["lon_e7"],
        bearing=rows["bearing"],
        speed=rows["speed"],
        battery=rows["battery"],
        accuracy_m=rows["accuracy_m"],
    )


async def states_in_store(resources: Resources) -> AsyncIterator[tuple[list[bytes], States]]:
    """Every driver's state, some thousands at a time."""
    cursor = 0
    while True:
        cursor, items = await resources.redis.hscan(LIVE_KEY, cursor, count=_SCAN_COUNT)
        if items:
            yield decode_live(items.items())
        if not cursor:
            return


async def thresholds_in_store(resources: Resources) -> tuple[Thresholds, dict[str, Thresholds]]:
    """When positions go stale and offline: in general, and where a region says otherwise."""
    settings = resources.settings
    async with resources.database.unit_of_work() as session:
        directory = await regions.directory(session, SYSTEM)
    default = Thresholds(settings.live_after_s, settings.offline_after_s)
    own = {
        region.code: Thresholds(region.live_after_s, region.offline_after_s) for region in directory
    }
    return default, {code: limits for code, limits in own.items() if limits != default}


class StoreSource:
    """Hears of moves and of drivers by pub/sub, and reads everything at first and after a gap."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._news = News()
        self._moved: list[bytes] = []
        self._wanted: set[bytes] = set()
        self._asked_at: dict[bytes, float] = {}
        self._reload = asyncio.Event()
        self._heard = False
        self._loaded = False

    @property
    def lost(self) -> bool:
        """Whether the store cannot be heard or what it holds has not been read yet."""
        return not (self._heard and self._loaded)

    def take(self) -> News:
        """What came since the last call."""
        if self._moved:
            self._news.states.append(decode_moved(b"".join(self._moved)))
            self._moved.clear()
        news, self._news = self._news, News()
        return news

    async def run(self, unknown: Callable[[], Sequence[bytes]]) -> None:
        """Keep hearing until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear_for_ever())
            tasks.create_task(self._load_for_ever())
            tasks.create_task(self._describe_for_ever(unknown))

    async def _hear_for_ever(self) -> None:
        while True:
            try:
                async with self._resources.redis.pubsub() as channel:
                    await channel.subscribe(MOVED_CHANNEL, DRIVERS_CHANNEL)
                    while True:
                        await self._hear(channel)
            except _STORES_DOWN as error:
                if self._heard:
                    _log.warning("live_source_lost", error=repr(error))
                self._heard = False
                await asyncio.sleep(_RETRY_S)

    async def _hear(self, channel: PubSub) -> None:
        message = await channel.get_message(timeout=_HEAR_S)
        if message is None:
            return
        name, content = message["channel"].decode(), message["data"]
        if message["type"] == "subscribe":
            # Also after a reconnection that the client made by itself: what was said meanwhile
            # has to be read from the store.
            self._heard = True
            self._reload.set()
        elif name == MOVED_CHANNEL:
            self._moved.append(content[: len(content) // MOVED_BYTES * MOVED_BYTES])
        elif len(content) == ID_BYTES:
            self._wanted.add(content)

    async def _load_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_RECONCILE_S):
                    await self._reload.wait()
            self._reload.clear()
            try:
                await self._load()
            except _STORES_DOWN as error:
                _log.warning("live_load_failed", error=repr(error))
                self._loaded = False
                await asyncio.sleep(_RETRY_S)
                self._reload.set()

    async def _load(self) -> None:
        resources, news = self._resources, News()
        news.thresholds = await thresholds_in_store(resources)
        async with resources.database.unit_of_work() as session:
            async for details in live_repository.every_driver(session):
                news.details.append(details)
        async for states in states_in_store(resources):
            news.states.append(states)
        # What was heard meanwhile is newer than what was read, so it comes after it.
        mine = self._news
        self._news = News(
            news.states + mine.states, news.details + mine.details, mine.gone, news.thresholds
        )
        self._loaded = True

    async def _describe_for_ever(self, unknown: Callable[[], Sequence[bytes]]) -> None:
        while True:
            await asyncio.sleep(_PAUSE_S)
            wanted = self._wanted | self._not_asked_lately(unknown())
            if not wanted:
                continue
            self._wanted.clear()
            try:
                await self._describe(wanted)
            except _STORES_DOWN as error:
                _log.warning("live_details_failed", error=repr(error))
                self._wanted |= wanted
                await asyncio.sleep(_RETRY_S)

    async def _describe(self, wanted: set[bytes]) -> None:
        now = monotonic()
        async with self._resources.database.unit_of_work() as session:
            found = await live_repository.drivers(session, [UUID(bytes=i) for i in wanted])
        self._news.details.extend(found)
        missing = wanted - {details.id.bytes for details in found}
        self._news.gone.extend(missing)
        self._asked_at.update(dict.fromkeys(missing, now))

    def _not_asked_lately(self, ids: Sequence[bytes]) -> set[bytes]:
        since = monotonic() - _UNKNOWN_AGAIN_S
        self._asked_at = {i: at for i, at in self._asked_at.items() if at > since}
        return {i for i in ids if i not in self._asked_at}
