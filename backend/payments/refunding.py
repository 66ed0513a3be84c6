"""Moves a refund on: its money on the ledger, its event, and what is asked of the gateway."""

from __future__ import annotations

from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import SYSTEM
from backend.payments import refund_repository
from backend.payments.accounts import clearing, receiver, refunds_payable, wallet_account
from backend.payments.asking import plain_money, queue, tell
from backend.payments.booking import book
from backend.payments.gateways.protocol import RefundReport
from backend.payments.ledger_rules import Item, Op, post
from backend.payments.models import PaymentRow, RefundRow
from backend.payments.rules import Action, RefundState
from backend.platform import clock
from backend.platform.ids import uuid7


async def tell_refund(
    session: AsyncSession, payment: PaymentRow, refund: RefundRow, kind: str, actor: str
) -> None:
    """Emit an event about a refund."""
    await tell(
        session,
        payment,
        f"refund.{kind}",
        actor,
        refund_id=str(refund.id),
        refund=plain_money(refund.amount, refund.currency),
        destination=refund.destination,
        code=refund.failure_code,
        reason=refund.failure_reason or refund.reason,
    )


async def start(session: AsyncSession, payment: PaymentRow, refund: RefundRow, actor: str) -> None:
    """Carry an approved refund out: at once into a wallet, else through the gateway."""
    refund.state = RefundState.APPROVED
    await tell_refund(session, payment, refund, "approved", actor)
    source = receiver(payment)
    about = {"order_number": payment.order_number, "reference": str(payment.id)}
    if refund.destination == "wallet" or payment.terms == "wallet":
        wallet_id = refund.wallet_id or payment.wallet_id
        into = wallet_account(wallet_id, payment.region, payment.currency)
        item = post(_due_id(refund), source, into, refund.amount, "refund", **about)
        await book(session, [item])
        await _done(session, payment, refund, actor)
        return
    due = refunds_payable(payment)
    await book(session, [post(_due_id(refund), source, due, refund.amount, "refund_due", **about)])
    queue(session, payment, Action.REFUND, actor, amount=refund.amount, refund_id=refund.id)


def _due_id(refund: RefundRow) -> UUID:
    return uuid5(refund.id, "due")


async def apply_refund_report(
    session: AsyncSession, payment: PaymentRow, refund: RefundRow, report: RefundReport, actor: str
) -> None:
    """Bring a refund to what the gateway says of it."""
    refund.gateway_ref = report.ref
    if refund.state != RefundState.APPROVED:
        return
    if report.state == "succeeded":
        paid = post(
            uuid5(refund.id, "paid"),
            refunds_payable(payment),
            clearing(payment),
            refund.amount,
            "refund",
            order_number=payment.order_number,
            reference=str(payment.id),
        )
        await book(session, [paid])
        await _done(session, payment, refund, actor)
    elif report.state == "failed":
        message = report.message or "The gateway said no."
        await refused(session, payment, refund, report.code or "refund_failed", message, actor)


async def refused(
    session: AsyncSession,
    payment: PaymentRow,
    refund: RefundRow,
    code: str,
    reason: str,
    actor: str,
) -> None:
    """The gateway does not give the money back: it is owed to the merchant again."""
    if refund.state != RefundState.APPROVED:
        return
    back = Item(
        Op.POST,
        uuid5(refund.id, "back"),
        refunds_payable(payment),
        receiver(payment),
        refund.amount,
        "correction",
        payment.order_number,
        str(payment.id),
        corrects=_due_id(refund),
    )
    await book(session, [back])
    refund.state = RefundState.FAILED
    refund.failure_code, refund.failure_reason = code, reason
    refund.finished_at = clock.now()
    payment.reserved -= refund.amount
    await tell_refund(session, payment, refund, "failed", actor)


async def _done(session: AsyncSession, payment: PaymentRow, refund: RefundRow, actor: str) -> None:
    refund.state = RefundState.SUCCEEDED
    refund.finished_at = clock.now()
    payment.refunded += refund.amount
    payment.updated_at = clock.now()
    await tell_refund(session, payment, refund, "succeeded", actor)


async def refund_unwanted(session: AsyncSession, payment: PaymentRow) -> None:
    """Give back what a gateway took after its payment had been given up."""
    now = clock.now()
    refund = RefundRow(
        id=uuid7(),
        payment_id=payment.id,
        order_number=payment.order_number,
        region=payment.region,
        amount=payment.captured,
        currency=payment.currency,
        reason="It was taken after the payment had been cancelled.",
        destination="source",
        state=RefundState.REQUESTED,
        requested_by=SYSTEM.id,
        requested_by_name=SYSTEM.name,
        created_at=now,
        decided_by=SYSTEM.id,
        decided_by_name=SYSTEM.name,
        decided_at=now,
    )
    payment.reserved += refund.amount
    await refund_repository.add(session, refund)
    await tell_refund(session, payment, refund, "requested", SYSTEM.id)
    await start(session, payment, refund, SYSTEM.id)
