"""When orders are expected, and how well that was foretold."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.matching_schemas import EtaAccuracy
from backend.identity.schemas import Principal


async def eta_accuracy(
    session: AsyncSession, principal: Principal, region: str
) -> list[EtaAccuracy]:
    """How far the ETAs of the last days were off, by city and by when they were given."""
    raise NotImplementedError
