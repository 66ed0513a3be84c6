"""The HTTP side of the ledger and of reconciliation."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.payments import service
from backend.payments.answers import csv_answer
from backend.payments.schemas import (
    AccountOut,
    AccountPage,
    BalanceOut,
    CorrectionIn,
    DifferenceOut,
    EntryPage,
    LedgerCheck,
    ReconciliationDetail,
    ReconciliationPage,
    RegionCode,
    ReportIn,
    SettleDifferenceIn,
    Text,
    TransferOut,
    TransferPage,
)
from backend.platform.http import Uow
from backend.platform.idempotency import Once

router = APIRouter(prefix="/api/v1", tags=["ledger"])

Reader = Annotated[Principal, Depends(requires("ledger:read"))]
Writer = Annotated[Principal, Depends(requires("ledger:write"))]
Reconciler = Annotated[Principal, Depends(requires("reconciliation:write"))]
ReportReader = Annotated[Principal, Depends(requires("reconciliation:read"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=400)]


@router.get("/ledger/accounts")
async def list_accounts(
    *,
    session: Uow,
    caller: Reader,
    kind: Text | None = None,
    region: RegionCode | None = None,
    q: Text | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AccountPage:
    """Accounts with what they hold, by kind and owner."""
    return await service.list_accounts(
        session, caller, kind=kind, region=region, q=q, after=cursor, limit=limit
    )


@router.get("/ledger/accounts/{account_id}")
async def get_account(session: Uow, caller: Reader, account_id: UUID) -> AccountOut:
    """One account with what it holds now."""
    return await service.get_account(session, caller, account_id)


@router.get("/ledger/accounts/{account_id}/entries")
async def account_entries(
    session: Uow, caller: Reader, account_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> EntryPage:
    """Lines of an account, newest first, with the balance after each."""
    return await service.account_entries(session, caller, account_id, after=cursor, limit=limit)


@router.get("/ledger/accounts/{account_id}/entries.csv", response_class=Response)
async def export_entries(session: Uow, caller: Reader, account_id: UUID) -> Response:
    """The newest 10,000 lines of an account as CSV."""
    return csv_answer("entries", await service.export_entries(session, caller, account_id))


@router.get("/ledger/accounts/{account_id}/balance")
async def balance_at(
    session: Uow, caller: Reader, account_id: UUID, at: AwareDatetime
) -> BalanceOut:
    """What an account held at a time that is past."""
    return await service.balance_at(session, caller, account_id, at)


@router.get("/ledger/transfers")
async def list_transfers(
    *,
    session: Uow,
    caller: Reader,
    order: Text | None = None,
    reference: Text | None = None,
    account_id: UUID | None = None,
    kind: Text | None = None,
    state: Text | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> TransferPage:
    """Transfers, newest first."""
    return await service.list_transfers(
        session,
        caller,
        order=order,
        reference=reference,
        account_id=account_id,
        kind=kind,
        state=state,
        after=cursor,
        limit=limit,
    )


@router.get("/ledger/transfers/{transfer_id}")
async def get_transfer(session: Uow, caller: Reader, transfer_id: UUID) -> TransferOut:
    """One transfer."""
    return await service.get_transfer(session, caller, transfer_id)


@router.post("/ledger/transfers/{transfer_id}/correct", status_code=201)
async def correct_transfer(
    session: Uow, caller: Writer, transfer_id: UUID, wanted: CorrectionIn
) -> TransferOut:
    """Take a posted transfer back by a new one; its id makes it happen once."""
    return await service.correct_transfer(session, caller, transfer_id, wanted)


@router.get("/ledger/check")
async def check_ledger(session: Uow, caller: Reader) -> LedgerCheck:
    """Walk the whole ledger and name each broken promise."""
    return await service.check_ledger(session, caller)


@router.post("/reconciliations", status_code=201, response_model=ReconciliationDetail)
async def import_report(session: Uow, caller: Reconciler, once: Once, wanted: ReportIn) -> Response:
    """Compare a gateway's report with the books."""
    return await once.answer(
        session, caller.id, lambda: service.import_report(session, caller, wanted)
    )


@router.get("/reconciliations")
async def list_reconciliations(
    *,
    session: Uow,
    caller: ReportReader,
    region: RegionCode | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ReconciliationPage:
    """Reports that were compared, newest first."""
    return await service.list_reconciliations(
        session, caller, region=region, after=cursor, limit=limit
    )


@router.get("/reconciliations/{report_id}")
async def get_reconciliation(
    session: Uow, caller: ReportReader, report_id: UUID
) -> ReconciliationDetail:
    """One report with every difference."""
    return await service.get_reconciliation(session, caller, report_id)


@router.get("/reconciliations/{report_id}/differences.csv", response_class=Response)
async def export_differences(session: Uow, caller: ReportReader, report_id: UUID) -> Response:
    """Every difference of a report as CSV."""
    return csv_answer("differences", await service.export_differences(session, caller, report_id))


@router.post("/reconciliations/differences/{difference_id}/settle")
async def settle_difference(
    session: Uow, caller: Reconciler, difference_id: UUID, wanted: SettleDifferenceIn
) -> DifferenceOut:
    """Write down what was found out about a difference."""
    return await service.settle_difference(session, caller, difference_id, wanted)
