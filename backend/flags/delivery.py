"""What one process knows of the flags, and how it hears of a publish within a second.

Evaluation reads memory alone. A message in Redis tells of a publish at once; where Redis is away,
or a message was lost, the database is asked for the version often enough. Where both are away, the
last known definitions go on being served, after a start from disk too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import get_args

from redis.asyncio.client import PubSub

from backend.flags import disk, service
from backend.flags.exposure_counts import ExposureCounts
from backend.flags.keys import KnownKeys
from backend.flags.sampling import Sampler
from backend.flags.schemas import PUBLISHED_CHANNEL, Environment
from backend.flags.served import ServedEnvironment
from backend.platform import clock
from backend.platform.outages import STORES_FAILED
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger

ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)

_POLL_EVERY_S = 0.7
_FIRST_LOOK_WITHIN_S = 2.0
_FLUSH_EVERY_S = 2.0
# Several looks have failed by then.
_LATE_S = 5.0

_log = get_logger(__name__)


class Delivery:
    """The environments as this process serves them, and what it counts while doing so."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.folder = disk.folder_of(resources.settings.data_dir)
        self.environments: Mapping[str, ServedEnvironment] = {
            name: ServedEnvironment(name) for name in ENVIRONMENTS
        }
        self.counts = ExposureCounts()
        self.samples = Sampler()
        self.keys = KnownKeys(resources, self.folder)
        self._whole: set[str] = set()
        self._away = False

    def load_from_disk(self) -> None:
        """Serve what was kept, until the database answers."""
        for name, environment in self.environments.items():
            kept = disk.read_environment(self.folder, name)
            if kept is not None:
                environment.take_document(kept.document, kept.version, kept.published_at)
        self.keys.load_from_disk()

    async def refresh(self) -> None:
        """Ask the database what is newer in each environment; raises what the database raises."""
        async with self.resources.database.unit_of_work() as session:
            for name, environment in self.environments.items():
                version = await service.published_version(session, name)
                # A version below ours comes of another database, put in the place of the first.
                whole = name not in self._whole or version < environment.version
                if whole or version > environment.version:
                    since = 0 if whole else environment.version
                    news = await service.published(session, name, since)
                    environment.take(news, whole=whole)
                    self._whole.add(name)
                    await self._keep(environment, whole=whole)
                environment.confirmed_at = monotonic()
        if self._away:
            self._away = False
            _log.info("flags_confirmed_again")

    async def _keep(self, environment: ServedEnvironment, *, whole: bool) -> None:
        snapshot = environment.snapshot
        if snapshot.published_at is None or not snapshot.version:
            return
        kept = disk.Kept(
            snapshot.version, snapshot.published_at, clock.now(), snapshot.flags.document
        )
        try:
            await asyncio.to_thread(
                disk.write_environment,
                self.folder,
                environment.name,
                kept,
                whatever_is_there=whole,
            )
        except OSError as error:
            _log.warning("flags_not_kept", folder=str(self.folder), error=repr(error))

    async def try_refresh(self) -> None:
        """The same where the database may be away; what is served stays as it is then."""
        try:
            async with asyncio.timeout(_FIRST_LOOK_WITHIN_S):
                await self.refresh()
        except STORES_FAILED as error:
            if not self._away:
                self._away = True
                _log.warning("flags_not_confirmed", error=repr(error))

    def in_words(self) -> str:
        """What is served from where, such as `production: version 12, from disk`."""
        return "; ".join(map(_in_words, self.environments.values()))

    async def follow(self) -> None:
        """Keep up with what is published, until cancelled."""
        while True:
            try:
                async with self.resources.redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(PUBLISHED_CHANNEL)
                    while True:
                        await self.try_refresh()
                        await _hear(channel)
            except STORES_FAILED:
                await asyncio.sleep(_POLL_EVERY_S)
                await self.try_refresh()

    async def account(self) -> None:
        """Hand over what was counted and sampled every other second, until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_EVERY_S)
            await self.hand_over()

    async def hand_over(self) -> None:
        """Hand over what was counted, sampled and learnt of keys, as far as it is taken."""
        for part in (self.counts, self.samples, self.keys):
            try:
                await part.hand_over(self.resources)
            except STORES_FAILED as error:
                _log.info("flags_not_handed_over", part=type(part).__name__, error=repr(error))


def _in_words(environment: ServedEnvironment) -> str:
    if environment.origin == "nowhere":
        return f"{environment.name}: nothing known yet"
    if not environment.version:
        return f"{environment.name}: nothing published yet"
    words = f"{environment.name}: version {environment.version}"
    if environment.origin == "disk":
        return f"{words}, the last known from disk; not confirmed by the database"
    ago = monotonic() - (environment.confirmed_at or 0.0)
    return words if ago < _LATE_S else f"{words}, not confirmed for {ago:.0f} s"


async def _hear(channel: PubSub) -> None:
    """Wait for a publish, but no longer than until the next look."""
    if await channel.get_message(timeout=_POLL_EVERY_S) is None:
        return
    while await channel.get_message(timeout=0) is not None:
        pass


_current: list[Delivery] = []


def current() -> Delivery | None:
    """What this process delivers, None before `delivering`."""
    return _current[-1] if _current else None


@asynccontextmanager
async def delivering(resources: Resources) -> AsyncIterator[Delivery]:
    """Know the flags for as long as this is open, and answer OpenFeature's clients from them."""
    # The provider asks `Delivery` for values, so it cannot be known to it before.
    from backend.flags.provider import provided

    delivery = Delivery(resources)
    delivery.load_from_disk()
    await delivery.try_refresh()
    _current.append(delivery)
    tasks = [
        asyncio.create_task(delivery.follow(), name="flags followed"),
        asyncio.create_task(delivery.account(), name="flags accounted"),
    ]
    try:
        with provided(delivery):
            yield delivery
    finally:
        _current.remove(delivery)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await delivery.hand_over()
