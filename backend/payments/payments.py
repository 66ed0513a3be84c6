"""The verbs on payments: list, look, pay, capture, give up, try again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.payments import (
    cod_repository,
    ledger,
    ledger_repository,
    orders,
    refund_repository,
    repository,
    views,
)
from backend.payments.asking import OWN
from backend.payments.models import PaymentRow
from backend.payments.progress import WrongState, move
from backend.payments.reach import WHOLE, may, owns, reach
from backend.payments.rules import State
from backend.payments.schemas import (
    BulkResult,
    BulkResults,
    CancelIn,
    CaptureIn,
    FailureGroup,
    Money,
    OrderPayments,
    PaymentDetail,
    PaymentFilter,
    PaymentIn,
    PaymentOut,
    PaymentPage,
    PaymentTotals,
    RefundFilter,
    RetryIn,
)
from backend.platform.cursors import decode_id, encode
from backend.platform.errors import DomainError, FieldError, Invalid, NotFound

READ = "payments:read"
WRITE = "payments:write"
_MOST_REFUNDS = 200


class NoSuchPayment(NotFound):
    """There is no such payment, or not where the caller may look."""

    title = "There is no such payment"


async def list_payments(
    session: AsyncSession,
    principal: Principal,
    wanted: PaymentFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> PaymentPage:
    """Payments of the caller's regions, newest first, each with its attempts."""
    identity.authorize(principal, READ)
    rows = await repository.payments(
        session,
        reach(principal, READ),
        wanted,
        before=decode_id(after) if after is not None else None,
        limit=limit + 1,
    )
    page = rows[:limit]
    attempts = await repository.attempts_of(session, [row.id for row in page])
    items = [views.payment_out(row, attempts[row.id]) for row in page]
    return PaymentPage(items=items, next_cursor=encode(page[-1].id) if len(rows) > limit else None)


async def _allowed(
    session: AsyncSession, principal: Principal, payment_id: UUID, permission: str = READ
) -> PaymentRow:
    """The payment, locked if it is to be changed.

    Raises NoSuchPayment for one that the caller may not see, Denied for one they only may see.
    """
    identity.authorize(principal, permission)
    find = repository.payment if permission == READ else repository.payment_for_update
    row = await find(session, payment_id)
    if row is None or not (may(principal, READ, row) or may(principal, permission, row)):
        raise NoSuchPayment
    identity.authorize(principal, permission, row.region)
    return row


async def get_payment(
    session: AsyncSession, principal: Principal, payment_id: UUID
) -> PaymentDetail:
    """One payment with attempts, refunds, ledger transfers and the timeline of all of it."""
    row = await _allowed(session, principal, payment_id)
    order = await repository.order_by_id(session, row.order_id) if row.order_id else None
    attempts = (await repository.attempts_of(session, [row.id]))[row.id]
    found = await refund_repository.refunds(
        session, WHOLE, RefundFilter(payment_id=row.id), limit=_MOST_REFUNDS
    )
    refunds = [views.refund_out(refund, row, principal) for refund, _ in found]
    booked = await ledger_repository.transfers(
        session, ("*",), references=[str(row.id)], limit=_MOST_REFUNDS
    )
    transfers = await ledger.transfers_out(session, booked)
    webhooks = await repository.webhooks_of(session, row.id)
    writes = identity.may(principal, WRITE, row.region)
    may_refund = identity.may(principal, "refunds:write", row.region)
    return PaymentDetail(
        **views.payment_out(row, attempts).model_dump(),
        refunds=refunds,
        transfers=transfers,
        timeline=views.timeline(row, order, attempts, webhooks, transfers, refunds),
        order_outcome=order.outcome if order else None,
        may_retry=writes and views.may_retry(row, order),
        may_capture=writes and row.state == State.AUTHORISED,
        may_cancel=writes and row.state not in (State.CAPTURED, State.CANCELLED),
        may_refund=may_refund and views.refundable(row) > 0,
    )


async def order_payments(session: AsyncSession, principal: Principal, number: str) -> OrderPayments:
    """What an order's page shows of money; nothing of it where the order has none."""
    identity.authorize(principal, READ)
    rows = [
        row
        for row in await repository.payments_of_number(session, number)
        if may(principal, READ, row)
    ]
    refunds = []
    for row in rows:
        found = await refund_repository.refunds(
            session, WHOLE, RefundFilter(payment_id=row.id), limit=_MOST_REFUNDS
        )
        refunds += [views.refund_out(refund, payment, principal) for refund, payment in found]
    cash = await cod_repository.cod_of_number(session, number) if rows else None
    attempts = await repository.attempts_of(session, [row.id for row in rows])
    return OrderPayments(
        order=number,
        terms=rows[0].terms if rows else None,
        payments=[views.payment_out(row, attempts[row.id]) for row in rows],
        refunds=refunds,
        cod=views.cod_out(cash) if cash else None,
    )


async def failure_groups(
    session: AsyncSession, principal: Principal, region: str | None = None
) -> list[FailureGroup]:
    """Failed payments counted by gateway and reason, the most frequent first."""
    identity.authorize(principal, READ)
    groups: dict[tuple[str, str], FailureGroup] = {}
    for row in await repository.failure_groups(session, reach(principal, READ), region):
        amount = Money(minor=int(row.amount), currency=row.currency)
        known = groups.get((row.gateway, row.code))
        if known is None:
            groups[row.gateway, row.code] = FailureGroup(
                gateway=row.gateway,
                code=row.code,
                reason=row.reason or row.code,
                count=row.number,
                amounts=[amount],
                oldest=row.oldest,
                newest=row.newest,
            )
            continue
        known.count += row.number
        known.amounts.append(amount)
        known.oldest = min(known.oldest, row.oldest)
        known.newest = max(known.newest, row.newest)
    return sorted(groups.values(), key=lambda group: -group.count)


async def payment_totals(
    session: AsyncSession, principal: Principal, since: datetime, region: str | None = None
) -> PaymentTotals:
    """Figures of the payments that were opened since a time."""
    identity.authorize(principal, READ)
    seen = reach(principal, READ)
    counts: dict[str, int] = {}
    captured: dict[str, int] = {}
    refunded: dict[str, int] = {}
    late = 0
    for row in await repository.totals(session, seen, since, region):
        counts[row.state] = counts.get(row.state, 0) + row.number
        captured[row.currency] = captured.get(row.currency, 0) + int(row.captured)
        refunded[row.currency] = refunded.get(row.currency, 0) + int(row.refunded)
        late += row.late
    good = counts.get(State.AUTHORISED, 0) + counts.get(State.CAPTURED, 0)
    ended = good + counts.get(State.FAILED, 0)
    return PaymentTotals(
        since=since,
        counts=counts,
        captured=[Money(minor=sum_, currency=c) for c, sum_ in captured.items() if sum_],
        refunded=[Money(minor=sum_, currency=c) for c, sum_ in refunded.items() if sum_],
        awaiting_approval=await refund_repository.awaiting_approval(session, seen, region),
        late=late,
        success=good / ended if ended else None,
    )


async def create_payment(
    session: AsyncSession, principal: Principal, wanted: PaymentIn
) -> PaymentOut:
    """Pay for an order that waits for a way to pay; raises Invalid naming the field.

    An order has one payment: a new method begins a new round of it.
    """
    identity.authorize(principal, WRITE)
    order = await repository.order_by_number(session, wanted.order)
    seen = order and order.region and identity.may(principal, WRITE, order.region)
    if order is None or not seen or not owns(principal, order.merchant):
        raise _invalid("/order", "unknown", "There is no such order.")
    if order.terms != "prepaid":
        raise _invalid("/order", "other_terms", f"The order is paid by {order.terms}.")
    if wanted.amount.currency != order.currency:
        detail = f"The order is in {order.currency}."
        raise _invalid("/amount/currency", "wrong_currency", detail)
    if wanted.amount.minor != order.amount:
        raise _invalid("/amount/minor", "wrong_amount", "The order costs another amount.")
    row = await repository.payment_of_order(session, order.order_id)
    assert row is not None
    if not views.may_retry(row, order):
        raise WrongState(f"The order's payment is {row.state}.")
    row.gateway = wanted.gateway or row.gateway
    await _again(session, principal, row, wanted.method)
    await _record_retry(session, principal, row)
    return views.payment_out(row)


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(pointer, code, detail)])


async def capture_payment(
    session: AsyncSession, principal: Principal, payment_id: UUID, wanted: CaptureIn
) -> PaymentOut:
    """Take what was authorised, or a part of it; the rest is released."""
    row = await _allowed(session, principal, payment_id, WRITE)
    if row.state != State.AUTHORISED or row.wanted == "cancel":
        raise WrongState(f"A payment that is {row.state} cannot be captured.")
    amount = wanted.amount
    if amount is not None and amount.currency != row.currency:
        raise _invalid("/amount/currency", "wrong_currency", f"The payment is in {row.currency}.")
    if amount is not None and not 0 < amount.minor <= row.amount:
        detail = "More than nothing and at most what was authorised can be captured."
        raise _invalid("/amount/minor", "out_of_bounds", detail)
    minor = amount.minor if amount else row.amount
    if row.wanted == "capture" and (row.wanted_amount or row.amount) != minor:
        raise WrongState("Another amount is being captured.")
    await orders.want(session, row, "capture", principal.id, amount=minor)
    await _record(session, principal, row, "payment.capture_asked", after={"amount": minor})
    return views.payment_out(row)


async def cancel_payment(
    session: AsyncSession, principal: Principal, payment_id: UUID, wanted: CancelIn
) -> PaymentOut:
    """Give a payment up that has not been captured."""
    row = await _allowed(session, principal, payment_id, WRITE)
    if row.terms == "cod":
        raise WrongState("Cash on delivery ends with its order.")
    if row.state in (State.CAPTURED, State.CANCELLED):
        raise WrongState(f"A payment that is {row.state} cannot be cancelled.")
    if row.wanted == "capture" and row.state == State.AUTHORISED:
        raise WrongState("The payment is being captured.")
    await orders.want(session, row, "cancel", principal.id)
    await _record(session, principal, row, "payment.cancel_asked", reason=wanted.reason)
    return views.payment_out(row)


async def retry_payment(
    session: AsyncSession, principal: Principal, payment_id: UUID, wanted: RetryIn
) -> PaymentOut:
    """Try a failed payment again, with another method where one is named."""
    row = await _retryable(session, principal, payment_id, wanted.method)
    await _again(session, principal, row, wanted.method)
    await _record_retry(session, principal, row)
    return views.payment_out(row)


async def _retryable(
    session: AsyncSession, principal: Principal, payment_id: UUID, method: str | None
) -> PaymentRow:
    """The payment, locked, if another try makes sense."""
    row = await _allowed(session, principal, payment_id, WRITE)
    order = await repository.order_by_id(session, row.order_id) if row.order_id else None
    if not views.may_retry(row, order):
        raise WrongState(f"A payment that is {row.state} cannot be tried again.")
    if row.gateway not in OWN and not (method or row.method):
        raise _invalid("/method", "missing", "The payment has no method yet.")
    return row


async def _again(
    session: AsyncSession, principal: Principal, row: PaymentRow, method: str | None
) -> None:
    """Begin a new round; what an earlier one brings after all is released."""
    row.round += 1
    row.method = method or row.method
    row.gateway_ref = row.ask_at = row.next_action = None
    row.failure_code = row.failure_reason = None
    move(row, State.PROCESSING)
    await session.flush()
    await orders.begin(session, row, principal.id)


async def _record_retry(session: AsyncSession, principal: Principal, row: PaymentRow) -> None:
    await _record(session, principal, row, "payment.retried", after={"round": row.round})


async def retry_payments(
    session: AsyncSession, principal: Principal, payment_ids: Sequence[UUID]
) -> BulkResults:
    """Try many failed payments again; what hinders one does not hinder the others.

    All are locked before any is changed, in the order of ids, and recorded last: whoever works on
    one of them meanwhile waits, and not in a ring.
    """
    identity.authorize(principal, WRITE)
    locked: dict[UUID, PaymentRow] = {}
    refused: dict[UUID, DomainError] = {}
    for payment_id in sorted(set(payment_ids), key=lambda found: found.int):
        try:
            locked[payment_id] = await _retryable(session, principal, payment_id, None)
        except DomainError as error:
            refused[payment_id] = error
    for row in locked.values():
        await _again(session, principal, row, None)
    for row in locked.values():
        await _record_retry(session, principal, row)
    return BulkResults(
        results=[
            _bulk_result(index, payment_id, payment_id in payment_ids[:index], refused)
            for index, payment_id in enumerate(payment_ids)
        ]
    )


def _bulk_result(
    index: int, payment_id: UUID, before: bool, refused: Mapping[UUID, DomainError]
) -> BulkResult:
    error = refused.get(payment_id)
    if before:
        return BulkResult(index=index, id=payment_id, status="duplicate")
    if error is None:
        return BulkResult(index=index, id=payment_id, status="accepted")
    return BulkResult(
        index=index, id=payment_id, status="rejected", code=error.code, detail=error.detail
    )


async def _record(
    session: AsyncSession, principal: Principal, row: PaymentRow, action: str, **more: object
) -> None:
    await identity.record(
        session, principal, action, f"payment:{row.id}", region=row.region, **more  # type: ignore[arg-type]
    )  # fmt: skip
