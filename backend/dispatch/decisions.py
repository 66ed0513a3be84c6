"""Why this driver: candidates and costs, stored and of this moment."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.matching_schemas import Decision, RankedDriver
from backend.identity.schemas import Principal


async def why(session: AsyncSession, principal: Principal, order_id: UUID) -> list[Decision]:
    """The decisions made for an order, newest first."""
    raise NotImplementedError


async def drivers_for_order(
    session: AsyncSession, principal: Principal, order_id: UUID, limit: int = 20
) -> list[RankedDriver]:
    """Drivers of the order's city for it now: fit ones by cost, then unfit ones by distance."""
    raise NotImplementedError
