"""Fills in what the demo costs: about as much as the small machine that it runs on."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.insights import costs
from backend.insights.scorecard_schemas import CostIn, CostKind
from backend.platform import clock
from backend.platform.money import Money

_MONTHS = 3
_CENTS: dict[CostKind, tuple[int, str]] = {
    "compute": (310, "Two cores by the hour"),
    "storage": (45, "20 GB"),
    "network": (60, ""),
    "messages": (85, "Codes by SMS"),
}


async def seed(session: AsyncSession, principal: Principal) -> int:
    """Add costs of this month and those before it, where none are kept; answers how many rows."""
    months = _months(clock.now().date())
    for year in {month.year for month in months}:
        if await costs.list_costs(session, principal, year):
            return 0
    for number, month in enumerate(months):
        for kind, (cents, note) in _CENTS.items():
            # What is bought by use grew from month to month.
            amount = Money(
                minor=cents - 15 * number if kind != "storage" else cents, currency="USD"
            )
            asked = CostIn(month=month, kind=kind, amount=amount, note=note)
            await costs.save_cost(session, principal, asked)
    return len(months) * len(_CENTS)


def _months(today: date) -> list[date]:
    """The first days of this month and of those before it, the newest first."""
    found = [today.replace(day=1)]
    while len(found) < _MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found
