"""The verbs on refunds: ask, approve, turn down."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.payments import refund_repository, refunding, repository, views, wallet_repository
from backend.payments.accounts import PLATFORM, country
from backend.payments.models import PaymentRow, RefundRow
from backend.payments.payments import NoSuchPayment
from backend.payments.progress import WrongState
from backend.payments.reach import may, owns, reach
from backend.payments.rules import RefundState, State
from backend.payments.rules import refund_limit as limit_of
from backend.payments.schemas import (
    DecisionIn,
    Money,
    RefundFilter,
    RefundIn,
    RefundLimit,
    RefundOut,
    RefundPage,
)
from backend.platform import clock
from backend.platform.cursors import decode_id, encode
from backend.platform.errors import FieldError, Forbidden, Invalid, NotFound
from backend.platform.ids import uuid7

READ = "refunds:read"
WRITE = "refunds:write"
APPROVE = "refunds:approve"


class NoSuchRefund(NotFound):
    """There is no such refund, or not where the caller may look."""

    title = "There is no such refund"


class SamePerson(Forbidden):
    """Nobody approves what they asked for themselves."""

    code = "same_person"
    title = "A second person must decide on this refund"


async def list_refunds(
    session: AsyncSession,
    principal: Principal,
    wanted: RefundFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> RefundPage:
    """Refunds of the caller's regions, newest first."""
    identity.authorize(principal, READ)
    rows = await refund_repository.refunds(
        session,
        reach(principal, READ),
        wanted,
        before=decode_id(after) if after is not None else None,
        limit=limit + 1,
    )
    items = [views.refund_out(refund, payment, principal) for refund, payment in rows[:limit]]
    return RefundPage(items=items, next_cursor=encode(items[-1].id) if len(rows) > limit else None)


async def get_refund(session: AsyncSession, principal: Principal, refund_id: UUID) -> RefundOut:
    """One refund."""
    identity.authorize(principal, READ)
    row = await refund_repository.refund(session, refund_id)
    if row is None or not identity.may(principal, READ, row.region):
        raise NoSuchRefund
    payment = await repository.payment(session, row.payment_id)
    assert payment is not None
    if not owns(principal, payment.merchant):
        raise NoSuchRefund
    return views.refund_out(row, payment, principal)


def refund_limit(principal: Principal, region: str, currency: str) -> RefundLimit:
    """How much of one payment the caller may refund alone; whoever approves has the lead's."""
    lead = identity.may(principal, APPROVE, region)
    if not identity.may(principal, WRITE, region):
        return RefundLimit(limit=None, may_approve=lead)
    money = Money(minor=limit_of(currency, lead=lead), currency=currency)
    return RefundLimit(limit=money, may_approve=lead)


async def request_refund(
    session: AsyncSession, principal: Principal, wanted: RefundIn
) -> RefundOut:
    """Ask for money to be given back: at once within the caller's limit, else once approved.

    The limit is for all that one person asks back of one payment. Never more than was captured:
    what is asked for is set apart at once, under the payment's lock.
    """
    identity.authorize(principal, WRITE)
    payment = await repository.payment_for_update(session, wanted.payment_id)
    if payment is None or not may(principal, WRITE, payment):
        raise NoSuchPayment
    _check_amount(payment, wanted)
    wallet_id = await _wallet(session, payment, wanted)
    before = await refund_repository.spent_by(session, payment.id, principal.id)
    limit = refund_limit(principal, payment.region, payment.currency).limit
    assert limit is not None
    alone = before + wanted.amount.minor <= limit.minor
    now = clock.now()
    refund = RefundRow(
        id=uuid7(),
        payment_id=payment.id,
        order_number=payment.order_number,
        region=payment.region,
        amount=wanted.amount.minor,
        currency=payment.currency,
        reason=wanted.reason,
        destination=wanted.destination,
        wallet_id=wallet_id,
        state=RefundState.REQUESTED,
        requested_by=principal.id,
        requested_by_name=principal.name,
        created_at=now,
    )
    payment.reserved += refund.amount
    await refund_repository.add(session, refund)
    await refunding.tell_refund(session, payment, refund, "requested", principal.id)
    if alone:
        refund.decided_by, refund.decided_by_name = principal.id, principal.name
        refund.decided_at = now
        await refunding.start(session, payment, refund, principal.id)
    await _record(session, principal, refund, "refund.requested", wanted.reason)
    return views.refund_out(refund, payment, principal)


def _check_amount(payment: PaymentRow, wanted: RefundIn) -> None:
    if payment.state != State.CAPTURED:
        raise WrongState("Only what was captured can be refunded.")
    if wanted.amount.currency != payment.currency:
        raise _invalid(
            "/amount/currency", "wrong_currency", f"The payment is in {payment.currency}."
        )
    if wanted.amount.minor == 0:
        raise _invalid("/amount/minor", "zero", "Nothing cannot be refunded.")
    if wanted.amount.minor > views.refundable(payment):
        raise _invalid("/amount/minor", "over_refund", "More than is left of what was captured.")


async def _wallet(session: AsyncSession, payment: PaymentRow, wanted: RefundIn) -> UUID | None:
    """The wallet a refund goes to, if it goes to one."""
    if wanted.destination == "source":
        if payment.terms == "cod":
            detail = "Cash cannot go back where it came from; name a wallet."
            raise _invalid("/destination", "no_source", detail)
        return None
    if payment.purpose == "top_up":
        detail = "A top-up is refunded to where it came from."
        raise _invalid("/destination", "is_a_wallet", detail)
    wallet_id = wanted.wallet_id or payment.wallet_id
    row = await wallet_repository.wallet(session, wallet_id) if wallet_id else None
    theirs = row is not None and row.merchant in (PLATFORM, payment.merchant)
    if row is None or not theirs or country(row.region) != country(payment.region):
        raise _invalid("/wallet_id", "unknown", "There is no such wallet in this country.")
    return row.id


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(pointer, code, detail)])


async def approve_refund(
    session: AsyncSession, principal: Principal, refund_id: UUID, wanted: DecisionIn
) -> RefundOut:
    """Let a refund go ahead that waits for a second person."""
    payment, refund = await _to_decide(session, principal, refund_id)
    _decided(refund, principal, wanted.note)
    await refunding.start(session, payment, refund, principal.id)
    await _record(session, principal, refund, "refund.approved", wanted.note)
    return views.refund_out(refund, payment, principal)


async def reject_refund(
    session: AsyncSession, principal: Principal, refund_id: UUID, wanted: DecisionIn
) -> RefundOut:
    """Turn a refund down that waits for a second person; its amount is free again."""
    payment, refund = await _to_decide(session, principal, refund_id)
    _decided(refund, principal, wanted.note)
    refund.state, refund.finished_at = RefundState.REJECTED, clock.now()
    payment.reserved -= refund.amount
    await refunding.tell_refund(session, payment, refund, "rejected", principal.id)
    await _record(session, principal, refund, "refund.rejected", wanted.note)
    return views.refund_out(refund, payment, principal)


async def _to_decide(
    session: AsyncSession, principal: Principal, refund_id: UUID
) -> tuple[PaymentRow, RefundRow]:
    """The refund and its payment, locked; raises SamePerson for the one who asked."""
    identity.authorize(principal, APPROVE)
    seen = await refund_repository.refund(session, refund_id)
    if seen is None or not (
        identity.may(principal, READ, seen.region) or identity.may(principal, APPROVE, seen.region)
    ):
        raise NoSuchRefund
    identity.authorize(principal, APPROVE, seen.region)
    payment = await repository.payment_for_update(session, seen.payment_id)
    refund = await refund_repository.refund_for_update(session, refund_id)
    assert payment is not None
    assert refund is not None
    if not owns(principal, payment.merchant):
        raise NoSuchRefund
    if refund.state != RefundState.REQUESTED:
        raise WrongState(f"The refund is {refund.state} already.")
    if refund.requested_by == principal.id:
        raise SamePerson
    return payment, refund


def _decided(refund: RefundRow, principal: Principal, note: str) -> None:
    refund.decided_by, refund.decided_by_name = principal.id, principal.name
    refund.decided_at, refund.decision_note = clock.now(), note


async def _record(
    session: AsyncSession, principal: Principal, refund: RefundRow, action: str, reason: str
) -> None:
    await identity.record(
        session,
        principal,
        action,
        f"refund:{refund.id}",
        region=refund.region,
        after={
            "payment": str(refund.payment_id),
            "amount": refund.amount,
            "currency": refund.currency,
            "destination": refund.destination,
            "state": refund.state,
        },
        reason=reason,
    )
