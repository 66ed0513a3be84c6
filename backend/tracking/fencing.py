"""Drivers entering, leaving and dwelling in geofences, steady against GPS drift."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import NAMESPACE_OID, UUID, uuid5

import msgpack
from redis.asyncio import Redis

from backend.regions.rules import edge_distance_m
from backend.regions.service import FenceIndex
from backend.tracking.positions import LoggedFix

CONFIRMING_FIXES = 3
CONFIRMING_MS = 20_000
DWELL_MS = 10 * 60_000
_WORST_ACCURACY_M = 100.0
_KEY = "tracking:fences"


class Crossing(StrEnum):
    """What happened at a fence."""

    ENTERED = "geofence.entered"
    LEFT = "geofence.left"
    DWELT = "geofence.dwelt"


@dataclass(frozen=True, slots=True)
class Presence:
    """What is believed of one driver and one fence.

    `against` counts the fixes since `against_ms` that say otherwise.
    """

    inside: bool = False
    since_ms: int = 0
    dwelt: bool = False
    against: int = 0
    against_ms: int = 0


@dataclass(frozen=True, slots=True)
class Happening:
    """A crossing of a fence by a driver at a device's time."""

    driver: bytes
    fence: UUID
    kind: Crossing
    ms: int

    @property
    def at(self) -> datetime:
        """The device's time as such."""
        return datetime.fromtimestamp(self.ms / 1000, UTC)

    @property
    def id(self) -> UUID:
        """The same crossing has the same id, however often its fixes are worked on."""
        return uuid5(NAMESPACE_OID, f"{self.driver.hex()}/{self.fence}/{self.kind}/{self.ms}")


def step(presence: Presence, *, inside: bool, ms: int) -> tuple[Presence, Crossing | None]:
    """What is believed after one more fix, and what happened if that changes it.

    A change needs three fixes in a row, or two that span 20 seconds; its time is the first's.
    """
    if inside == presence.inside:
        dwelt = inside and not presence.dwelt and ms - presence.since_ms >= DWELL_MS
        kept = Presence(presence.inside, presence.since_ms, presence.dwelt or dwelt)
        return kept, Crossing.DWELT if dwelt else None
    first_ms = presence.against_ms if presence.against else ms
    against = presence.against + 1
    confirmed = against >= CONFIRMING_FIXES or (against > 1 and ms - first_ms >= CONFIRMING_MS)
    if not confirmed:
        doubtful = Presence(presence.inside, presence.since_ms, presence.dwelt, against, first_ms)
        return doubtful, None
    return Presence(inside, first_ms), Crossing.ENTERED if inside else Crossing.LEFT


Presences = dict[UUID, Presence]


class Watched(NamedTuple):
    """What is believed of one driver, out of the fixes up to a time.

    What those fixes said is in here: worked on a second time, they say nothing.
    """

    presences: Presences
    until_ms: int = -1


class Ground(Protocol):
    """Where the fences lie."""

    def at(self, lat: float, lon: float) -> Collection[UUID]:
        """The fences around a point."""

    def clearance_m(self, fence: UUID, lat: float, lon: float) -> float | None:
        """How far a point outside lies from a fence's edge; None where there is no such fence."""


class Areas:
    """The fences as they are now."""

    def __init__(self, index: FenceIndex) -> None:
        self._index = index
        self._by_id = {fence.id: fence for fence in index.items}

    def at(self, lat: float, lon: float) -> Collection[UUID]:
        """The fences around a point."""
        return [fence.id for fence in self._index.at(lat, lon)]

    def clearance_m(self, fence: UUID, lat: float, lon: float) -> float | None:
        """How far a point outside lies from a fence's edge; None where there is no such fence."""
        known = self._by_id.get(fence)
        return None if known is None else edge_distance_m(known.polygons, lat, lon)


def follow(
    fixes: Iterable[LoggedFix], known: Watched, ground: Ground
) -> tuple[Watched, list[Happening]]:
    """What is believed of a driver after these fixes, oldest first, and what happened.

    A fix that is less accurate than 100 m says nothing about fences of a few hundred, and none
    says "outside" whose circle of error reaches the fence. Of a fence that was removed nothing is
    said any more.
    """
    presences, happened, until_ms = dict(known.presences), [], known.until_ms
    for fix in fixes:
        now_ms = fix.effective_ms
        if now_ms <= known.until_ms:
            continue
        until_ms = now_ms
        if fix.accuracy is not None and fix.accuracy > _WORST_ACCURACY_M:
            continue
        here = ground.at(fix.lat, fix.lon)
        for fence in {*here, *presences}:
            before = presences.get(fence, _OUTSIDE)
            if fence not in here:
                clearance_m = ground.clearance_m(fence, fix.lat, fix.lon)
                if clearance_m is None:
                    del presences[fence]
                    continue
                if clearance_m < (fix.accuracy or 0.0):
                    continue
            after, kind = step(before, inside=fence in here, ms=now_ms)
            if after.inside or after.against:
                presences[fence] = after
            else:
                presences.pop(fence, None)
            if kind is not None:
                ms = now_ms if kind is Crossing.DWELT else after.since_ms
                happened.append(Happening(fix.driver, fence, kind, ms))
    return Watched(presences, until_ms), happened


_OUTSIDE = Presence()
_NOBODY = Watched({})


async def load(redis: Redis, drivers: list[bytes]) -> dict[bytes, Watched]:
    """What is believed of these drivers."""
    stored = await redis.hmget(_KEY, drivers)  # type: ignore[misc]
    return {
        driver: _NOBODY if value is None else _unpack(value)
        for driver, value in zip(drivers, stored, strict=True)
    }


async def save(redis: Redis, changed: Mapping[bytes, Watched]) -> None:
    """Keep what is believed."""
    if not changed:
        return
    async with redis.pipeline(transaction=False) as pipe:
        for driver, watched in changed.items():
            # Kept even where nothing is believed: until when counts if the fixes come again.
            pipe.hset(_KEY, driver, _pack(watched))  # type: ignore[arg-type]
        await pipe.execute()


def _pack(watched: Watched) -> bytes:
    rows = [
        (fence.bytes, p.inside, p.since_ms, p.dwelt, p.against, p.against_ms)
        for fence, p in watched.presences.items()
    ]
    packed: bytes = msgpack.packb((watched.until_ms, rows))
    return packed


def _unpack(packed: bytes) -> Watched:
    until_ms, rows = msgpack.unpackb(packed)
    return Watched({UUID(bytes=fence): Presence(*rest) for fence, *rest in rows}, until_ms)
