"""Queries over the orders of one screen: open offers, and each order's last step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.matching_models import OfferRow
from backend.dispatch.matching_schemas import OfferState
from backend.dispatch.models import OrderEventRow, OrderRow
from backend.dispatch.order_repository import within
from backend.dispatch.rules import OrderState


async def open_offers(
    session: AsyncSession, scopes: Sequence[str], order_ids: Sequence[UUID], now: datetime
) -> list[Row[UUID, UUID, datetime]]:
    """Order, driver and end of each offer that can still be accepted, the last to end last."""
    found = await session.execute(
        select(col(OfferRow.order_id), col(OfferRow.driver_id), col(OfferRow.expires_at))
        .join(OrderRow, col(OrderRow.id) == col(OfferRow.order_id))
        .where(
            within(scopes),
            col(OfferRow.order_id).in_(order_ids),
            col(OfferRow.state) == OfferState.OPEN,
            col(OfferRow.expires_at) > now,
            col(OrderRow.state) == OrderState.READY,
        )
        .order_by(col(OfferRow.expires_at))
    )
    return list(found)


async def last_steps(
    session: AsyncSession, scopes: Sequence[str], order_ids: Sequence[UUID]
) -> list[Row[OrderRow, OrderEventRow]]:
    """Each order with the newest step of its history."""
    newest = and_(
        col(OrderEventRow.order_id) == col(OrderRow.id),
        col(OrderEventRow.seq) == col(OrderRow.version),
    )
    found = await session.execute(
        select(OrderRow, OrderEventRow)
        .join(OrderEventRow, newest)
        .where(within(scopes), col(OrderRow.id).in_(order_ids))
    )
    return list(found)
