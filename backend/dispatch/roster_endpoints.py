"""The HTTP side of the roster: capacity, shifts, documents and figures of drivers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from backend.dispatch import service
from backend.dispatch.performance import MOST_DAYS
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
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.http import Uow
from backend.platform.idempotency import Once
from backend.tracking.schemas import Freshness, RegionCode, Search, Vehicle

router = APIRouter(prefix="/api/v1", tags=["roster"])

Reader = Annotated[Principal, Depends(requires("drivers:read"))]
Writer = Annotated[Principal, Depends(requires("drivers:write"))]
Planner = Annotated[Principal, Depends(requires("shifts:write"))]


@router.get("/roster")
async def roster(
    *,
    session: Uow,
    caller: Reader,
    region: RegionCode | None = None,
    vehicle: Vehicle | None = None,
    status: Freshness | None = None,
    q: Search | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Search | None = None,
) -> RosterPage:
    """A page of the caller's drivers with load, capacity, shift and documents."""
    wanted = RosterFilter(region=region, vehicle=vehicle, status=status, q=q)
    return await service.roster(session, caller, wanted, cursor, limit)


@router.get("/roster/{driver_id}")
async def roster_driver(session: Uow, caller: Reader, driver_id: UUID) -> RosterRow:
    """One driver in the same way."""
    return await service.roster_driver(session, caller, driver_id)


@router.get("/drivers/{driver_id}/capacity")
async def get_capacity(session: Uow, caller: Reader, driver_id: UUID) -> Capacity:
    """What a driver can carry at once."""
    return await service.get_capacity(session, caller, driver_id)


@router.put("/drivers/{driver_id}/capacity")
async def set_capacity(
    session: Uow, caller: Writer, driver_id: UUID, wanted: CapacityIn
) -> Capacity:
    """Say what a driver can carry and do."""
    return await service.set_capacity(session, caller, driver_id, wanted)


@router.get("/drivers/{driver_id}/shifts")
async def list_shifts(
    session: Uow,
    caller: Reader,
    driver_id: UUID,
    since: Annotated[AwareDatetime | None, Query()] = None,
) -> list[PlannedShift]:
    """A driver's shifts, in order; from a month back where nothing is said."""
    return await service.list_shifts(session, caller, driver_id, since)


@router.post("/drivers/{driver_id}/shifts", status_code=201, response_model=PlannedShift)
async def plan_shift(
    session: Uow, caller: Planner, driver_id: UUID, once: Once, wanted: ShiftPlan
) -> Response:
    """Plan a shift; one that overlaps another is refused."""
    return await once.answer(
        session, caller.id, lambda: service.plan_shift(session, caller, driver_id, wanted)
    )


@router.delete("/drivers/{driver_id}/shifts/{shift_id}")
async def cancel_shift(
    session: Uow, caller: Planner, driver_id: UUID, shift_id: UUID
) -> PlannedShift:
    """Call off a shift that has not begun."""
    return await service.cancel_shift(session, caller, driver_id, shift_id)


@router.get("/drivers/{driver_id}/documents")
async def list_documents(session: Uow, caller: Reader, driver_id: UUID) -> list[DocumentOut]:
    """A driver's documents, the numbers masked."""
    return await service.list_documents(session, caller, driver_id)


@router.put("/drivers/{driver_id}/documents")
async def set_document(
    session: Uow, caller: Writer, driver_id: UUID, wanted: DocumentIn
) -> DocumentOut:
    """Keep a document that somebody has looked at."""
    return await service.set_document(session, caller, driver_id, wanted)


@router.get("/drivers/{driver_id}/performance")
async def driver_performance(
    session: Uow,
    caller: Reader,
    driver_id: UUID,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 30,
) -> Performance:
    """How a driver did over the last days."""
    return await service.driver_performance(session, caller, driver_id, days)
