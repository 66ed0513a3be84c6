"""How many payments a span of time in some regions touched, and the money in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.payments import affected_repository
from backend.platform.money import Money


@dataclass(frozen=True, slots=True)
class Touched:
    """Payments opened in a span: those that failed, those whose end is not known, their money."""

    failed: int
    unknown: int
    held: list[Money]


async def payments_between(
    session: AsyncSession, regions: Sequence[str], since: datetime, until: datetime
) -> Touched:
    """What was opened in the regions from `since` to `until`; the caller authorises."""
    if not regions:
        return Touched(0, 0, [])
    rows = await affected_repository.sums(session, regions, since, until)
    return Touched(
        failed=sum(row.failed for row in rows),
        unknown=sum(row.unknown for row in rows),
        held=[Money(minor=row.held, currency=row.currency) for row in rows if row.held],
    )
