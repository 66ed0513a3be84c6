"""Which cities match by themselves, and how matching does there."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.matching_schemas import CitySwitch, MatchingFigures
from backend.identity.schemas import Principal


async def city_switches(session: AsyncSession, principal: Principal) -> list[CitySwitch]:
    """The caller's cities by name, each with its switch."""
    raise NotImplementedError


async def set_city_switch(
    session: AsyncSession, principal: Principal, city: str, *, automatic: bool, reason: str
) -> CitySwitch:
    """Switch a city's automatic matching; open offers of a paused city are withdrawn."""
    raise NotImplementedError


async def matching_figures(
    session: AsyncSession, principal: Principal, region: str
) -> MatchingFigures:
    """How matching does in the caller's part of a region."""
    raise NotImplementedError
