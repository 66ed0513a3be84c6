"""The query on orders that were open in a span of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.models import OrderRow
from backend.dispatch.rules import BEFORE_PICKUP
from backend.platform.db import plan_for_values
from backend.platform.scopes import EVERYWHERE


async def counts(
    session: AsyncSession, regions: Sequence[str], since: datetime, until: datetime
) -> tuple[int, int, int, int, int]:
    """Orders, those that wait for their pickup, late ones, their drivers, their customers."""
    await plan_for_values(session)
    end = func.coalesce(col(OrderRow.ended_at), func.now())
    query = select(
        func.count(),
        func.count().filter(col(OrderRow.state).in_(BEFORE_PICKUP)),
        func.count().filter(end > col(OrderRow.promised_at)),
        func.count(col(OrderRow.driver_id).distinct()),
        func.count(col(OrderRow.drop_phone).distinct()),
    ).where(
        within(regions),
        col(OrderRow.created_at) <= until,
        or_(col(OrderRow.ended_at).is_(None), col(OrderRow.ended_at) >= since),
    )
    row = (await session.execute(query)).one()
    return row[0], row[1], row[2], row[3], row[4]


def within(regions: Sequence[str]) -> ColumnElement[bool]:
    """Orders of any of the regions, and of those below them."""
    if EVERYWHERE in regions:
        return true()
    parts: list[ColumnElement[bool]] = []
    for code in regions:
        column = col(OrderRow.hub) if "." in code else col(OrderRow.region)
        parts += [column == code, column.startswith(f"{code}-", autoescape=True)]
    return or_(*parts)
