"""How far each service level objective is kept, and which of them burn."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.insights.slo_schemas import BurningSlo, SloRow


async def slo_status(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> list[SloRow]:
    """Every objective over `region`, or over all that the caller sees; one row each.

    Needs `scorecard:read`; raises Denied for a region that is not the caller's to see.
    """
    raise NotImplementedError


async def burning_slos(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> list[BurningSlo]:
    """What burns in the caller's regions, pages before tickets, one row for each SLO and region.

    Needs `scorecard:read`; raises Denied for a region that is not the caller's to see.
    """
    raise NotImplementedError
