"""The HTTP side of cash on delivery."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.payments import service
from backend.payments.answers import csv_answer
from backend.payments.schemas import (
    CodBoard,
    CodFilter,
    CodOrderPage,
    RegionCode,
    RemittanceIn,
    RemittanceOut,
    RemittancePage,
)
from backend.platform.http import Uow
from backend.platform.idempotency import Once

router = APIRouter(prefix="/api/v1/cod", tags=["cash on delivery"])

Reader = Annotated[Principal, Depends(requires("cod:read"))]
Writer = Annotated[Principal, Depends(requires("cod:write"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=400)]


class _CodQuery(CodFilter):
    limit: Limit = 50
    cursor: Cursor = None


@router.get("/board")
async def cod_board(session: Uow, caller: Reader, region: RegionCode | None = None) -> CodBoard:
    """Where the cash is: by driver and shift, hub, merchant and stage."""
    return await service.cod_board(session, caller, region)


@router.get("/orders")
async def list_cod_orders(
    session: Uow, caller: Reader, asked: Annotated[_CodQuery, Query()]
) -> CodOrderPage:
    """Orders with cash, newest first."""
    return await service.list_cod_orders(
        session, caller, asked, after=asked.cursor, limit=asked.limit
    )


@router.get("/orders.csv", response_class=Response)
async def export_cod(
    session: Uow, caller: Reader, wanted: Annotated[CodFilter, Query()]
) -> Response:
    """The newest 10,000 matching orders with cash as CSV."""
    return csv_answer("cod", await service.export_cod(session, caller, wanted))


@router.get("/remittances")
async def list_remittances(
    *,
    session: Uow,
    caller: Reader,
    region: RegionCode | None = None,
    kind: Literal["hub", "bank", "merchant"] | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RemittancePage:
    """Hand-overs, newest first."""
    return await service.list_remittances(
        session, caller, region=region, kind=kind, after=cursor, limit=limit
    )


@router.post("/remittances", status_code=201, response_model=RemittanceOut)
async def record_remittance(
    session: Uow, caller: Writer, once: Once, wanted: RemittanceIn
) -> Response:
    """Cash changes hands: at a hub, at the bank, to a merchant."""
    return await once.answer(
        session, caller.id, lambda: service.record_remittance(session, caller, wanted)
    )
