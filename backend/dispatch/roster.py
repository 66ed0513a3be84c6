"""The roster: who works where, with what they carry and can carry, and how they do."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.roster_schemas import (
    Capacity,
    CapacityIn,
    DocumentIn,
    DocumentOut,
    Performance,
    PlannedShift,
    RosterFilter,
    RosterPage,
    RosterRow,
    ShiftPlan,
)
from backend.identity.schemas import Principal


async def roster(
    session: AsyncSession,
    principal: Principal,
    wanted: RosterFilter | None = None,
    after: str | None = None,
    limit: int = 50,
) -> RosterPage:
    """Drivers of the caller's regions by code, with load, capacity, shift and documents."""
    raise NotImplementedError


async def roster_driver(session: AsyncSession, principal: Principal, driver_id: UUID) -> RosterRow:
    """One of them."""
    raise NotImplementedError


async def set_capacity(
    session: AsyncSession, principal: Principal, driver_id: UUID, wanted: CapacityIn
) -> Capacity:
    """Say what a driver can carry."""
    raise NotImplementedError


async def plan_shift(
    session: AsyncSession, principal: Principal, driver_id: UUID, wanted: ShiftPlan
) -> PlannedShift:
    """Plan a shift."""
    raise NotImplementedError


async def cancel_shift(
    session: AsyncSession, principal: Principal, driver_id: UUID, shift_id: UUID
) -> PlannedShift:
    """Call a shift off."""
    raise NotImplementedError


async def list_shifts(
    session: AsyncSession, principal: Principal, driver_id: UUID
) -> list[PlannedShift]:
    """A driver's shifts."""
    raise NotImplementedError


async def set_document(
    session: AsyncSession, principal: Principal, driver_id: UUID, wanted: DocumentIn
) -> DocumentOut:
    """Keep a document."""
    raise NotImplementedError


async def driver_performance(
    session: AsyncSession, principal: Principal, driver_id: UUID, days: int = 30
) -> Performance:
    """How a driver did."""
    raise NotImplementedError
