"""The drivers of one city with newest positions, as columns, in a handful of round trips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.resources import current
from backend.regions import service as regions
from backend.tracking import repository
from backend.tracking.live_source import decode_live
from backend.tracking.livestate import LIVE_KEY, STATE, UNKNOWN

_AT_ONCE = 2_000
NEVER_S = float("inf")


@dataclass(frozen=True, slots=True)
class CityDrivers:
    """A column per fact; `age_s` is `inf` and the place NaN for one who was never heard of.

    `stale_s` and `offline_s` are the ages from which a driver is no longer live, or heard;
    `battery` is 0..1, NaN where the phone did not say.
    """

    ids: Sequence[UUID]
    codes: Sequence[str]
    names: Sequence[str]
    vehicles: Sequence[str]
    hubs: Sequence[str | None]
    on_shift: NDArray[np.bool_]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    age_s: NDArray[np.float64]
    stale_s: NDArray[np.float64]
    offline_s: NDArray[np.float64]
    battery: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)


async def drivers_of_city(
    session: AsyncSession, principal: Principal, city: str, *, off_shift: bool = False
) -> CityDrivers:
    """The drivers of the city who are on shift, or all of them; needs `drivers:read` there."""
    identity.authorize(principal, "drivers:read", city)
    rows = await repository.roster_of_city(session, city, off_shift=off_shift)
    directory = await regions.directory(session, SYSTEM)
    states = await _states([row.id.bytes for row in rows])
    limits = {}
    for place in {row.hub or city for row in rows}:
        region = directory.get(place) or directory.get(city)
        settings = current().settings
        limits[place] = (
            (region.live_after_s, region.offline_after_s)
            if region is not None
            else (settings.live_after_s, settings.offline_after_s)
        )
    own = np.array([limits[row.hub or city] for row in rows], dtype=float).reshape(-1, 2)
    return CityDrivers(
        ids=[row.id for row in rows],
        codes=[row.code for row in rows],
        names=[row.name for row in rows],
        vehicles=[row.vehicle for row in rows],
        hubs=[row.hub for row in rows],
        on_shift=np.array([row.on_shift for row in rows], dtype=bool),
        lat=states[0],
        lon=states[1],
        age_s=states[2],
        stale_s=own[:, 0],
        offline_s=own[:, 1],
        battery=states[3],
    )


async def _states(ids: Sequence[bytes]) -> NDArray[np.float64]:
    """Latitudes, longitudes, ages and batteries, a row each, of the drivers in this order."""
    told = np.full((4, len(ids)), np.nan)
    told[2] = NEVER_S
    now_ms = clock.now().timestamp() * 1000
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        stored = await current().redis.hmget(LIVE_KEY, list(part))  # type: ignore[misc]
        numbered = [
            (number, value)
            for number, value in enumerate(stored, start)
            if value and len(value) == STATE.size
        ]
        _, states = decode_live((ids[number], value) for number, value in numbered)
        if not numbered:
            continue
        at = np.array([number for number, _ in numbered])
        battery = states.battery.astype(float)
        told[0, at] = states.lat_e7 / 1e7
        told[1, at] = states.lon_e7 / 1e7
        told[2, at] = (now_ms - states.effective_ms) / 1000
        told[3, at] = np.where(states.battery == UNKNOWN, np.nan, battery / 100)
    return told
