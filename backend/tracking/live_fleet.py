"""How the fleet stands by city, from this process's live table or from the stores without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic, time
from weakref import WeakKeyDictionary

import numpy as np
from redis.asyncio import Redis

from backend.platform.ids import made_ms
from backend.platform.resources import Resources
from backend.tracking import live_hub, live_repository
from backend.tracking.live_frames import U8, UNKNOWN
from backend.tracking.live_source import states_in_store, thresholds_in_store
from backend.tracking.live_table import LiveTable, Mask, Status
from backend.tracking.positions import GROUP, TOPIC

LOW_BATTERY_PERCENT = 15
_STORED_KEPT_S = 2.0
_AWAITED_MS = 5 * 60 * 1000


@dataclass(frozen=True, slots=True)
class CityFleet:
    """The drivers of one city: how many there are by status, and what is worth a look.

    `low_battery` counts drivers on shift who were heard of lately; `awaited` are those offline who
    were hired within minutes and have never been heard of; `newest_ms` is the time of the city's
    newest fix, None before the first; `longest_silent` are codes of drivers on shift who
    are offline, the longest silent first, a few at most.
    """

    region: str
    live: int
    stale: int
    offline: int
    off_shift: int
    low_battery: int
    awaited: int
    newest_ms: int | None
    longest_silent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IngestHealth:
    """Whether positions get through: records not yet worked off, and the newest fix of all."""

    lag: int
    newest_ms: int | None


_NAMED = 3
_stored: WeakKeyDictionary[Redis, tuple[float, LiveTable]] = WeakKeyDictionary()


async def fleet_by_city(resources: Resources, scopes: Sequence[str]) -> list[CityFleet]:
    """The cities with drivers in the scopes, by code; of a city that is in part in scope, that."""
    table, status = await _present(resources)
    mask = table.scope_mask(scopes)
    if not mask.any():
        return []
    places = table.column("place")
    cities: dict[str, list[int]] = {}
    for place in np.unique(places[mask]).tolist():
        cities.setdefault(table.place_name(place).partition(".")[0], []).append(place)
    return [
        _city(table, code, mask & np.isin(places, cities[code]), status) for code in sorted(cities)
    ]


async def ingest_health(resources: Resources) -> IngestHealth:
    """How far the live state is behind what phones have sent."""
    table, _ = await _present(resources)
    return IngestHealth(await resources.events.lag(TOPIC, GROUP), table.newest_ms or None)


def _city(table: LiveTable, code: str, mask: Mask, status: U8) -> CityFleet:
    live, stale, offline, off_shift = np.bincount(status[mask], minlength=4).tolist()
    battery = table.column("battery")
    heard = mask & (status <= Status.STALE)
    low = heard & (battery <= LOW_BATTERY_PERCENT) & (battery != UNKNOWN)
    effective = table.column("effective_ms")
    newest = int(effective[mask].max())
    silent = np.flatnonzero(mask & (status == Status.OFFLINE))
    new_ms = int(time() * 1000) - _AWAITED_MS
    unheard = [table.details[slot] for slot in silent[effective[silent] == 0].tolist()]
    silent = silent[np.argsort(effective[silent], kind="stable")][:_NAMED]
    return CityFleet(
        code,
        live,
        stale,
        offline,
        off_shift,
        low_battery=int(np.count_nonzero(low)),
        awaited=sum(known is not None and made_ms(known.id) > new_ms for known in unheard),
        newest_ms=newest or None,
        longest_silent=tuple(
            known.code for slot in silent.tolist() if (known := table.details[slot]) is not None
        ),
    )


async def _present(
    resources: Resources,
) -> tuple[LiveTable, U8]:
    hub = live_hub.current()
    if hub is not None:
        return hub.table, hub.table.status_at(hub.now_ms())
    table = await _from_stores(resources)
    return table, table.status_at(int(time() * 1000))


async def _from_stores(resources: Resources) -> LiveTable:
    """A table read whole, for processes without a hub; kept for moments only."""
    held = _stored.get(resources.redis)
    if held is not None and monotonic() - held[0] < _STORED_KEPT_S:
        return held[1]
    table = LiveTable()
    table.set_thresholds(*await thresholds_in_store(resources))
    async with resources.database.unit_of_work() as session:
        async for details in live_repository.every_driver(session):
            table.put(details)
    async for ids, states in states_in_store(resources):
        table.apply(ids, states)
    _stored[resources.redis] = (monotonic(), table)
    return table
