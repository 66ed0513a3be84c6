"""Drivers' tours: shown, planned anew, edited by hand."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.matching_schemas import PlanResult, RouteEdit, RouteOut
from backend.identity.schemas import Principal


async def list_routes(session: AsyncSession, principal: Principal, region: str) -> list[RouteOut]:
    """The tours in force in the caller's part of a region, by driver code."""
    raise NotImplementedError


async def route_of_driver(
    session: AsyncSession, principal: Principal, driver_id: UUID
) -> RouteOut | None:
    """The driver's tour in force, None for one without orders."""
    raise NotImplementedError


async def plan_routes(session: AsyncSession, principal: Principal, region: str) -> PlanResult:
    """Plan the tours of a region anew."""
    raise NotImplementedError


async def edit_route(
    session: AsyncSession, principal: Principal, driver_id: UUID, edit: RouteEdit
) -> RouteOut:
    """Put the stops of a tour into another order, or pin them; raises Moved, Invalid."""
    raise NotImplementedError
