"""Tables of payments, refunds, wallets, cash on delivery and what gateways tell."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from backend.payments.gateways.sandbox_models import (
    SandboxNoticeRow,
    SandboxOperationRow,
    SandboxPaymentRow,
)
from backend.payments.ledger_models import (
    AccountRow,
    EntryRow,
    SnapshotRow,
    TransferRow,
    minor,
    moment,
)

__all__ = [
    "AccountRow",
    "AttemptRow",
    "CodRow",
    "DifferenceRow",
    "EntryRow",
    "OrderRow",
    "PaymentRow",
    "ReconciliationRow",
    "RefundRow",
    "RemittanceRow",
    "SandboxNoticeRow",
    "SandboxOperationRow",
    "SandboxPaymentRow",
    "SnapshotRow",
    "TransferRow",
    "WalletRow",
    "WebhookRow",
]


class OrderRow(SQLModel, table=True):
    """What payments knows of an order; its events may come in any order, so much may be missing."""

    __tablename__ = "payments_order"
    __table_args__ = (Index("ix_payments_order_number", "number"),)

    order_id: UUID = Field(primary_key=True)
    number: str
    region: str | None = None
    reference: str | None = None
    terms: str | None = None
    merchant: str | None = None
    amount: int | None = Field(default=None, sa_column=Column(BigInteger))
    currency: str | None = None
    wallet_id: UUID | None = None
    method: str | None = None
    gateway: str | None = None
    outcome: str | None = None
    outcome_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    driver_id: UUID | None = None
    collected: int | None = Field(default=None, sa_column=Column(BigInteger))
    collected_currency: str | None = None
    updated_at: datetime = Field(sa_column=moment())


class PaymentRow(SQLModel, table=True):
    """Money asked for once: for an order, or to top up a wallet.

    `wanted` is what the order asks next of a payment that is still under way: capture or cancel.
    """

    __tablename__ = "payments_payment"
    __table_args__ = (
        CheckConstraint("amount > 0", name="ck_payments_payment_amount"),
        CheckConstraint("captured BETWEEN 0 AND amount", name="ck_payments_payment_captured"),
        CheckConstraint(
            "reserved BETWEEN refunded AND captured", name="ck_payments_payment_refunds"
        ),
        UniqueConstraint("order_id", name="uq_payments_payment_order"),
        Index("ix_payments_payment_region", "region", "id"),
        Index("ix_payments_payment_state", "state", "id"),
        Index("ix_payments_payment_number", "order_number"),
        Index(
            "ix_payments_payment_wallet",
            "wallet_id",
            postgresql_where=text("wallet_id IS NOT NULL"),
        ),
        Index(
            "uq_payments_payment_gateway",
            "gateway",
            "gateway_ref",
            unique=True,
            postgresql_where=text("gateway_ref IS NOT NULL"),
        ),
        Index(
            "ix_payments_payment_ref",
            "gateway_ref",
            postgresql_where=text("gateway_ref IS NOT NULL"),
        ),
        Index("ix_payments_payment_ask", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    purpose: str
    order_id: UUID | None = None
    order_number: str | None = None
    region: str
    merchant: str | None = None
    wallet_id: UUID | None = None
    terms: str
    gateway: str
    method: str | None = None
    amount: int = Field(sa_column=minor())
    captured: int = Field(default=0, sa_column=minor(default=0))
    refunded: int = Field(default=0, sa_column=minor(default=0))
    reserved: int = Field(default=0, sa_column=minor(default=0))
    currency: str
    state: str
    wanted: str | None = None
    wanted_amount: int | None = Field(default=None, sa_column=Column(BigInteger))
    gateway_ref: str | None = None
    hold_id: UUID | None = None
    round: int = 1
    next_action: str | None = None
    failure_code: str | None = None
    failure_reason: str | None = None
    created_by: str
    created_at: datetime = Field(sa_column=moment())
    updated_at: datetime = Field(sa_column=moment())
    authorised_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    captured_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    due_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    late_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    ask_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class AttemptRow(SQLModel, table=True):
    """One action asked of a gateway; its id is the key under which the gateway does it once."""

    __tablename__ = "payments_attempt"
    __table_args__ = (
        Index("ix_payments_attempt_payment", "payment_id", "id"),
        Index(
            "ix_payments_attempt_ref",
            "gateway",
            "gateway_ref",
            postgresql_where=text("action = 'authorise'"),
        ),
        Index(
            "ix_payments_attempt_due",
            "due_at",
            postgresql_where=text("state IN ('queued', 'sent')"),
        ),
    )

    id: UUID = Field(primary_key=True)
    payment_id: UUID
    refund_id: UUID | None = None
    round: int = 1
    gateway: str
    action: str
    gateway_ref: str | None = None
    amount: int = Field(sa_column=minor())
    currency: str
    state: str
    tries: int = 0
    due_at: datetime = Field(sa_column=moment())
    code: str | None = None
    message: str | None = None
    created_by: str
    created_at: datetime = Field(sa_column=moment())
    finished_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class RefundRow(SQLModel, table=True):
    """Money to be given back, to where it came from or to a wallet."""

    __tablename__ = "payments_refund"
    __table_args__ = (
        CheckConstraint("amount > 0", name="ck_payments_refund_amount"),
        Index("ix_payments_refund_payment", "payment_id"),
        Index("ix_payments_refund_region", "region", "id"),
        Index("ix_payments_refund_state", "state", "id"),
    )

    id: UUID = Field(primary_key=True)
    payment_id: UUID
    order_number: str | None = None
    region: str
    amount: int = Field(sa_column=minor())
    currency: str
    reason: str
    destination: str
    wallet_id: UUID | None = None
    state: str
    requested_by: str
    requested_by_name: str
    decided_by: str | None = None
    decided_by_name: str | None = None
    decision_note: str | None = None
    gateway_ref: str | None = None
    failure_code: str | None = None
    failure_reason: str | None = None
    created_at: datetime = Field(sa_column=moment())
    decided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    finished_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class WalletRow(SQLModel, table=True):
    """A customer's purse; its money is the ledger account `account_id`.

    `merchant` is whose customer that is: a marketplace's, or the platform's own.
    """

    __tablename__ = "payments_wallet"
    __table_args__ = (
        UniqueConstraint("merchant", "holder", "currency", name="uq_payments_wallet_holder"),
        Index("ix_payments_wallet_region", "region", "id"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID
    merchant: str
    holder: str
    name: str
    region: str
    currency: str
    created_at: datetime = Field(sa_column=moment())


class CodRow(SQLModel, table=True):
    """The cash of one order on its way from the door to the merchant."""

    __tablename__ = "payments_cod"
    __table_args__ = (
        Index("ix_payments_cod_driver", "driver_id", "shift"),
        Index("ix_payments_cod_region", "region", "state"),
        Index("ix_payments_cod_merchant", "merchant", "state"),
        Index("ix_payments_cod_number", "order_number"),
    )

    order_id: UUID = Field(primary_key=True)
    payment_id: UUID
    order_number: str
    region: str
    hub: str | None = None
    merchant: str
    currency: str
    expected: int = Field(sa_column=minor())
    collected: int | None = Field(default=None, sa_column=Column(BigInteger))
    state: str
    driver_id: UUID | None = None
    shift: date | None = None
    created_at: datetime = Field(sa_column=moment())
    collected_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    received_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    remitted_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    paid_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    late_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class RemittanceRow(SQLModel, table=True):
    """Cash handed over: by a driver at a hub, by a hub to the bank, or to a merchant."""

    __tablename__ = "payments_remittance"
    __table_args__ = (Index("ix_payments_remittance_region", "region", "id"),)

    id: UUID = Field(primary_key=True)
    kind: str
    region: str
    hub: str | None = None
    driver_id: UUID | None = None
    shift: date | None = None
    merchant: str | None = None
    orders: int
    expected: int = Field(sa_column=minor())
    received: int = Field(sa_column=minor())
    currency: str
    reference: str | None = None
    note: str | None = None
    created_by: str
    created_by_name: str
    created_at: datetime = Field(sa_column=moment())


class WebhookRow(SQLModel, table=True):
    """A message of a gateway as it came, kept whole; each event id of a gateway is taken once."""

    __tablename__ = "payments_webhook"
    __table_args__ = (
        UniqueConstraint("gateway", "event_id", name="uq_payments_webhook_event"),
        Index("ix_payments_webhook_due", "due_at", postgresql_where=text("state = 'waiting'")),
        Index(
            "ix_payments_webhook_payment",
            "payment_id",
            postgresql_where=text("payment_id IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    gateway: str
    event_id: str
    kind: str
    ref: str | None = None
    body: bytes
    state: str
    tries: int = 0
    due_at: datetime = Field(sa_column=moment())
    payment_id: UUID | None = None
    outcome: str | None = None
    received_at: datetime = Field(sa_column=moment())
    done_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class ReconciliationRow(SQLModel, table=True):
    """A gateway's report for a day, compared with what stands here."""

    __tablename__ = "payments_reconciliation"
    __table_args__ = (UniqueConstraint("gateway", "digest", name="uq_payments_reconciliation"),)

    id: UUID = Field(primary_key=True)
    gateway: str
    region: str
    day: date
    name: str
    digest: str
    lines: int
    matched: int
    totals: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    created_by: str
    created_by_name: str
    created_at: datetime = Field(sa_column=moment())


class DifferenceRow(SQLModel, table=True):
    """One thing on which a gateway's report and the books do not agree."""

    __tablename__ = "payments_difference"
    __table_args__ = (Index("ix_payments_difference_report", "reconciliation_id", "id"),)

    id: UUID = Field(primary_key=True)
    reconciliation_id: UUID
    kind: str
    line: int | None = None
    gateway_ref: str
    payment_id: UUID | None = None
    order_number: str | None = None
    theirs: int | None = Field(default=None, sa_column=Column(BigInteger))
    ours: int | None = Field(default=None, sa_column=Column(BigInteger))
    currency: str | None = None
    detail: str = Field(sa_column=Column(Text, nullable=False))
    settled_by: str | None = None
    settled_note: str | None = None
    settled_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
