"""Matches a city's open orders with its drivers and offers them."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.matching_schemas import RunResult
from backend.identity.schemas import Principal


async def run_matching(session: AsyncSession, principal: Principal, city: str) -> RunResult:
    """Match the city now, whether or not its switch is on."""
    raise NotImplementedError
