"""Looking back: a driver's track, a region at a moment, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid, NotFound
from backend.platform.resources import Resources
from backend.platform.scopes import EVERYWHERE, covers
from backend.tracking import counters, repository
from backend.tracking.drivers import driver_row, sees
from backend.tracking.rules import FLAGS_NOT_SHOWN
from backend.tracking.schemas import Playback, PlaybackPlace, Refusals, Track, TrackFix

LONGEST_TRACK = timedelta(days=7)
_PLACE_VALID = timedelta(minutes=10)


async def get_track(
    session: AsyncSession,
    principal: Principal,
    driver_id: UUID,
    start: datetime,
    end: datetime,
    *,
    limit: int = 2000,
) -> Track:
    """The driver's fixes from `start` up to `end`, oldest first; `next_cursor` is a time.

    Raises Invalid where the window is empty or longer than a week.
    """
    row = await driver_row(session, principal, "positions:read", driver_id)
    if not start < end or end - start > LONGEST_TRACK:
        detail = "`from` must be before `to`, and at most 7 days."
        raise Invalid(detail, errors=[FieldError("/query/from", "window", detail)])
    found = await repository.track(session, row.id, start, end, limit + 1)
    page = found[:limit]
    return Track(
        driver_id=row.id,
        fixes=[_fix(fix) for fix in page],
        next_cursor=_cursor(found[limit].recorded_at) if len(found) > limit else None,
    )


def _cursor(at: datetime) -> str:
    """The time with a Z: a plus sign would have to be escaped in a query."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _fix(row: object) -> TrackFix:
    values = row._mapping  # type: ignore[attr-defined]
    flagged = bool(values["flags"] & FLAGS_NOT_SHOWN)
    return TrackFix(**{k: v for k, v in values.items() if k != "flags"}, flagged=flagged)


async def trail(
    session: AsyncSession, principal: Principal, driver_id: UUID, minutes: int = 10
) -> Track:
    """The driver's last minutes."""
    now = clock.now()
    start, end = now - timedelta(minutes=minutes), now + timedelta(minutes=5)
    return await get_track(session, principal, driver_id, start, end)


async def playback(
    session: AsyncSession, principal: Principal, region: str, at: datetime
) -> Playback:
    """Who of a region was where at a moment: the last fix of the ten minutes before it."""
    identity.authorize(principal, "positions:read")
    if not sees(principal, "positions:read", region):
        raise NotFound("There is no such region.")
    scopes = identity.scopes(principal, "positions:read")
    rows = await repository.places_at(session, scopes, region, at, at - _PLACE_VALID)
    places = [
        PlaybackPlace(
            driver_id=row.id,
            code=row.code,
            vehicle=row.vehicle,
            lat=row.lat,
            lon=row.lon,
            bearing=row.bearing,
            speed=row.speed,
            recorded_at=row.recorded_at,
        )
        for row in rows
    ]
    return Playback(at=at, region=region, places=places)


async def refusals(
    resources: Resources, principal: Principal, *, hours: int = 24
) -> Sequence[Refusals]:
    """What was refused or flagged in the caller's regions, by hour, newest first."""
    identity.authorize(principal, "positions:read")
    scopes = identity.scopes(principal, "positions:read")
    found = await counters.refused_by_hour(resources.redis, clock.now(), hours)
    return [
        Refusals(
            hour=row.hour, region=row.region, doorway=row.doorway, code=row.code, count=row.count
        )
        for row in found
        if EVERYWHERE in scopes or any(covers(scope, row.region) for scope in scopes)
    ]
