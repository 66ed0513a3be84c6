"""The one search: orders, drivers, tickets, incidents and payments by what people say of them."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.support.search_schemas import Hit


async def search(session: AsyncSession, principal: Principal, q: str, limit: int = 20) -> list[Hit]:
    """What the caller may see of what `q` may mean, the surest first; needs `orders:read`."""
    raise NotImplementedError
