"""The queries on what was pushed to a driver's phone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.notifications.message_models import MessageRow
from backend.notifications.message_rules import Channel, MessageState

M = MessageRow


async def unacknowledged(
    session: AsyncSession, driver_id: UUID, now: datetime, limit: int
) -> list[MessageRow]:
    """What was pushed to the driver and is not known to have arrived, the newest first."""
    query = (
        select(M)
        .where(
            col(M.driver_id) == driver_id,
            col(M.channel) == Channel.PUSH,
            col(M.state) == MessageState.SENT,
            col(M.expires_at) > now,
        )
        .order_by(col(M.id).desc())
        .limit(limit)
    )
    return list(await session.scalars(query))


async def locked(
    session: AsyncSession, driver_id: UUID, message_ids: Sequence[UUID]
) -> dict[UUID, MessageRow]:
    """Those of these messages that are the driver's, locked in one order."""
    query = (
        select(M)
        .where(col(M.driver_id) == driver_id, col(M.id).in_(message_ids))
        .order_by(col(M.id))
        .with_for_update()
    )
    return {row.id: row for row in await session.scalars(query)}
