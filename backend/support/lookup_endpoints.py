"""The HTTP side of the one search and of an order's case."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.http import Uow
from backend.support import service
from backend.support.case_schemas import Case, CaseActionDone, CaseActionIn
from backend.support.search_schemas import Hits

router = APIRouter(prefix="/api/v1", tags=["support"])

Reader = Annotated[Principal, Depends(requires("orders:read"))]
Number = Annotated[str, Path(max_length=40, pattern=r"^[^\x00]*$")]


@router.get("/search")
async def search(
    session: Uow,
    caller: Reader,
    q: Annotated[str, Query(min_length=2, max_length=100, pattern=r"^[^\x00]*$")],
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> Hits:
    """Orders, drivers, tickets, incidents and payments that the words may mean, surest first."""
    return Hits(items=await service.search(session, caller, q, limit))


@router.get("/orders/{number}/case")
async def case_of(session: Uow, caller: Reader, number: Number) -> Case:
    """An order with all that its support needs."""
    return await service.case_of(session, caller, number)


@router.post("/orders/{number}/case/actions")
async def act_on_case(
    session: Uow, caller: Reader, number: Number, wanted: CaseActionIn
) -> CaseActionDone:
    """Do something about an order, once for each key."""
    return await service.act_on_case(session, caller, number, wanted)
