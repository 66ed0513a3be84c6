"""Every query on phones and the events they sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.doorstep_models import ConflictRow, DeviceEventRow, DeviceRow
from backend.dispatch.models import OrderEventRow, OrderRow
from backend.dispatch.rules import TERMINAL
from backend.platform import clock


async def device(session: AsyncSession, driver_id: UUID) -> DeviceRow | None:
    """What is known of the driver's phone."""
    return await session.get(DeviceRow, driver_id)


async def device_for_update(session: AsyncSession, driver_id: UUID) -> DeviceRow:
    """The driver's phone, locked: two syncs of one phone are worked in one after the other."""
    fresh = insert(DeviceRow).values(
        driver_id=driver_id, heard_seq=0, highest_seq=0, seen_at=clock.now()
    )
    await session.execute(fresh.on_conflict_do_nothing())
    return await session.get_one(DeviceRow, driver_id, with_for_update=True, populate_existing=True)


async def known_events(
    session: AsyncSession, driver_id: UUID, event_ids: Sequence[UUID], seqs: Sequence[int]
) -> list[DeviceEventRow]:
    """Events that bear one of the ids, whoever sent them, or one of the driver's numbers."""
    mine = col(DeviceEventRow.driver_id) == driver_id
    found = await session.scalars(
        select(DeviceEventRow).where(
            or_(
                col(DeviceEventRow.event_id).in_(event_ids),
                mine & col(DeviceEventRow.device_seq).in_(seqs),
            )
        )
    )
    return list(found)


async def event_numbered(
    session: AsyncSession, driver_id: UUID, device_seq: int
) -> DeviceEventRow | None:
    """The driver's event with this number."""
    return await session.scalar(
        select(DeviceEventRow).where(
            col(DeviceEventRow.driver_id) == driver_id,
            col(DeviceEventRow.device_seq) == device_seq,
        )
    )


async def missing_numbers(session: AsyncSession, phone: DeviceRow, most: int = 100) -> list[int]:
    """The first numbers that are awaited below the highest that came."""
    if phone.heard_seq == phone.highest_seq:
        return []
    found = await session.scalars(
        text(
            "SELECT n FROM generate_series(CAST(:after AS bigint) + 1,"
            " least(:until, CAST(:after AS bigint) + 100000)) AS n"
            " WHERE NOT EXISTS (SELECT 1 FROM dispatch_device_event e"
            " WHERE e.driver_id = :driver AND e.device_seq = n) ORDER BY n LIMIT :most"
        ),
        {
            "after": phone.heard_seq,
            "until": phone.highest_seq,
            "driver": phone.driver_id,
            "most": most,
        },
    )
    return list(found)


async def add_conflict(session: AsyncSession, row: ConflictRow) -> None:
    """Keep a second body under a used id; the same one again is kept once."""
    fresh = insert(ConflictRow).values(row.model_dump())
    await session.execute(fresh.on_conflict_do_nothing(constraint="uq_dispatch_device_conflict"))


async def orders_in_hand(session: AsyncSession, driver_id: UUID) -> list[OrderRow]:
    """The driver's orders that are not ended, the most urgent first."""
    found = await session.scalars(
        select(OrderRow)
        .where(
            col(OrderRow.driver_id) == driver_id,
            col(OrderRow.state).not_in(sorted(TERMINAL)),
        )
        .order_by(col(OrderRow.promised_at), col(OrderRow.id))
    )
    return list(found)


async def was_with(session: AsyncSession, order_id: UUID, driver_id: UUID) -> bool:
    """Whether the order has ever been this driver's."""
    named: Any = cast(str(driver_id), String)
    found = await session.scalar(
        select(func.count())
        .select_from(OrderEventRow)
        .where(
            col(OrderEventRow.order_id) == order_id,
            or_(
                col(OrderEventRow.data)["driver_id"].astext == named,
                col(OrderEventRow.data)["former_driver_id"].astext == named,
            ),
        )
    )
    return bool(found)
