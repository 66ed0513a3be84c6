"""One action on many orders, each carried out or refused by itself."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.order_schemas import BulkIn, BulkResults
from backend.identity.schemas import Principal


async def act_on_orders(session: AsyncSession, principal: Principal, wanted: BulkIn) -> BulkResults:
    """One result for each order, in the order sent."""
    raise NotImplementedError
