"""On call over HTTP: schedules, shifts, calls, maintenance windows, heartbeats."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import RootModel

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.incidents import service
from backend.incidents.on_call_schemas import (
    HeartbeatIn,
    HeartbeatOut,
    MaintenanceIn,
    MaintenanceOut,
    OnCall,
    PageOut,
    ScheduleIn,
    ScheduleOut,
    ShiftOut,
)
from backend.platform.http import Uow

router = APIRouter(prefix="/api/v1/on-call", tags=["on call"])

Reader = Annotated[Principal, Depends(requires("incidents:read"))]
Writer = Annotated[Principal, Depends(requires("incidents:write"))]
Admin = Annotated[Principal, Depends(requires("incidents:configure"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Search = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Query(max_length=80, pattern=r"^[^\x00]*$")]


class Shift(RootModel[ShiftOut | None]):
    """The caller's shift, null where none runs."""


@router.get("")
async def who_is_on_call(
    session: Uow, caller: Reader, region: Search | None = None
) -> list[OnCall]:
    """Who is on call now."""
    return await service.who_is_on_call(session, caller, region or None)


@router.get("/schedules")
async def list_schedules(session: Uow, caller: Reader) -> list[ScheduleOut]:
    """Schedules by name."""
    return await service.list_schedules(session, caller)


@router.post("/schedules")
async def save_schedule(session: Uow, caller: Admin, wanted: ScheduleIn) -> ScheduleOut:
    """Add a schedule, or change the one that `id` names."""
    return await service.save_schedule(session, caller, wanted)


@router.delete("/schedules/{schedule_id}", status_code=204)
async def remove_schedule(session: Uow, caller: Admin, schedule_id: UUID) -> None:
    """Remove a schedule."""
    await service.remove_schedule(session, caller, schedule_id)


@router.get("/calls")
async def list_pages(
    session: Uow, caller: Reader, incident_id: UUID | None = None, limit: Limit = 50
) -> list[PageOut]:
    """Calls to the caller, or all of one incident."""
    return await service.list_pages(session, caller, incident_id=incident_id, limit=limit)


@router.get("/shift")
async def current_shift(session: Uow, caller: Reader) -> Shift:
    """The caller's running shift."""
    return Shift(await service.current_shift(session, caller))


@router.post("/shift")
async def start_shift(session: Uow, caller: Reader) -> ShiftOut:
    """Begin a shift."""
    return await service.start_shift(session, caller)


@router.delete("/shift")
async def end_shift(session: Uow, caller: Reader) -> Shift:
    """End the caller's shift."""
    return Shift(await service.end_shift(session, caller))


@router.get("/maintenance")
async def list_maintenance(
    session: Uow,
    caller: Reader,
    ended: bool = False,
) -> list[MaintenanceOut]:
    """Maintenance windows, newest first."""
    return await service.list_maintenance(session, caller, ended=ended)


@router.post("/maintenance", status_code=201)
async def add_maintenance(session: Uow, caller: Writer, wanted: MaintenanceIn) -> MaintenanceOut:
    """Add a window."""
    return await service.add_maintenance(session, caller, wanted)


@router.delete("/maintenance/{window_id}")
async def end_maintenance(session: Uow, caller: Writer, window_id: UUID) -> MaintenanceOut:
    """End a window now."""
    return await service.end_maintenance(session, caller, window_id)


@router.get("/heartbeats")
async def list_heartbeats(session: Uow, caller: Reader) -> list[HeartbeatOut]:
    """The integrations that should be heard regularly."""
    return await service.list_heartbeats(session, caller)


@router.post("/heartbeats")
async def save_heartbeat(session: Uow, caller: Admin, wanted: HeartbeatIn) -> HeartbeatOut:
    """Expect an integration to be heard."""
    return await service.save_heartbeat(session, caller, wanted)


@router.delete("/heartbeats", status_code=204)
async def remove_heartbeat(session: Uow, caller: Admin, integration: Name) -> None:
    """Expect an integration no longer."""
    await service.remove_heartbeat(session, caller, integration)
