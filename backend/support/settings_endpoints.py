"""Calendars, targets, macros and agents over HTTP, under `/api/v1/escalations`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.http import Uow
from backend.support import service
from backend.support.rules import Kind
from backend.support.settings_schemas import (
    AgentOut,
    CalendarIn,
    CalendarOut,
    MacroIn,
    MacroOut,
    SlaPolicy,
    SlaPolicyIn,
)
from backend.support.verb_schemas import AvailableIn

router = APIRouter(prefix="/api/v1/escalations", tags=["escalations"])

Reader = Annotated[Principal, Depends(requires("escalations:read"))]
Writer = Annotated[Principal, Depends(requires("escalations:write"))]
Lead = Annotated[Principal, Depends(requires("escalations:configure"))]
Region = Annotated[str, Query(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]


@router.get("/calendars")
async def list_calendars(session: Uow, caller: Reader) -> list[CalendarOut]:
    """Business hours by region."""
    return await service.list_calendars(session, caller)


@router.put("/calendars")
async def save_calendar(session: Uow, caller: Lead, wanted: CalendarIn) -> CalendarOut:
    """Keep a region's business hours."""
    return await service.save_calendar(session, caller, wanted)


@router.get("/sla")
async def sla_policy(session: Uow, caller: Reader, region: Region = "*") -> SlaPolicy:
    """What holds in a region: targets, and how the queue runs itself."""
    return await service.sla_policy(session, caller, region)


@router.put("/sla")
async def save_sla_policy(session: Uow, caller: Lead, wanted: SlaPolicyIn) -> SlaPolicy:
    """Keep a region's targets."""
    return await service.save_sla_policy(session, caller, wanted)


@router.get("/macros")
async def list_macros(
    session: Uow, caller: Reader, region: Region | None = None, kind: Kind | None = None
) -> list[MacroOut]:
    """Texts to answer with."""
    return await service.list_macros(session, caller, region=region, kind=kind)


@router.put("/macros")
async def save_macro(session: Uow, caller: Lead, wanted: MacroIn) -> MacroOut:
    """Keep a text to answer with."""
    return await service.save_macro(session, caller, wanted)


@router.delete("/macros/{macro_id}", status_code=204)
async def remove_macro(session: Uow, caller: Lead, macro_id: UUID) -> None:
    """Forget a text."""
    await service.remove_macro(session, caller, macro_id)


@router.get("/agents")
async def agents_on(session: Uow, caller: Reader, region: Region) -> list[AgentOut]:
    """Who may work on escalations in a region."""
    return await service.agents_on(session, caller, region)


@router.put("/availability")
async def set_available(session: Uow, caller: Writer, wanted: AvailableIn) -> AgentOut:
    """Say whether one takes what comes in."""
    return await service.set_available(session, caller, wanted.available)
