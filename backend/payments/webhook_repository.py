"""Every query of gateways' messages."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.payments.models import WebhookRow


async def keep(session: AsyncSession, row: WebhookRow) -> bool:
    """Keep a message; False where the gateway's event is here already."""
    values = insert(WebhookRow).values(row.model_dump())
    kept = await session.scalar(
        values.on_conflict_do_nothing(index_elements=["gateway", "event_id"]).returning(
            WebhookRow.id  # type: ignore[arg-type]
        )
    )
    return kept is not None


async def due(session: AsyncSession, now: datetime, limit: int) -> list[WebhookRow]:
    """Messages that wait to be worked in, locked."""
    found = await session.scalars(
        select(WebhookRow)
        .where(col(WebhookRow.state) == "waiting", col(WebhookRow.due_at) <= now)
        .order_by(col(WebhookRow.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(found)


async def webhook(session: AsyncSession, webhook_id: UUID) -> WebhookRow | None:
    """The message with this id, locked."""
    return await session.get(WebhookRow, webhook_id, with_for_update=True, populate_existing=True)
