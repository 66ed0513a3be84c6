"""The HTTP side of wallets."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BeforeValidator

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.payments import service
from backend.payments.answers import csv_answer, pdf_answer
from backend.payments.schemas import (
    EntryPage,
    PaymentOut,
    RegionCode,
    Statement,
    Text,
    TopUpIn,
    WalletIn,
    WalletOut,
    WalletPage,
)
from backend.platform.http import Uow
from backend.platform.idempotency import Once

router = APIRouter(prefix="/api/v1/wallets", tags=["wallets"])

Reader = Annotated[Principal, Depends(requires("wallets:read"))]
Writer = Annotated[Principal, Depends(requires("wallets:write"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=400)]
# `2026-11` is the month that begins on its first day.
Month = Annotated[date, BeforeValidator(lambda text: f"{text}-01" if len(str(text)) == 7 else text)]


@router.get("")
async def list_wallets(
    *,
    session: Uow,
    caller: Reader,
    region: RegionCode | None = None,
    q: Text | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> WalletPage:
    """Wallets of the caller's regions, newest first."""
    return await service.list_wallets(
        session, caller, region=region, q=q, after=cursor, limit=limit
    )


@router.post("", status_code=201, response_model=WalletOut)
async def open_wallet(session: Uow, caller: Writer, once: Once, wanted: WalletIn) -> Response:
    """The holder's wallet in a region's currency."""
    return await once.answer(
        session, caller.id, lambda: service.open_wallet(session, caller, wanted)
    )


@router.get("/{wallet_id}")
async def get_wallet(session: Uow, caller: Reader, wallet_id: UUID) -> WalletOut:
    """One wallet with what it holds."""
    return await service.get_wallet(session, caller, wallet_id)


@router.get("/{wallet_id}/entries")
async def wallet_entries(
    session: Uow, caller: Reader, wallet_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> EntryPage:
    """What went in and out, newest first, with the balance after each."""
    return await service.wallet_entries(session, caller, wallet_id, after=cursor, limit=limit)


@router.post("/{wallet_id}/top-up", status_code=202, response_model=PaymentOut)
async def top_up(
    session: Uow, caller: Writer, once: Once, wallet_id: UUID, wanted: TopUpIn
) -> Response:
    """Bring money in through a gateway."""
    return await once.answer(
        session, caller.id, lambda: service.top_up(session, caller, wallet_id, wanted), status=202
    )


@router.get("/{wallet_id}/statement")
async def wallet_statement(
    session: Uow, caller: Reader, wallet_id: UUID, month: Month
) -> Statement:
    """A month, `2026-11`, as lines from opening to closing balance."""
    return await service.wallet_statement(session, caller, wallet_id, month)


@router.get("/{wallet_id}/statement.csv", response_class=Response)
async def wallet_statement_csv(
    session: Uow, caller: Reader, wallet_id: UUID, month: Month
) -> Response:
    """The same as CSV."""
    found = await service.wallet_statement(session, caller, wallet_id, month)
    return csv_answer(f"statement-{found.month:%Y-%m}", service.statement_csv(found))


@router.get("/{wallet_id}/statement.pdf", response_class=Response)
async def wallet_statement_pdf(
    session: Uow, caller: Reader, wallet_id: UUID, month: Month
) -> Response:
    """The same as a page to print."""
    found = await service.wallet_statement(session, caller, wallet_id, month)
    return pdf_answer(f"statement-{found.month:%Y-%m}", service.statement_pdf(found))
