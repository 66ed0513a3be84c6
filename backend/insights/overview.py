"""The overview: how the caller's regions stand now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from redis.asyncio import Redis

from backend.identity.schemas import SYSTEM, Principal
from backend.identity.service import authorize, scopes
from backend.insights.rules import CityFacts, findings
from backend.insights.schemas import CityRow, DriverCounts, Need, Overview, RefusalCount
from backend.platform import clock
from backend.platform.resources import Resources
from backend.platform.scopes import covers
from backend.regions.service import directory
from backend.tracking.service import (
    CityFleet,
    Refused,
    accepted_by_minute,
    fleet_by_city,
    ingest_health,
    refused_by_hour,
)

MINUTES = 60
_COUNTS_KEPT_S = 2.0
_NAMES_KEPT_S = 60.0

T = TypeVar("T")


@dataclass(slots=True)
class _Kept:
    """What all who watch share for a moment, so that a hundred overviews cost one look."""

    values: dict[str, tuple[float, Any]] = field(default_factory=dict)

    async def get(self, name: str, keep_s: float, make: Callable[[], Awaitable[T]]) -> T:
        held = self.values.get(name)
        if held is not None and monotonic() - held[0] < keep_s:
            value: T = held[1]
            return value
        value = await make()
        self.values[name] = (monotonic(), value)
        return value


_kept: WeakKeyDictionary[Redis, _Kept] = WeakKeyDictionary()


async def overview(
    resources: Resources, principal: Principal, region: str | None = None
) -> Overview:
    """How the caller's regions stand now, or the part of them below `region`.

    Needs `overview:read`; raises Denied for a region that is not the caller's to see.
    """
    authorize(principal, "overview:read", region)
    within = (region,) if region is not None else scopes(principal, "overview:read")
    kept = _kept.setdefault(resources.redis, _Kept())
    now = clock.now()
    fleets = await fleet_by_city(resources, within)
    minutes = await kept.get(
        "minutes", _COUNTS_KEPT_S, lambda: accepted_by_minute(resources.redis, now, MINUTES)
    )
    refused = await kept.get(
        "refused", _COUNTS_KEPT_S, lambda: refused_by_hour(resources.redis, now, 1)
    )
    health = await kept.get("health", _COUNTS_KEPT_S, lambda: ingest_health(resources))
    names = await kept.get("names", _NAMES_KEPT_S, lambda: _names(resources))
    accepted = [_within(by_region, within) for _, by_region in minutes]
    refused = [row for row in refused if _seen(within, row.region)]
    facts = [_facts(fleet, names, accepted, refused, now) for fleet in fleets]
    by_code = Counter[str]()
    for row in refused:
        by_code[row.code] += row.count
    return Overview(
        at=now,
        drivers=_total(fleets),
        first_minute=minutes[0][0],
        fixes_per_minute=[sum(each.values()) for each in accepted],
        refusals=[RefusalCount(code=code, count=n) for code, n in by_code.most_common()],
        refused_last_hour=by_code.total(),
        log_lag=health.lag,
        newest_age_s=min(
            (fact.newest_age_s for fact in facts if fact.newest_age_s is not None), default=None
        ),
        cities=[_row(fleet, fact, accepted) for fleet, fact in zip(fleets, facts, strict=True)],
        needs=[
            Need.model_validate({k: v for k, v in asdict(found).items() if k != "weight"})
            for found in findings(facts, health.lag)
        ],
    )


async def _names(resources: Resources) -> Mapping[str, str]:
    async with resources.database.unit_of_work() as session:
        return {region.code: region.name for region in await directory(session, SYSTEM)}


def _seen(within: Sequence[str], region: str) -> bool:
    return any(covers(scope, region) for scope in within)


def _within(by_region: Mapping[str, int], within: Sequence[str]) -> dict[str, int]:
    return {region: count for region, count in by_region.items() if _seen(within, region)}


def _facts(
    fleet: CityFleet,
    names: Mapping[str, str],
    accepted: Sequence[Mapping[str, int]],
    refused: Sequence[Refused],
    now: datetime,
) -> CityFacts:
    reasons = Counter[str]()
    for row in refused:
        if covers(fleet.region, row.region):
            reasons[row.code] += row.count
    age_s = None
    if fleet.newest_ms is not None:
        age_s = max(0.0, now.timestamp() - fleet.newest_ms / 1000)
    return CityFacts(
        region=fleet.region,
        name=names.get(fleet.region, fleet.region),
        live=fleet.live,
        stale=fleet.stale,
        offline=fleet.offline,
        low_battery=fleet.low_battery,
        newest_age_s=age_s,
        longest_silent=fleet.longest_silent,
        accepted_last_hour=sum(_of_city(minute, fleet.region) for minute in accepted),
        refused_last_hour=reasons.total(),
        refused_mostly=reasons.most_common(1)[0][0] if reasons else "",
    )


def _of_city(by_region: Mapping[str, int], city: str) -> int:
    return sum(count for region, count in by_region.items() if covers(city, region))


def _row(fleet: CityFleet, fact: CityFacts, accepted: Sequence[Mapping[str, int]]) -> CityRow:
    return CityRow(
        region=fleet.region,
        name=fact.name,
        country=fleet.region.partition("-")[0],
        drivers=_total([fleet]),
        fixes_last_minute=_of_city(accepted[-1], fleet.region),
        refused_last_hour=fact.refused_last_hour,
        newest_age_s=fact.newest_age_s,
    )


def _total(fleets: Sequence[CityFleet]) -> DriverCounts:
    return DriverCounts(
        live=sum(fleet.live for fleet in fleets),
        stale=sum(fleet.stale for fleet in fleets),
        offline=sum(fleet.offline for fleet in fleets),
        off_shift=sum(fleet.off_shift for fleet in fleets),
        low_battery=sum(fleet.low_battery for fleet in fleets),
    )
