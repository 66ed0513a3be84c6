"""Every query of the region tree and of geofences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import false, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement
from sqlmodel import col

from backend.platform.scopes import EVERYWHERE
from backend.regions.models import GeofenceRow, RegionRow


async def regions(session: AsyncSession) -> list[RegionRow]:
    """The whole tree, parents before children."""
    rows = await session.scalars(select(RegionRow).order_by(col(RegionRow.code)))
    return list(rows)


async def time_zone(session: AsyncSession, code: str) -> str | None:
    """The time zone written at a region itself."""
    found: str | None = await session.scalar(
        select(col(RegionRow.time_zone)).where(col(RegionRow.code) == code)
    )
    return found


async def region_codes(session: AsyncSession) -> set[str]:
    """The codes in use."""
    return set(await session.scalars(select(col(RegionRow.code))))


async def names(session: AsyncSession) -> dict[str, str]:
    """The names of all regions by code."""
    rows = await session.execute(select(col(RegionRow.code), col(RegionRow.name)))
    return {row[0]: row[1] for row in rows}


async def add_regions(session: AsyncSession, rows: Iterable[RegionRow]) -> set[str]:
    """Insert the regions whose codes are free, in one statement; answers their codes."""
    added = await session.scalars(
        insert(RegionRow)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(col(RegionRow.code)),
        [row.model_dump() for row in rows],
    )
    return set(added)


async def add_geofences(session: AsyncSession, rows: Iterable[GeofenceRow]) -> None:
    """Insert the geofences in one statement."""
    values = [row.model_dump() for row in rows]
    if values:
        await session.execute(insert(GeofenceRow), values)


def _within(scopes: Sequence[str]) -> ColumnElement[bool]:
    if EVERYWHERE in scopes:
        return true()
    region = col(GeofenceRow.region)
    conditions = [
        or_(
            region == code,
            region.startswith(f"{code}-", autoescape=True),
            region.startswith(f"{code}.", autoescape=True),
        )
        for code in scopes
    ]
    return or_(false(), *conditions)


async def geofences(
    session: AsyncSession,
    scopes: Sequence[str],
    *,
    region: str | None = None,
    kind: str | None = None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[GeofenceRow]:
    """Geofences inside the scopes, oldest first, after the given one."""
    query = select(GeofenceRow).where(_within(scopes)).order_by(col(GeofenceRow.id))
    if region is not None:
        query = query.where(_within([region]))
    if kind is not None:
        query = query.where(col(GeofenceRow.kind) == kind)
    if after is not None:
        query = query.where(col(GeofenceRow.id) > after)
    if limit is not None:
        query = query.limit(limit)
    return list(await session.scalars(query))


async def geofence(session: AsyncSession, fence_id: UUID) -> GeofenceRow | None:
    """One geofence."""
    return await session.get(GeofenceRow, fence_id)


async def geofence_named(
    session: AsyncSession, region: str, kind: str, name: str
) -> GeofenceRow | None:
    """The geofence that holds this name among its kind in the region."""
    found: GeofenceRow | None = await session.scalar(
        select(GeofenceRow).where(
            col(GeofenceRow.region) == region,
            col(GeofenceRow.kind) == kind,
            col(GeofenceRow.name) == name,
        )
    )
    return found
