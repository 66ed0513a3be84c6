"""The queries behind a customer's link."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.models import OrderRow

# The first stop of the driver's tour that is not behind them: a pickup is behind once the parcels
# are on board, a drop once the order left the driver's hands.
_NEXT_STOP = """
SELECT s.order_id FROM dispatch_route r
JOIN dispatch_stop s ON s.route_id = r.id
JOIN dispatch_order o ON o.id = s.order_id
WHERE r.driver_id = :driver_id AND r.superseded_at IS NULL AND o.driver_id = r.driver_id
  AND CASE s.kind
    WHEN 'pickup' THEN o.state IN ('assigned', 'accepted', 'at_pickup')
    ELSE o.state IN
      ('assigned', 'accepted', 'at_pickup', 'picked_up', 'in_transit', 'arrived') END
ORDER BY s.seq LIMIT 1
"""


async def by_token(session: AsyncSession, token: str) -> OrderRow | None:
    """The order whose link has this token."""
    found: OrderRow | None = await session.scalar(
        select(OrderRow).where(col(OrderRow.tracking_token) == token)
    )
    return found


async def next_stop_of(session: AsyncSession, driver_id: UUID) -> UUID | None:
    """The order that the driver's tour leads to next, where they have a tour."""
    found: UUID | None = await session.scalar(text(_NEXT_STOP), {"driver_id": driver_id})
    return found


async def overdue(
    session: AsyncSession,
    promised_before: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[OrderRow]:
    """Orders that have not ended and were promised before then, by promise and id."""
    query = (
        select(OrderRow)
        .where(col(OrderRow.ended_at).is_(None), col(OrderRow.promised_at) < promised_before)
        .order_by(col(OrderRow.promised_at), col(OrderRow.id))
        .limit(limit)
    )
    if after is not None:
        place = tuple_(col(OrderRow.promised_at), col(OrderRow.id))
        query = query.where(place > tuple_(literal(after[0]), literal(after[1], Uuid)))
    return list(await session.scalars(query))
