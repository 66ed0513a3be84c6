"""How the pages of payments tell states, amounts and where a row leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from backend.payments.formats import with_code
from backend.payments.schemas import Money, PaymentOut, RefundOut
from backend.regions.service import place_words
from dashboard.states.paging import iso

PAYMENTS = "/payments"
REFUNDS = "/payments/refunds"
CASH = "/payments/cod"
WALLETS = "/payments/wallets"
LEDGER = "/payments/ledger"
RECONCILIATION = "/payments/reconciliation"
PAYMENT_TONES = {
    "captured": "good",
    "authorised": "info",
    "processing": "info",
    "requires_action": "warning",
    "requires_method": "warning",
    "failed": "critical",
    "cancelled": "off",
}
REFUND_TONES = {
    "requested": "warning",
    "approved": "info",
    "succeeded": "good",
    "failed": "critical",
    "rejected": "off",
}
TERMS = {"prepaid": "prepaid", "wallet": "wallet", "cod": "cash on delivery", "top_up": "top-up"}


class PaymentRow(TypedDict):
    """One payment of a list."""

    id: str
    link: str
    order: str
    order_link: str
    amount: str
    refunded: str
    state: str
    tone: str
    gateway: str
    terms: str
    reason: str
    late: bool
    at: str
    place: str


class RefundRow(TypedDict):
    """One refund of a list."""

    id: str
    link: str
    order: str
    amount: str
    state: str
    tone: str
    reason: str
    to: str
    asked_by: str
    decided: str
    at: str
    place: str
    waits: bool


def spoken(code: str) -> str:
    """A code's words: `requires_action` as `requires action`."""
    return code.replace("_", " ")


def money(value: Money) -> str:
    """An amount as its country writes it, with its code."""
    return with_code(value.minor, value.currency)


def sums(values: Sequence[Money]) -> str:
    """Amounts of several currencies side by side; the word none for none."""
    return " · ".join(money(value) for value in values) or "none"


def signed(minor: int, currency: str) -> str:
    """A signed amount with its sign always shown."""
    return f"{'+' if minor > 0 else ''}{with_code(minor, currency)}"


def order_link(number: str | None) -> str:
    """The page of an order; empty for none."""
    return f"/orders/{number}" if number else ""


def payment_row(payment: PaymentOut, names: Mapping[str, str]) -> PaymentRow:
    """A payment as its line of a list."""
    return {
        "id": str(payment.id),
        "link": f"{PAYMENTS}/{payment.id}",
        "order": payment.order or "",
        "order_link": order_link(payment.order),
        "amount": money(payment.amount),
        "refunded": money(payment.refunded) if payment.refunded.minor else "",
        "state": spoken(payment.state),
        "tone": PAYMENT_TONES[payment.state],
        "gateway": payment.gateway,
        "terms": TERMS[payment.terms],
        "reason": payment.failure_reason or payment.failure_code or "",
        "late": payment.late,
        "at": iso(payment.created_at),
        "place": place_words([payment.region], names),
    }


def refund_row(refund: RefundOut, names: Mapping[str, str]) -> RefundRow:
    """A refund as its line of a list."""
    decided = ""
    if refund.decided_by_name:
        decided = f"{refund.decided_by_name}: {refund.decision_note or refund.state}"
    return {
        "id": str(refund.id),
        "link": f"{PAYMENTS}/{refund.payment_id}",
        "order": refund.order or "top-up",
        "amount": money(refund.amount),
        "state": refund.state,
        "tone": REFUND_TONES[refund.state],
        "reason": refund.reason,
        "to": "their wallet" if refund.destination == "wallet" else refund.gateway,
        "asked_by": refund.requested_by_name,
        "decided": refund.failure_reason or decided,
        "at": iso(refund.created_at),
        "place": place_words([refund.region], names),
        "waits": refund.state == "requested",
    }
