"""Tells of payments in events, and writes down what gateways are to be asked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.payments import repository
from backend.payments.models import AttemptRow, PaymentRow
from backend.payments.rules import Action
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit

# Paid at once on our own ledger, or at the door: there is nobody to ask.
OWN = ("wallet", "cash")


def plain_money(minor: int, currency: str) -> dict[str, Any]:
    """An amount as events carry it."""
    return {"minor": minor, "currency": currency}


async def tell(
    session: AsyncSession, payment: PaymentRow, event: str, actor: str, **more: Any
) -> None:
    """Emit an event about a payment."""
    data = {
        "payment_id": str(payment.id),
        "order_id": str(payment.order_id) if payment.order_id else None,
        "number": payment.order_number,
        "terms": payment.terms,
        "gateway": payment.gateway,
        "amount": plain_money(payment.amount, payment.currency),
        **more,
    }
    await emit(session, Event(event, str(payment.id), actor, data, payment.region))


def queue(
    session: AsyncSession,
    payment: PaymentRow,
    action: Action,
    actor: str,
    *,
    amount: int | None = None,
    refund_id: UUID | None = None,
    ref: str | None = None,
) -> AttemptRow:
    """Write down what is to be asked of the gateway; the role `payments` of a worker asks it.

    `ref` is for a gateway's payment of an earlier round.
    """
    now = clock.now()
    attempt = AttemptRow(
        id=uuid7(),
        payment_id=payment.id,
        refund_id=refund_id,
        round=payment.round,
        gateway=payment.gateway,
        action=action,
        gateway_ref=ref or payment.gateway_ref,
        amount=amount or payment.amount,
        currency=payment.currency,
        state="queued",
        due_at=now,
        created_by=actor,
        created_at=now,
    )
    session.add(attempt)
    return attempt


async def ask_once(
    session: AsyncSession,
    payment: PaymentRow,
    action: Action,
    actor: str,
    *,
    amount: int | None = None,
    ref: str | None = None,
) -> None:
    """Queue an action on this round's payment at the gateway, or on `ref`, unless it waits."""
    ref = ref or payment.gateway_ref
    waiting = await repository.open_attempts(session, payment.id)
    if ref and not any((a.action, a.gateway_ref) == (action, ref) for a in waiting):
        queue(session, payment, action, actor, amount=amount, ref=ref)
