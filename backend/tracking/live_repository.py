"""What the live hub reads of drivers, and a fleet for measuring it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.platform import clock
from backend.tracking.live_table import DriverDetails
from backend.tracking.models import DriverRow

_AT_ONCE = 1_000


def _details() -> Select[UUID, str, str, str | None, str, str | None, str, bool]:
    return select(
        col(DriverRow.id),
        col(DriverRow.code),
        col(DriverRow.name),
        col(DriverRow.plate),
        col(DriverRow.vehicle),
        col(DriverRow.hub),
        col(DriverRow.region),
        col(DriverRow.on_shift),
    )


async def every_driver(session: AsyncSession) -> AsyncIterator[DriverDetails]:
    """All drivers, read a part at a time so that the loop is not held up."""
    rows = await session.stream(_details().execution_options(yield_per=_AT_ONCE))
    async for part in rows.partitions(_AT_ONCE):
        for row in part:
            yield DriverDetails(*row)


async def drivers(session: AsyncSession, ids: Sequence[UUID]) -> list[DriverDetails]:
    """The drivers with these ids; fewer where some are not there."""
    found: list[DriverDetails] = []
    for start in range(0, len(ids), _AT_ONCE):
        wanted = ids[start : start + _AT_ONCE]
        rows = await session.execute(_details().where(col(DriverRow.id).in_(wanted)))
        found.extend(DriverDetails(*row) for row in rows)
    return found


async def regions_of_drivers(session: AsyncSession) -> dict[bytes, str]:
    """The city of every driver, by the bytes of the driver's id."""
    rows = await session.execute(select(col(DriverRow.id), col(DriverRow.region)))
    return {driver_id.bytes: region for driver_id, region in rows}


async def add_drivers(session: AsyncSession, fleet: Sequence[DriverDetails]) -> None:
    """Add a whole fleet in one statement, unchecked: for measurements."""
    now = clock.now()
    rows = [
        {
            "id": driver.id,
            "code": driver.code,
            "name": driver.name,
            "plate": driver.plate,
            "vehicle": driver.vehicle,
            "hub": driver.hub,
            "region": driver.region,
            "on_shift": driver.on_shift,
            "created_at": now,
            "updated_at": now,
        }
        for driver in fleet
    ]
    await session.execute(insert(DriverRow), rows)
