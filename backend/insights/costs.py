"""The table of what running Waypost costs, kept by admins."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.insights.scorecard_schemas import CostIn, CostRow
from backend.platform.errors import Conflict


class CostChanged(Conflict):
    """Somebody else changed the row first; the detail says who and when."""


async def list_costs(session: AsyncSession, principal: Principal, year: int) -> list[CostRow]:
    """The costs of a year, the newest month first; needs `scorecard:read` everywhere."""
    raise NotImplementedError


async def save_cost(session: AsyncSession, principal: Principal, wanted: CostIn) -> CostRow:
    """Keep what a kind cost in a month; needs `costs:write` everywhere.

    A month and kind have one row: raises CostChanged where it is not at the version seen.
    """
    raise NotImplementedError


async def remove_cost(
    session: AsyncSession, principal: Principal, cost_id: UUID, version: int
) -> None:
    """Take a row away; raises CostChanged where it is not at that version, NotFound without it."""
    raise NotImplementedError
