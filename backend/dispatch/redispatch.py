"""Takes orders back from drivers who will not pick them up in time."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.matching_schemas import RedispatchIn, RedispatchResult
from backend.identity.schemas import Principal


async def redispatch_area(
    session: AsyncSession, principal: Principal, wanted: RedispatchIn
) -> RedispatchResult:
    """Take back the orders not yet picked up whose driver or pickup lies in the area."""
    raise NotImplementedError
