"""Reads accepted fixes from the event log into history, live state and geofence events.

Every step may be done again: history ignores what it has, live state only moves forward, a
crossing keeps its id. A record is acknowledged after all of it is done.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic, time
from uuid import UUID

from opentelemetry.metrics import Observation

from backend.platform import indicators
from backend.platform.eventlog import Delivery
from backend.platform.outbox import Event, emit_once
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger, meter, tracer
from backend.regions.service import FenceWatch
from backend.tracking import fencing, fix_repository, livestore
from backend.tracking.fencing import Happening, Watched
from backend.tracking.fix_repository import UnfitValue
from backend.tracking.homes import Homes
from backend.tracking.livestate import LiveState
from backend.tracking.positions import (
    GROUP,
    IN_FLIGHT_KEY,
    TOPIC,
    LoggedFix,
    Unreadable,
    decode,
    member,
)
from backend.tracking.rules import FLAGS_NOT_SHOWN

_AT_ONCE = 200
# Records come grouped already; a moment more of waiting makes larger, cheaper writes.
_GATHER_S = 0.02
_GATHER_FROM = 50
_WAIT_MS = 1000
_TIDY_EVERY_S = 2.0
_DEAD_AFTER_MS = 30_000

_log = get_logger(__name__)
_projected = meter.create_counter("waypost.projector.fixes", "1", "Fixes worked into history")
_dead = meter.create_counter("waypost.projector.dead_letters", "1", "Records that were given up")
_lag: dict[str, int] = {"records": 0}
meter.create_observable_gauge(
    "waypost.projector.lag",
    [lambda _: [Observation(_lag["records"])]],
    "1",
    "Records waiting to be worked off",
)


async def project(resources: Resources, stop: asyncio.Event) -> None:
    """Work off the log until asked to stop; store failures are the caller's to retry."""
    projector = Projector(resources)
    await projector.prepare()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(projector.fences.run(stop))
        try:
            while not stop.is_set():
                await projector.turn()
        finally:
            watching.cancel()


class Projector:
    """One consumer of the projector group."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._consumer = f"{socket.gethostname()}-{os.getpid()}"
        self._tidied = float("-inf")
        self._homes = Homes(resources)
        self.fences = FenceWatch(resources)

    async def prepare(self) -> None:
        """Join the group and know the geofences."""
        await self._resources.events.ensure_group(TOPIC, GROUP)
        await self.fences.load()

    async def turn(self, *, wait_ms: int = _WAIT_MS) -> int:
        """Work off what has come in, at most some hundred records; answers how many fixes."""
        log = self._resources.events
        if monotonic() - self._tidied > _TIDY_EVERY_S:
            await self._tidy()
        deliveries = await log.read(TOPIC, GROUP, self._consumer, count=_AT_ONCE, block_ms=wait_ms)
        if not deliveries:
            return 0
        if len(deliveries) < _GATHER_FROM:
            await asyncio.sleep(_GATHER_S)
            more = _AT_ONCE - len(deliveries)
            deliveries += await log.read(TOPIC, GROUP, self._consumer, count=more, block_ms=1)
        return await self._work_off(deliveries)

    async def _tidy(self) -> None:
        """Take over what died with another consumer or failed here before; cut the log short."""
        log = self._resources.events
        left = await log.reclaim(
            TOPIC, GROUP, self._consumer, min_idle_ms=_DEAD_AFTER_MS, count=_AT_ONCE
        )
        if left:
            await self._work_off(left)
        _lag["records"] = await log.lag(TOPIC, GROUP)
        await log.trim(TOPIC)
        self._tidied = monotonic()

    async def _work_off(self, deliveries: Sequence[Delivery]) -> int:
        """Do all deliveries at once; where PostgreSQL refuses a value, one by one to find it."""
        read: list[tuple[Delivery, list[LoggedFix]]] = []
        for delivery in deliveries:
            try:
                read.append((delivery, decode(delivery.record.value)))
            except Unreadable as error:
                await self._give_up(delivery, str(error))
        try:
            return await self._do(read)
        except UnfitValue:
            done = 0
            for one in read:
                try:
                    done += await self._do([one])
                except UnfitValue as error:
                    await self._give_up(one[0], str(error))
            return done

    async def _do(self, read: Sequence[tuple[Delivery, list[LoggedFix]]]) -> int:
        fixes = [fix for _, part in read for fix in part]
        if fixes:
            again = any(delivery.attempts > 1 for delivery, _ in read)
            with tracer.start_as_current_span("project", attributes={"fixes": len(fixes)}):
                await self._apply(fixes, again=again)
        ids = [delivery.id for delivery, _ in read]
        # Off those on their way only once they are in history, or a repetition would look new.
        members = [member(fix.driver, fix.recorded_ms) for fix in fixes]
        # Sent together they share one pass through the server's log, and so one wait for the disk.
        async with self._resources.redis.pipeline(transaction=False) as pipe:
            if members:
                pipe.srem(IN_FLIGHT_KEY, *members)
            answers = await asyncio.gather(
                pipe.execute(),
                self._resources.events.acknowledge(TOPIC, GROUP, ids),
                # Both end before the pipeline's connection goes back to the pool.
                return_exceptions=True,
            )
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        _projected.add(len(fixes))
        return len(fixes)

    async def _give_up(self, delivery: Delivery, why: str) -> None:
        _log.error("position_record_given_up", id=delivery.id, why=why)
        _dead.add(1)
        await self._resources.events.dead_letter(TOPIC, GROUP, delivery, why)

    async def _apply(self, fixes: Sequence[LoggedFix], *, again: bool) -> None:
        redis = self._resources.redis
        newest = _newest(fixes)
        # Live state first: the map need not wait for the disk.
        before = await livestore.advance(redis, {d: _state(fix) for d, fix in newest.items()})
        await self._count_shown(newest.values())
        watched, happened = await self._fenced(fixes, {} if again else before)
        async with self._resources.database.unit_of_work() as session:
            await fix_repository.add(session, fixes)
            for happening in happened:
                await emit_once(session, self._event(happening))
        await fencing.save(redis, watched)

    async def _count_shown(self, shown: Iterable[LoggedFix]) -> None:
        now_ms = time() * 1000
        regions = await self._homes.regions()
        for fix in shown:
            region = regions.get(fix.driver, indicators.NOWHERE)
            indicators.count_timed("live_map", region, (now_ms - fix.received_ms) / 1000)

    async def _fenced(
        self, fixes: Sequence[LoggedFix], before: Mapping[bytes, int]
    ) -> tuple[dict[bytes, Watched], list[Happening]]:
        """What the fixes that moved their drivers forward mean to geofences.

        Late ones say where somebody was, and the crossings of then are not news.
        """
        index = self.fences.index
        if not index.items:
            return {}, []
        tracks: dict[bytes, list[LoggedFix]] = {}
        for fix in fixes:
            if not fix.flags & FLAGS_NOT_SHOWN and fix.effective_ms > before.get(fix.driver, -1):
                tracks.setdefault(fix.driver, []).append(fix)
        if not tracks:
            return {}, []
        known = await fencing.load(self._resources.redis, list(tracks))
        areas = fencing.Areas(index)
        changed: dict[bytes, Watched] = {}
        happened: list[Happening] = []
        for driver, track in tracks.items():
            track.sort(key=lambda fix: (fix.effective_ms, fix.recorded_ms))
            after, news = fencing.follow(track, known[driver], areas)
            happened += news
            if after.presences != known[driver].presences:
                changed[driver] = after
        return changed, happened

    def _event(self, happening: Happening) -> Event:
        fence = next((f for f in self.fences.index.items if f.id == happening.fence), None)
        driver = UUID(bytes=happening.driver)
        return Event(
            type=happening.kind.value,
            key=str(driver),
            actor=f"driver:{driver}",
            region=fence.region if fence else None,
            id=happening.id,
            device_at=happening.at,
            data={
                "driver_id": str(driver),
                "geofence_id": str(happening.fence),
                "geofence": fence.name if fence else None,
                "kind": fence.kind if fence else None,
            },
        )


def _newest(fixes: Iterable[LoggedFix]) -> dict[bytes, LoggedFix]:
    """Each driver's newest fix that may be shown."""
    newest: dict[bytes, LoggedFix] = {}
    times: dict[bytes, tuple[int, int]] = {}
    for fix in fixes:
        if fix.flags & FLAGS_NOT_SHOWN:
            continue
        at = (fix.effective_ms, fix.recorded_ms)
        held = times.get(fix.driver)
        if held is None or at > held:
            times[fix.driver] = at
            newest[fix.driver] = fix
    return newest


def _state(fix: LoggedFix) -> LiveState:
    return LiveState(
        fix.effective_ms,
        fix.recorded_ms,
        fix.lat,
        fix.lon,
        fix.bearing,
        fix.speed,
        fix.battery,
        fix.accuracy,
        fix.flags,
    )
