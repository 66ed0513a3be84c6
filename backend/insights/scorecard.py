"""The seven figures that the company steers by, with the rows behind each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.insights.scorecard_schemas import Scorecard


async def scorecard(
    session: AsyncSession,
    principal: Principal,
    region: str | None = None,
    until: datetime | None = None,
) -> Scorecard:
    """The figures of `region`, or of all that the caller sees, as they stood at `until`.

    Needs `scorecard:read`; raises Denied for a region that is not the caller's to see.
    """
    raise NotImplementedError
