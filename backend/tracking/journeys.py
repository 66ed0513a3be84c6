"""What a driver did in a span of time, told in stretches instead of fixes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.tracking import repository
from backend.tracking.drivers import driver_row
from backend.tracking.rules import FLAGS_NOT_SHOWN, distance_m

LONGEST = timedelta(days=7)
_MOST_FIXES = 5_000
_SILENT_AFTER = timedelta(minutes=3)
_STILL_AFTER = timedelta(minutes=4)
_STILL_WITHIN_M = 60.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span in which a driver moved, stood still or was not heard of, and how far it led."""

    kind: Literal["moved", "stood", "silent"]
    since: datetime
    until: datetime
    distance_m: float
    lat: float
    lon: float


async def journey(
    session: AsyncSession, principal: Principal, driver_id: UUID, since: datetime, until: datetime
) -> list[Stretch]:
    """The driver's stretches from `since` to `until`, a week at most; needs `positions:read`."""
    row = await driver_row(session, principal, "positions:read", driver_id)
    since = max(since, until - LONGEST)
    fixes = await repository.track(session, row.id, since, until, _MOST_FIXES)
    return stretches([fix for fix in fixes if not fix.flags & FLAGS_NOT_SHOWN])


def stretches(fixes: Sequence[Any]) -> list[Stretch]:
    """Fixes with `recorded_at`, `lat` and `lon`, oldest first, as stretches."""
    told: list[Stretch] = []
    for stretch in _raw(fixes):
        before = told[-1] if told else None
        if before is not None and before.kind == stretch.kind == "moved":
            told[-1] = Stretch(
                "moved", before.since, stretch.until, before.distance_m + stretch.distance_m,
                stretch.lat, stretch.lon,
            )  # fmt: skip
        else:
            told.append(stretch)
    return told


def _raw(fixes: Sequence[Any]) -> Iterator[Stretch]:
    """Stretches in which neighbours may be alike: from each anchor as far as one thing goes on."""
    start = 0
    while start < len(fixes) - 1:
        here, following = fixes[start], fixes[start + 1]
        if following.recorded_at - here.recorded_at > _SILENT_AFTER:
            yield _between("silent", here, following)
            start += 1
            continue
        end = start
        while (
            end + 1 < len(fixes)
            and fixes[end + 1].recorded_at - fixes[end].recorded_at <= _SILENT_AFTER
            and _apart(here, fixes[end + 1]) <= _STILL_WITHIN_M
        ):
            end += 1
        if fixes[end].recorded_at - here.recorded_at >= _STILL_AFTER:
            yield _between("stood", here, fixes[end])
            start = end
        else:
            end = max(end, start + 1)
            yield _between("moved", here, fixes[end])
            start = end


def _between(kind: Literal["moved", "stood", "silent"], here: Any, there: Any) -> Stretch:
    return Stretch(
        kind, here.recorded_at, there.recorded_at, _apart(here, there), there.lat, there.lon
    )


def _apart(here: Any, there: Any) -> float:
    return distance_m(here.lat, here.lon, there.lat, there.lon)
