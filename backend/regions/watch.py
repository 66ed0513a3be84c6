"""Keeps a process's copy of the geofences as new as the database's."""

from __future__ import annotations

import asyncio

from backend.identity.schemas import SYSTEM, Principal
from backend.platform.outages import STORES_FAILED
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger
from backend.platform.turns import pause
from backend.regions.geofences import FenceIndex, fences
from backend.regions.schemas import CHANGED_CHANNEL

POLL_S = 60.0
_RETRY_S = 1.0

_log = get_logger(__name__)


class FenceWatch:
    """The newest geofences: `watch.index.at(lat, lon)` while `run` is going.

    A change is read within a second of its commit through pub/sub, and within `poll_s` when the
    message was lost. While a store is down the last known geofences stay in force.
    """

    def __init__(
        self, resources: Resources, principal: Principal = SYSTEM, *, poll_s: float = POLL_S
    ) -> None:
        self._resources = resources
        self._principal = principal
        self._poll_s = poll_s
        self.index: FenceIndex = FenceIndex((), 9)
        self.version = 0

    async def load(self) -> None:
        """Read the geofences now."""
        async with self._resources.database.unit_of_work() as session:
            self.index = await fences(session, self._principal)
        self.version += 1

    async def run(self, stop: asyncio.Event) -> None:
        """Follow changes until `stop` is set."""
        while not stop.is_set():
            try:
                await self._follow(stop)
            except STORES_FAILED as error:
                _log.warning("geofence_watch_interrupted", error=repr(error))
                await pause(stop, _RETRY_S)

    async def _follow(self, stop: asyncio.Event) -> None:
        clock = asyncio.get_running_loop()
        async with self._resources.redis.pubsub() as channel:
            # Subscribed before reading: a change in between is told rather than missed.
            await channel.subscribe(CHANGED_CHANNEL)
            await self.load()
            loaded = clock.time()
            while not stop.is_set():
                message = await channel.get_message(ignore_subscribe_messages=True, timeout=1.0)
                if message is not None or clock.time() - loaded > self._poll_s:
                    await self.load()
                    loaded = clock.time()
