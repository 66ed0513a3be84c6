"""What can change of an order on its way: the drop, windows, the promise and tags."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.order_schemas import OrderChange
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import Principal


async def change_order(
    session: AsyncSession, principal: Principal, order_id: UUID, wanted: OrderChange
) -> OrderOut:
    """The order with what was sent changed."""
    raise NotImplementedError
