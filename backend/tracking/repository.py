"""Every query of tracking on drivers and their history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, or_, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.platform.scopes import EVERYWHERE
from backend.tracking.models import DriverRow, FixRow
from backend.tracking.rules import FLAGS_NOT_SHOWN


def within(scopes: Sequence[str]) -> ColumnElement[bool]:
    """Whether a driver's city or hub lies in any of the scopes."""
    if EVERYWHERE in scopes:
        return true()
    region, hub = col(DriverRow.region), col(DriverRow.hub)
    return or_(
        *(
            or_(column == scope, *(column.startswith(scope + end, autoescape=True) for end in "-."))
            for scope in scopes
            for column in (region, hub)
        )
    )


async def codes(session: AsyncSession, driver_ids: Collection[UUID]) -> dict[UUID, str]:
    """The codes of these drivers."""
    found = await session.execute(
        select(col(DriverRow.id), col(DriverRow.code)).where(col(DriverRow.id).in_(driver_ids))
    )
    return {row.id: row.code for row in found}


async def next_code(session: AsyncSession) -> str:
    """A driver code that nobody has had."""
    while True:
        number = await session.scalar(text("SELECT nextval('tracking_driver_code')"))
        code = f"DRV-{number:04d}"
        if await by_code(session, code) is None:
            return code


async def add_driver(session: AsyncSession, row: DriverRow) -> None:
    """Add a driver; a code that is taken fails at the flush."""
    session.add(row)
    await session.flush()


async def by_id(session: AsyncSession, driver_id: UUID) -> DriverRow | None:
    """The driver with this id."""
    return await session.get(DriverRow, driver_id)


async def by_id_for_update(session: AsyncSession, driver_id: UUID) -> DriverRow | None:
    """The driver with this id, locked until the unit of work ends."""
    return await session.get(DriverRow, driver_id, with_for_update=True)


async def by_name(session: AsyncSession, named: UUID | str) -> DriverRow | None:
    """The driver with this id, or the code in any letter case."""
    if isinstance(named, UUID):
        return await by_id(session, named)
    try:
        return await by_id(session, UUID(named))
    except ValueError:
        return await by_code(session, named.upper())


async def by_code(session: AsyncSession, code: str) -> DriverRow | None:
    """The driver with this code."""
    return await session.scalar(select(DriverRow).where(col(DriverRow.code) == code))


async def by_ids(session: AsyncSession, driver_ids: Collection[UUID]) -> list[DriverRow]:
    """The drivers with these ids, in no order."""
    found = await session.scalars(select(DriverRow).where(col(DriverRow.id).in_(driver_ids)))
    return list(found)


async def drivers(
    session: AsyncSession,
    scopes: Sequence[str],
    *,
    region: str | None,
    vehicle: str | None,
    on_shift: bool | None,
    q: str | None,
    after: str | None,
    limit: int,
) -> list[DriverRow]:
    """Drivers by code, in the scopes and matching every filter that is set."""
    wanted = select(DriverRow).where(within(scopes))
    if region:
        wanted = wanted.where(within([region]))
    if vehicle:
        wanted = wanted.where(col(DriverRow.vehicle) == vehicle)
    if on_shift is not None:
        wanted = wanted.where(col(DriverRow.on_shift) == on_shift)
    if q:
        columns = (col(DriverRow.code), col(DriverRow.name), col(DriverRow.plate))
        wanted = wanted.where(or_(*(column.icontains(q, autoescape=True) for column in columns)))
    if after:
        wanted = wanted.where(col(DriverRow.code) > after)
    found = await session.scalars(wanted.order_by(col(DriverRow.code)).limit(limit))
    return list(found)


async def roster_of_city(session: AsyncSession, city: str, *, off_shift: bool) -> list[Row[Any]]:
    """Who drives in a city, by code: only those on shift unless the others are wanted too."""
    wanted = select(
        col(DriverRow.id),
        col(DriverRow.code),
        col(DriverRow.name),
        col(DriverRow.vehicle),
        col(DriverRow.hub),
        col(DriverRow.on_shift),
    ).where(col(DriverRow.region) == city)
    if not off_shift:
        wanted = wanted.where(col(DriverRow.on_shift))
    return list(await session.execute(wanted.order_by(col(DriverRow.code))))


async def track(
    session: AsyncSession, driver_id: UUID, start: datetime, end: datetime, limit: int
) -> Sequence[Any]:
    """The driver's fixes from `start` up to but not at `end`, oldest first."""
    found = await session.execute(
        select(
            col(FixRow.recorded_at),
            col(FixRow.lat),
            col(FixRow.lon),
            col(FixRow.speed),
            col(FixRow.bearing),
            col(FixRow.accuracy),
            col(FixRow.flags),
        )
        .where(
            col(FixRow.driver_id) == driver_id,
            col(FixRow.recorded_at) >= start,
            col(FixRow.recorded_at) < end,
        )
        .order_by(col(FixRow.recorded_at))
        .limit(limit)
    )
    return found.all()


async def places_at(
    session: AsyncSession, scopes: Sequence[str], region: str, at: datetime, since: datetime
) -> list[Row[Any]]:
    """The last believed fix of each of the region's drivers between `since` and `at`."""
    last = (
        select(
            col(FixRow.recorded_at),
            col(FixRow.lat),
            col(FixRow.lon),
            col(FixRow.bearing),
            col(FixRow.speed),
        )
        .where(
            col(FixRow.driver_id) == col(DriverRow.id),
            col(FixRow.recorded_at) <= at,
            col(FixRow.recorded_at) > since,
            col(FixRow.flags).op("&")(FLAGS_NOT_SHOWN) == 0,
        )
        .order_by(col(FixRow.recorded_at).desc())
        .limit(1)
        .lateral("last")
    )
    found = await session.execute(
        select(col(DriverRow.id), col(DriverRow.code), col(DriverRow.vehicle), last)
        .join(last, true())
        .where(within(scopes), within([region]))
    )
    return list(found)


async def partitions(session: AsyncSession) -> list[date]:
    """The days that have a partition."""
    names = await session.scalars(
        text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'tracking_fix'::regclass"
            " AND c.relname ~ '^tracking_fix_[0-9]{8}$'"
        )
    )
    return sorted(
        datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date() for name in names
    )


async def drop_partition(session: AsyncSession, day: date) -> None:
    """Forget a day of history."""
    await session.execute(text(f"DROP TABLE IF EXISTS tracking_fix_{day:%Y%m%d}"))
