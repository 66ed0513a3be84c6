"""The verbs of geofences."""

from __future__ import annotations

import asyncio
from typing import Any, cast
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from backend.identity.schemas import Principal
from backend.identity.service import authorize, may, record, scopes
from backend.platform import clock
from backend.platform.cursors import decode_id, encode
from backend.platform.errors import FieldError
from backend.platform.outbox import Event, emit
from backend.platform.redis import RedisError
from backend.platform.resources import current
from backend.platform.telemetry import get_logger
from backend.regions import repository
from backend.regions.errors import (
    GeofenceNameTaken,
    GeofenceNotFound,
    InvalidGeofence,
    invalid_geometry,
)
from backend.regions.index import AreaIndex
from backend.regions.models import GeofenceRow
from backend.regions.rules import bounding_box, geometry_faults, haversine_m, polygons_of
from backend.regions.schemas import (
    CHANGED_CHANNEL,
    Feature,
    FeatureCollection,
    Fence,
    FenceKind,
    GeofenceIn,
    GeofenceOut,
    GeofencePage,
)

FenceIndex = AreaIndex[Fence]

MAX_PAGE = 200
# Cells of about 460 m across: a hub is a few of them, a zone some dozens.
_FENCE_RESOLUTION = 9
# Swapped coordinates land farther away than any service area reaches.
_MAX_DISTANCE_M = 100_000

_log = get_logger(__name__)
_publications: set[asyncio.Task[None]] = set()


async def fences(session: AsyncSession, principal: Principal) -> FenceIndex:
    """Every geofence the caller may see, indexed by place: `fences(...).at(lat, lon)`."""
    authorize(principal, "geofences:read")
    rows = await repository.geofences(session, scopes(principal, "geofences:read"))
    return AreaIndex((_fence(row) for row in rows), _FENCE_RESOLUTION)


async def list_geofences(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    kind: FenceKind | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> GeofencePage:
    """One page of the geofences the caller may see, oldest first."""
    authorize(principal, "geofences:read")
    limit = max(1, min(limit, MAX_PAGE))
    rows = await repository.geofences(
        session,
        scopes(principal, "geofences:read"),
        region=region,
        kind=kind,
        after=decode_id(cursor) if cursor else None,
        limit=limit + 1,
    )
    more = len(rows) > limit
    rows = rows[:limit]
    return GeofencePage(
        items=[_out(row) for row in rows],
        next_cursor=encode(rows[-1].id) if more else None,
    )


async def geofence_features(
    session: AsyncSession,
    principal: Principal,
    *,
    region: str | None = None,
    kind: FenceKind | None = None,
) -> FeatureCollection:
    """Every geofence the caller may see, as GeoJSON for the map."""
    authorize(principal, "geofences:read")
    allowed = scopes(principal, "geofences:read")
    rows = await repository.geofences(session, allowed, region=region, kind=kind)
    return FeatureCollection(
        features=[
            Feature(
                id=str(row.id),
                geometry=row.geometry,
                properties={
                    "id": str(row.id),
                    "kind": row.kind,
                    "name": row.name,
                    "region": row.region,
                },
            )
            for row in rows
        ]
    )


async def get_geofence(session: AsyncSession, principal: Principal, fence_id: UUID) -> GeofenceOut:
    """One geofence; raises GeofenceNotFound where there is none to see."""
    authorize(principal, "geofences:read")
    return _out(await _seen(session, principal, fence_id))


async def create_geofence(
    session: AsyncSession, principal: Principal, wanted: GeofenceIn
) -> GeofenceOut:
    """Add a geofence; raises InvalidGeofence naming the field, or GeofenceNameTaken."""
    authorize(principal, "geofences:write", wanted.region)
    await _check(session, wanted)
    await _check_name(session, wanted, None)
    row = GeofenceRow(**wanted.model_dump())
    session.add(row)
    await session.flush()
    await _announce(session, principal, "created", row, before=None)
    return _out(row)


async def replace_geofence(
    session: AsyncSession, principal: Principal, fence_id: UUID, wanted: GeofenceIn
) -> GeofenceOut:
    """Give a geofence a whole new state; the caller must hold both its old and new region."""
    authorize(principal, "geofences:write")
    row = await _seen(session, principal, fence_id)
    authorize(principal, "geofences:write", row.region)
    authorize(principal, "geofences:write", wanted.region)
    await _check(session, wanted)
    await _check_name(session, wanted, row.id)
    before = _summary(row)
    row.kind, row.region, row.name = wanted.kind, wanted.region, wanted.name
    row.geometry, row.updated_at = wanted.geometry, clock.now()
    await session.flush()
    await _announce(session, principal, "changed", row, before=before)
    return _out(row)


async def remove_geofence(session: AsyncSession, principal: Principal, fence_id: UUID) -> None:
    """Remove a geofence; raises GeofenceNotFound where there is none to see."""
    authorize(principal, "geofences:write")
    row = await _seen(session, principal, fence_id)
    authorize(principal, "geofences:write", row.region)
    await session.delete(row)
    await session.flush()
    await _announce(session, principal, "removed", row, before=_summary(row))


async def _seen(session: AsyncSession, principal: Principal, fence_id: UUID) -> GeofenceRow:
    row = await repository.geofence(session, fence_id)
    if row is None or not may(principal, "geofences:read", row.region):
        raise GeofenceNotFound
    return row


async def _check(session: AsyncSession, wanted: GeofenceIn) -> None:
    known = {row.code: row for row in await repository.regions(session)}
    region = known.get(wanted.region)
    if region is None:
        detail = f"There is no region {wanted.region}."
        raise InvalidGeofence(detail, errors=[FieldError("/region", "unknown_region", detail)])
    faults = geometry_faults(wanted.geometry)
    if faults:
        raise invalid_geometry(faults)
    if region.kind == "country":
        return
    west, south, east, north = bounding_box(polygons_of(wanted.geometry))
    for lat, lon in ((south, west), (north, east)):
        if haversine_m(region.lat, region.lon, lat, lon) > _MAX_DISTANCE_M:
            detail = (
                f"The area reaches more than {_MAX_DISTANCE_M // 1000} km from {region.name}."
                " GeoJSON positions are longitude first, then latitude."
            )
            fault = FieldError("/geometry/coordinates", "far_from_region", detail)
            raise InvalidGeofence(detail, errors=[fault])


async def _check_name(session: AsyncSession, wanted: GeofenceIn, own: UUID | None) -> None:
    holder = await repository.geofence_named(session, wanted.region, wanted.kind, wanted.name)
    if holder is not None and holder.id != own:
        name = (await repository.names(session)).get(wanted.region, wanted.region)
        detail = f"{name} has a geofence named {wanted.name} of this kind."
        raise GeofenceNameTaken(detail, errors=[FieldError("/name", "taken", detail)])


async def _announce(
    session: AsyncSession,
    principal: Principal,
    verb: str,
    row: GeofenceRow,
    before: dict[str, Any] | None,
) -> None:
    after = None if verb == "removed" else _summary(row)
    kind = f"geofence.{verb}"
    await record(
        session,
        principal,
        kind,
        f"geofence:{row.id}",
        region=row.region,
        before=before,
        after=after,
    )
    data = {"geofence_id": str(row.id), "before": before, "after": after}
    await emit(session, Event(kind, f"geofence:{row.id}", principal.id, data, region=row.region))
    publish_after_commit(session, str(row.id))


def publish_after_commit(session: AsyncSession, message: str) -> None:
    """Tell every process, once the transaction is committed, that geofences changed.

    Told earlier, a listener would read the old state. A message lost to a crash is made up for by
    the listeners' polling.
    """
    redis = current().redis

    async def publish() -> None:
        try:
            await redis.publish(CHANGED_CHANNEL, message)
        except RedisError as error:
            _log.warning("regions_change_not_published", error=repr(error))

    def committed(_: Session) -> None:
        task = asyncio.get_running_loop().create_task(publish())
        _publications.add(task)
        task.add_done_callback(_publications.discard)

    event.listen(session.sync_session, "after_commit", committed, once=True)


def _summary(row: GeofenceRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "region": row.region,
        "name": row.name,
        "bbox": list(bounding_box(polygons_of(row.geometry))),
    }


def _fence(row: GeofenceRow) -> Fence:
    kind = cast(FenceKind, row.kind)
    return Fence(row.id, kind, row.region, row.name, polygons_of(row.geometry))


def _out(row: GeofenceRow) -> GeofenceOut:
    return GeofenceOut(**row.model_dump())
