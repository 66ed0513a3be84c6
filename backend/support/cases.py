"""An order's case: everything that support needs to know of it, from all contexts."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.support.case_schemas import Case


async def case_of(session: AsyncSession, principal: Principal, number: str) -> Case:
    """The order with this number or id and all that belongs to it; raises NoSuchOrder."""
    raise NotImplementedError
