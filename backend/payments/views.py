"""Rows of payments as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.payments.models import AttemptRow, CodRow, OrderRow, PaymentRow, RefundRow, WebhookRow
from backend.payments.rules import State
from backend.payments.schemas import (
    AttemptOut,
    CodOrderOut,
    Money,
    PaymentOut,
    RefundOut,
    TimelineItem,
    TransferOut,
)

_ACTIONS = {
    "authorise": "Authorisation asked",
    "capture": "Capture asked",
    "cancel": "Release asked",
    "refund": "Refund asked",
}
_RETRYABLE = (State.FAILED, State.REQUIRES_METHOD)


def payment_out(row: PaymentRow, attempts: Sequence[AttemptRow] = ()) -> PaymentOut:
    """A payment as lists show it."""
    return PaymentOut(**_payment(row), attempts=[attempt_out(attempt) for attempt in attempts])


def _payment(row: PaymentRow) -> dict[str, Any]:
    def money(minor: int) -> Money:
        return Money(minor=minor, currency=row.currency)

    return {
        "id": row.id,
        "order": row.order_number,
        "order_id": row.order_id,
        "region": row.region,
        "terms": row.terms,
        "merchant": row.merchant,
        "wallet_id": row.wallet_id,
        "amount": money(row.amount),
        "captured": money(row.captured),
        "refunded": money(row.refunded),
        "refundable": money(refundable(row)),
        "state": row.state,
        "gateway": row.gateway,
        "gateway_ref": row.gateway_ref,
        "failure_code": row.failure_code,
        "failure_reason": row.failure_reason,
        "next_action": row.next_action,
        "late": row.late_at is not None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "authorised_at": row.authorised_at,
        "captured_at": row.captured_at,
    }


def refundable(row: PaymentRow) -> int:
    """What a refund may still ask for."""
    return row.captured - row.reserved if row.state == State.CAPTURED else 0


def may_retry(row: PaymentRow, order: OrderRow | None) -> bool:
    """Whether another try makes sense: it failed, and its order has not been given up."""
    ended = order is not None and order.outcome in ("cancelled", "returned")
    return row.state in _RETRYABLE and row.terms != "cod" and not ended


def attempt_out(row: AttemptRow) -> AttemptOut:
    """One action asked of a gateway."""
    return AttemptOut(
        id=row.id,
        action=cast(Any, row.action),
        amount=Money(minor=row.amount, currency=row.currency),
        state=row.state,
        tries=row.tries,
        code=row.code,
        message=row.message,
        created_by=row.created_by,
        created_at=row.created_at,
        due_at=row.due_at,
        finished_at=row.finished_at,
    )


def refund_out(row: RefundRow, payment: PaymentRow, principal: Principal) -> RefundOut:
    """A refund; a marketplace is not told the names of people, nor what they noted."""
    values = row.model_dump(exclude={"amount", "currency", "order_number"})
    if identity.merchant_of(principal) is not None:
        for who in ("requested_by", "decided_by"):
            if values[who] not in (None, principal.id):
                values[f"{who}_name"] = values[who].partition(":")[0]
        values["decision_note"] = None
    return RefundOut(
        **values,
        order=row.order_number,
        amount=Money(minor=row.amount, currency=row.currency),
        gateway=payment.gateway,
    )


def cod_out(row: CodRow) -> CodOrderOut:
    """The cash of an order."""

    def money(minor: int) -> Money:
        return Money(minor=minor, currency=row.currency)

    values = row.model_dump(
        exclude={"order_number", "currency", "expected", "collected", "late_at"}
    )
    return CodOrderOut(
        **values,
        order=row.order_number,
        expected=money(row.expected),
        collected=None if row.collected is None else money(row.collected),
        difference=None if row.collected is None else row.collected - row.expected,
        late=row.late_at is not None,
    )


def timeline(
    payment: PaymentRow,
    order: OrderRow | None,
    attempts: Sequence[AttemptRow],
    webhooks: Sequence[WebhookRow],
    transfers: Sequence[TransferOut],
    refunds: Sequence[RefundOut],
) -> list[TimelineItem]:
    """Everything that happened to a payment, oldest first."""
    whole = Money(minor=payment.amount, currency=payment.currency)
    items = [_item(payment.created_at, "payment", "Payment opened", payment.terms, whole)]
    if order is not None and order.outcome and order.outcome_at:
        items.append(_item(order.outcome_at, "order", f"Order {order.outcome}", None, None))
    if payment.late_at is not None:
        items.append(_item(payment.late_at, "payment", "Settlement is late", None, None))
    items += [_attempt_item(attempt) for attempt in attempts]
    items += [
        _item(w.received_at, "webhook", f"{w.gateway} told {w.kind}", w.event_id, None, w.state)
        for w in webhooks
    ]
    for refund in refunds:
        items += _refund_items(refund)
    for transfer in transfers:
        items += _transfer_items(transfer)
    return sorted(items, key=lambda item: item.at)


def _item(
    at: Any,
    source: Any,
    title: str,
    detail: str | None,
    amount: Money | None,
    state: str | None = None,
    **data: Any,
) -> TimelineItem:
    return TimelineItem(
        at=at, source=source, title=title, detail=detail, amount=amount, state=state, data=data
    )


def _attempt_item(row: AttemptRow) -> TimelineItem:
    amount = Money(minor=row.amount, currency=row.currency)
    return _item(
        row.finished_at or row.created_at,
        "attempt",
        _ACTIONS[row.action],
        row.message,
        amount,
        row.state,
        tries=row.tries,
        code=row.code,
        gateway=row.gateway,
    )


def _refund_items(row: RefundOut) -> list[TimelineItem]:
    amount = row.amount
    items = [
        _item(
            row.created_at,
            "refund",
            "Refund requested",
            row.reason,
            amount,
            row.state,
            by=row.requested_by_name,
        )
    ]
    if row.decided_at is not None:
        said = "turned down" if row.state == "rejected" else "approved"
        items.append(
            _item(
                row.decided_at,
                "refund",
                f"Refund {said}",
                row.decision_note,
                amount,
                row.state,
                by=row.decided_by_name,
            )
        )
    if row.finished_at is not None and row.state != "rejected":
        items.append(
            _item(
                row.finished_at,
                "refund",
                f"Refund {row.state}",
                row.failure_reason,
                amount,
                row.state,
            )
        )
    return items


def _transfer_items(transfer: TransferOut) -> list[TimelineItem]:
    way = f"{transfer.debit.kind} to {transfer.credit.kind}".replace("_", " ")
    about = {"transfer_id": str(transfer.id), "kind": transfer.kind}
    held = transfer.expires_at is not None or transfer.resolved_at != transfer.created_at
    items = []
    if held:
        title = "Put aside on the ledger"
        items.append(
            _item(transfer.created_at, "ledger", title, way, transfer.amount, "pending", **about)
        )
    if transfer.resolved_at is not None:
        amount = transfer.posted if transfer.state == "posted" else transfer.amount
        title = {"posted": "Booked", "voided": "Released", "expired": "Expired"}[transfer.state]
        items.append(
            _item(transfer.resolved_at, "ledger", title, way, amount, transfer.state, **about)
        )
    return items
