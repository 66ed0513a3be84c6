"""Every query on what drivers carry, can carry, when they work and what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.models import CapacityRow, DocumentRow, OrderRow, ShiftRow
from backend.dispatch.roster_rules import Room
from backend.dispatch.rules import ON_BOARD, WITH_DRIVER, OrderState


async def lock_driver(session: AsyncSession, driver_id: UUID) -> None:
    """Wait for others who give orders to the driver, and keep more of them out until the end.

    Taken before an order's lock, never after it, so that nobody waits in a circle.
    """
    digest = hashlib.sha256(b"dispatch.driver" + driver_id.bytes).digest()[:8]
    await session.execute(
        text("SELECT pg_advisory_xact_lock(:id)"), {"id": int.from_bytes(digest, signed=True)}
    )


async def loads(session: AsyncSession, driver_ids: Sequence[UUID]) -> dict[UUID, Room]:
    """What each of the drivers has of orders; those with none are left out.

    An order held while it is on board still takes up its room.
    """
    driver = col(OrderRow.driver_id)
    found = await session.execute(
        select(
            driver,
            func.count(),
            func.sum(col(OrderRow.weight_g)),
            func.sum(col(OrderRow.volume_cm3)),
        )
        .where(
            driver.in_(driver_ids),
            col(OrderRow.state).in_(WITH_DRIVER)
            | ((col(OrderRow.state) == OrderState.ON_HOLD) & col(OrderRow.held_from).in_(ON_BOARD)),
        )
        .group_by(driver)
    )
    return {
        driver_id: Room(orders, weight_g, volume_cm3)
        for driver_id, orders, weight_g, volume_cm3 in found
        if driver_id is not None
    }


async def capacities(session: AsyncSession, driver_ids: Sequence[UUID]) -> dict[UUID, CapacityRow]:
    """What was said of the drivers' capacity."""
    found = await session.scalars(
        select(CapacityRow).where(col(CapacityRow.driver_id).in_(driver_ids))
    )
    return {row.driver_id: row for row in found}


async def current_shifts(
    session: AsyncSession, driver_ids: Sequence[UUID], now: datetime
) -> dict[UUID, ShiftRow]:
    """Each driver's shift that is on, or else the next one planned."""
    found = await session.scalars(
        select(ShiftRow)
        .where(
            col(ShiftRow.driver_id).in_(driver_ids),
            col(ShiftRow.ends_at) > now,
            col(ShiftRow.ended_at).is_(None),
            col(ShiftRow.cancelled_at).is_(None),
        )
        .order_by(col(ShiftRow.driver_id), col(ShiftRow.starts_at))
        .ext(distinct_on(col(ShiftRow.driver_id)))
    )
    return {row.driver_id: row for row in found}


async def documents(session: AsyncSession, driver_ids: Sequence[UUID]) -> list[DocumentRow]:
    """What the drivers have shown, driver by driver, one row a kind."""
    found = await session.scalars(
        select(DocumentRow)
        .where(col(DocumentRow.driver_id).in_(driver_ids))
        .order_by(col(DocumentRow.driver_id), col(DocumentRow.kind))
    )
    return list(found)


async def shifts(
    session: AsyncSession, driver_id: UUID, since: datetime, limit: int
) -> list[ShiftRow]:
    """The driver's shifts that end after `since`, in order."""
    found = await session.scalars(
        select(ShiftRow)
        .where(col(ShiftRow.driver_id) == driver_id, col(ShiftRow.ends_at) > since)
        .order_by(col(ShiftRow.starts_at))
        .limit(limit)
    )
    return list(found)


async def shift(session: AsyncSession, shift_id: UUID) -> ShiftRow | None:
    """The shift with this id, locked."""
    return await session.get(ShiftRow, shift_id, with_for_update=True)


def _still_on(driver_id: UUID) -> Select[ShiftRow]:
    return (
        select(ShiftRow)
        .where(
            col(ShiftRow.driver_id) == driver_id,
            col(ShiftRow.cancelled_at).is_(None),
            col(ShiftRow.ended_at).is_(None),
        )
        .order_by(col(ShiftRow.starts_at))
        .limit(1)
    )


async def overlapping_shift(
    session: AsyncSession, driver_id: UUID, starts_at: datetime, ends_at: datetime
) -> ShiftRow | None:
    """The first of the driver's shifts that shares time with the span; one that ended is free."""
    return await session.scalar(
        _still_on(driver_id).where(
            col(ShiftRow.starts_at) < ends_at, col(ShiftRow.ends_at) > starts_at
        )
    )


async def running_shift(session: AsyncSession, driver_id: UUID) -> ShiftRow | None:
    """The driver's shift that was begun and not ended."""
    return await session.scalar(_still_on(driver_id).where(col(ShiftRow.begun_at).is_not(None)))


async def shift_to_begin(
    session: AsyncSession, driver_id: UUID, at: datetime, starts_before: datetime
) -> ShiftRow | None:
    """The driver's planned shift that is on at a moment or begins soon after."""
    return await session.scalar(
        _still_on(driver_id).where(
            col(ShiftRow.begun_at).is_(None),
            col(ShiftRow.starts_at) <= starts_before,
            col(ShiftRow.ends_at) > at,
        )
    )


Kept = TypeVar("Kept", CapacityRow, DocumentRow, ShiftRow)


def add(session: AsyncSession, row: Kept) -> Kept:
    """Keep a new row."""
    session.add(row)
    return row
