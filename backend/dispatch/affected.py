"""How many orders, drivers and customers a span of time in some regions touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import affected_repository


@dataclass(frozen=True, slots=True)
class Affected:
    """Orders that were open at any time of a span, and who was with them.

    `waiting` are not picked up yet, `late` are past their promise or came after it.
    """

    orders: int
    waiting: int
    late: int
    drivers: int
    customers: int


async def orders_between(
    session: AsyncSession, regions: Sequence[str], since: datetime, until: datetime
) -> Affected:
    """What was open in the regions at any time from `since` to `until`; the caller authorises."""
    if not regions:
        return Affected(0, 0, 0, 0, 0)
    return Affected(*await affected_repository.counts(session, regions, since, until))
