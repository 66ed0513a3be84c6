"""The queries on broadcasts."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.notifications.message_models import BroadcastRow


async def add(session: AsyncSession, row: BroadcastRow) -> None:
    """Add a broadcast, once."""
    await session.execute(insert(BroadcastRow).values(row.model_dump()).on_conflict_do_nothing())


async def oldest(session: AsyncSession) -> BroadcastRow | None:
    """The oldest broadcast that is not finished and that nobody else works at, locked."""
    found: BroadcastRow | None = await session.scalar(
        select(BroadcastRow)
        .where(col(BroadcastRow.finished_at).is_(None))
        .order_by(col(BroadcastRow.created_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return found
