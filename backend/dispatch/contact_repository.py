"""The query on orders whose customers are written to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.affected_repository import within
from backend.dispatch.models import OrderRow
from backend.platform.db import plan_for_values


async def open_between(
    session: AsyncSession,
    region: str,
    since: datetime,
    until: datetime,
    *,
    after: UUID | None,
    limit: int,
) -> list[OrderRow]:
    """Orders that were open at any time of a span in a region, by id from `after` on."""
    await plan_for_values(session)
    query = (
        select(OrderRow)
        .where(
            within([region]),
            col(OrderRow.created_at) <= until,
            or_(col(OrderRow.ended_at).is_(None), col(OrderRow.ended_at) >= since),
        )
        .order_by(col(OrderRow.id))
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(OrderRow.id) > after)
    return list(await session.scalars(query))
