"""The HTTP side of payments and refunds."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.payments import cod_endpoints, hooks, ledger_endpoints, service, wallet_endpoints
from backend.payments.answers import csv_answer
from backend.payments.schemas import (
    BulkResults,
    CancelIn,
    CaptureIn,
    DecisionIn,
    FailureGroup,
    OrderPayments,
    PaymentDetail,
    PaymentFilter,
    PaymentIn,
    PaymentOut,
    PaymentPage,
    PaymentTotals,
    RefundFilter,
    RefundIn,
    RefundLimit,
    RefundOut,
    RefundPage,
    RegionCode,
    RetryIn,
    RetryManyIn,
)
from backend.platform.http import Uow
from backend.platform.idempotency import Once
from backend.platform.money import Currency

router = APIRouter()
router.include_router(hooks.router)
router.include_router(wallet_endpoints.router)
router.include_router(ledger_endpoints.router)
router.include_router(cod_endpoints.router)

_payments = APIRouter(prefix="/api/v1", tags=["payments"])

Reader = Annotated[Principal, Depends(requires("payments:read"))]
Writer = Annotated[Principal, Depends(requires("payments:write"))]
RefundReader = Annotated[Principal, Depends(requires("refunds:read"))]
RefundWriter = Annotated[Principal, Depends(requires("refunds:write"))]
Approver = Annotated[Principal, Depends(requires("refunds:approve"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=400)]
Wanted = Annotated[PaymentFilter, Query()]
WantedRefunds = Annotated[RefundFilter, Query()]


class _PaymentQuery(PaymentFilter):
    limit: Limit = 50
    cursor: Cursor = None


class _RefundQuery(RefundFilter):
    limit: Limit = 50
    cursor: Cursor = None


@_payments.get("/payments")
async def list_payments(
    session: Uow, caller: Reader, asked: Annotated[_PaymentQuery, Query()]
) -> PaymentPage:
    """Payments of the caller's regions, newest first."""
    return await service.list_payments(
        session, caller, asked, after=asked.cursor, limit=asked.limit
    )


@_payments.post("/payments", status_code=201, response_model=PaymentOut)
async def create_payment(session: Uow, caller: Writer, once: Once, wanted: PaymentIn) -> Response:
    """Pay for an order that waits for a way to pay."""
    return await once.answer(
        session, caller.id, lambda: service.create_payment(session, caller, wanted)
    )


@_payments.get("/payments.csv", response_class=Response)
async def export_payments(session: Uow, caller: Reader, wanted: Wanted) -> Response:
    """The newest 10,000 matching payments as CSV."""
    return csv_answer("payments", await service.export_payments(session, caller, wanted))


@_payments.get("/payments/failures")
async def failure_groups(
    session: Uow, caller: Reader, region: RegionCode | None = None
) -> list[FailureGroup]:
    """Failed payments counted by gateway and reason."""
    return await service.failure_groups(session, caller, region)


@_payments.get("/payments/totals")
async def payment_totals(
    session: Uow, caller: Reader, since: AwareDatetime, region: RegionCode | None = None
) -> PaymentTotals:
    """Figures of the payments opened since a time."""
    return await service.payment_totals(session, caller, since, region)


@_payments.post("/payments/retry")
async def retry_payments(session: Uow, caller: Writer, wanted: RetryManyIn) -> BulkResults:
    """Try failed payments again, with a result for each."""
    return await service.retry_payments(session, caller, wanted.payment_ids)


@_payments.get("/payments/orders/{number}")
async def order_payments(session: Uow, caller: Reader, number: str) -> OrderPayments:
    """Payment, refunds and cash of one order."""
    return await service.order_payments(session, caller, number)


@_payments.get("/payments/{payment_id}")
async def get_payment(session: Uow, caller: Reader, payment_id: UUID) -> PaymentDetail:
    """One payment with its timeline."""
    return await service.get_payment(session, caller, payment_id)


@_payments.post("/payments/{payment_id}/capture", status_code=202, response_model=PaymentOut)
async def capture_payment(
    session: Uow, caller: Writer, once: Once, payment_id: UUID, wanted: CaptureIn
) -> Response:
    """Take what was authorised, or a part of it."""
    return await once.answer(
        session,
        caller.id,
        lambda: service.capture_payment(session, caller, payment_id, wanted),
        status=202,
    )


@_payments.post("/payments/{payment_id}/cancel", status_code=202, response_model=PaymentOut)
async def cancel_payment(
    session: Uow, caller: Writer, once: Once, payment_id: UUID, wanted: CancelIn
) -> Response:
    """Give up a payment that was not captured."""
    return await once.answer(
        session,
        caller.id,
        lambda: service.cancel_payment(session, caller, payment_id, wanted),
        status=202,
    )


@_payments.post("/payments/{payment_id}/retry", status_code=202, response_model=PaymentOut)
async def retry_payment(
    session: Uow, caller: Writer, once: Once, payment_id: UUID, wanted: RetryIn
) -> Response:
    """Try a failed payment again."""
    return await once.answer(
        session,
        caller.id,
        lambda: service.retry_payment(session, caller, payment_id, wanted),
        status=202,
    )


@_payments.get("/refunds")
async def list_refunds(
    session: Uow, caller: RefundReader, asked: Annotated[_RefundQuery, Query()]
) -> RefundPage:
    """Refunds of the caller's regions, newest first."""
    return await service.list_refunds(session, caller, asked, after=asked.cursor, limit=asked.limit)


@_payments.post("/refunds", status_code=201, response_model=RefundOut)
async def request_refund(
    session: Uow, caller: RefundWriter, once: Once, wanted: RefundIn
) -> Response:
    """Give money back, or ask a second person to let it go."""
    return await once.answer(
        session, caller.id, lambda: service.request_refund(session, caller, wanted)
    )


@_payments.get("/refunds.csv", response_class=Response)
async def export_refunds(session: Uow, caller: RefundReader, wanted: WantedRefunds) -> Response:
    """The newest 10,000 matching refunds as CSV."""
    return csv_answer("refunds", await service.export_refunds(session, caller, wanted))


@_payments.get("/refunds/limit")
async def refund_limit(caller: RefundReader, region: RegionCode, currency: Currency) -> RefundLimit:
    """How much of one payment the caller may refund alone."""
    return service.refund_limit(caller, region, currency)


@_payments.get("/refunds/{refund_id}")
async def get_refund(session: Uow, caller: RefundReader, refund_id: UUID) -> RefundOut:
    """One refund."""
    return await service.get_refund(session, caller, refund_id)


@_payments.post("/refunds/{refund_id}/approve")
async def approve_refund(
    session: Uow, caller: Approver, refund_id: UUID, wanted: DecisionIn
) -> RefundOut:
    """Let a refund go that waits for a second person."""
    return await service.approve_refund(session, caller, refund_id, wanted)


@_payments.post("/refunds/{refund_id}/reject")
async def reject_refund(
    session: Uow, caller: Approver, refund_id: UUID, wanted: DecisionIn
) -> RefundOut:
    """Turn down a refund that waits for a second person."""
    return await service.reject_refund(session, caller, refund_id, wanted)


router.include_router(_payments)
