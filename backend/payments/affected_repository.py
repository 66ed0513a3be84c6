"""The query on payments that a span of time touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.payments.models import PaymentRow
from backend.payments.rules import UNDER_WAY, State
from backend.platform.scopes import EVERYWHERE


@dataclass(frozen=True, slots=True)
class Sum:
    """Payments in one currency: how many failed or are under way, and the money not taken."""

    currency: str
    failed: int
    unknown: int
    held: int


async def sums(
    session: AsyncSession, regions: Sequence[str], since: datetime, until: datetime
) -> list[Sum]:
    """What was touched, by currency."""
    state = col(PaymentRow.state)
    failed = state == State.FAILED
    unknown = state.in_(UNDER_WAY)
    left = col(PaymentRow.amount) - col(PaymentRow.captured)
    query = (
        select(
            col(PaymentRow.currency),
            func.count().filter(failed),
            func.count().filter(unknown),
            func.coalesce(func.sum(left).filter(or_(failed, unknown)), 0),
        )
        .where(
            _within(regions),
            col(PaymentRow.created_at) <= until,
            col(PaymentRow.updated_at) >= since,
        )
        .group_by(col(PaymentRow.currency))
        .order_by(col(PaymentRow.currency))
    )
    return [Sum(row[0], row[1], row[2], int(row[3])) for row in await session.execute(query)]


def _within(regions: Sequence[str]) -> ColumnElement[bool]:
    if EVERYWHERE in regions:
        return true()
    region = col(PaymentRow.region)
    parts: list[ColumnElement[bool]] = []
    for code in regions:
        parts += [region == code]
        parts += [region.startswith(code + end, autoescape=True) for end in "-."]
    return or_(*parts)
