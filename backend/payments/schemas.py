"""What payments and refunds look like to the rest of the system and to the outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from backend.payments.cod_schemas import (
    CodBoard,
    CodDriverRow,
    CodFilter,
    CodHubRow,
    CodMerchantRow,
    CodOrderOut,
    CodOrderPage,
    RemittanceIn,
    RemittanceOut,
    RemittancePage,
)
from backend.payments.ledger_schemas import (
    AccountOut,
    AccountPage,
    AccountRef,
    BalanceOut,
    CorrectionIn,
    EntryOut,
    EntryPage,
    LedgerCheck,
    LedgerFault,
    TransferOut,
    TransferPage,
)
from backend.payments.reconciliation_schemas import (
    DifferenceOut,
    ReconciliationDetail,
    ReconciliationOut,
    ReconciliationPage,
    ReportIn,
    SettleDifferenceIn,
)
from backend.payments.wallet_schemas import (
    Statement,
    StatementLine,
    TopUpIn,
    WalletIn,
    WalletOut,
    WalletPage,
)
from backend.platform.money import Money

__all__ = [
    "AccountOut", "AccountPage", "AccountRef", "AttemptOut", "BalanceOut", "BulkResult",
    "BulkResults", "CancelIn", "CaptureIn", "CodBoard", "CodDriverRow", "CodFilter", "CodHubRow",
    "CodMerchantRow", "CodOrderOut", "CodOrderPage", "CorrectionIn", "DecisionIn",
    "DifferenceOut", "EntryOut", "EntryPage", "FailureGroup", "LedgerCheck", "LedgerFault",
    "Money", "OrderPayments", "PaymentDetail", "PaymentFilter", "PaymentIn", "PaymentOut",
    "PaymentPage", "PaymentState", "PaymentTotals", "ReconciliationDetail", "ReconciliationOut",
    "ReconciliationPage", "RefundFilter", "RefundIn", "RefundLimit", "RefundOut", "RefundPage",
    "RefundState", "RemittanceIn", "RemittanceOut", "RemittancePage", "ReportIn", "RetryIn",
    "RetryManyIn", "SettleDifferenceIn", "Statement", "StatementLine", "TimelineItem", "TopUpIn",
    "TransferOut", "TransferPage", "WalletIn", "WalletOut", "WalletPage",
]  # fmt: skip

_NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, Field(max_length=200, pattern=_NO_NUL)]
Reason = Annotated[str, Field(min_length=3, max_length=500, pattern=_NO_NUL)]
RegionCode = Annotated[str, Field(min_length=2, max_length=64, pattern=_NO_NUL)]
OrderNumber = Annotated[str, Field(min_length=3, max_length=32, pattern=_NO_NUL)]
Method = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_NUL)]

PaymentState = Literal[
    "requires_method", "requires_action", "processing", "authorised", "captured", "failed",
    "cancelled",
]  # fmt: skip
RefundState = Literal["requested", "approved", "succeeded", "failed", "rejected"]
Terms = Literal["prepaid", "wallet", "cod", "top_up"]
GatewayName = Literal["stripe", "razorpay", "sandbox", "wallet", "cash"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class PaymentIn(_In):
    """A way to pay for an order that waits for one: what the customer's app has got."""

    order: OrderNumber
    amount: Money
    method: Method = Field(description="A payment method token of the gateway.")
    gateway: Literal["stripe", "razorpay", "sandbox"] | None = Field(
        default=None, description="The country's own where it is left out."
    )


class CaptureIn(_In):
    """How much to take of what was authorised; all of it where nothing is said."""

    amount: Money | None = None


class CancelIn(_In):
    """Why a payment is given up."""

    reason: Reason


class RetryIn(_In):
    """Another try, with another method where one is named."""

    method: Method | None = None


class RetryManyIn(_In):
    """Failed payments to try again; each has a result of its own."""

    payment_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class AttemptOut(BaseModel):
    """One action asked of the gateway. `state` is queued, sent, succeeded or failed."""

    id: UUID
    action: Literal["authorise", "capture", "cancel", "refund"]
    amount: Money
    state: str
    tries: int
    code: str | None
    message: str | None
    created_by: str
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None


class PaymentOut(BaseModel):
    """A payment as lists show it. `refundable` is what a refund may still ask for."""

    id: UUID
    order: str | None
    order_id: UUID | None
    region: str
    terms: Terms
    merchant: str | None
    wallet_id: UUID | None
    amount: Money
    captured: Money
    refunded: Money
    refundable: Money
    state: PaymentState
    gateway: str
    gateway_ref: str | None
    failure_code: str | None
    failure_reason: str | None
    next_action: str | None
    late: bool
    attempts: list[AttemptOut] = []
    created_at: datetime
    updated_at: datetime
    authorised_at: datetime | None
    captured_at: datetime | None


class PaymentPage(BaseModel):
    """One page of payments, newest first."""

    items: list[PaymentOut]
    next_cursor: str | None


class TimelineItem(BaseModel):
    """One thing that happened to a payment.

    `source` is attempt, webhook, ledger, refund, order or payment; `data` holds its details.
    """

    at: datetime
    source: Literal["attempt", "webhook", "ledger", "refund", "order", "payment"]
    title: str
    detail: str | None
    amount: Money | None
    state: str | None
    data: dict[str, Any]


class PaymentDetail(PaymentOut):
    """A payment with all that belongs to it."""

    refunds: list[RefundOut]
    transfers: list[TransferOut]
    timeline: list[TimelineItem]
    order_outcome: str | None
    may_retry: bool
    may_capture: bool
    may_cancel: bool
    may_refund: bool


class PaymentFilter(_In):
    """What to show of the payments; an empty field asks nothing. `q` looks in numbers and refs."""

    region: RegionCode | None = None
    states: list[PaymentState] = []
    terms: Terms | None = None
    gateway: GatewayName | None = None
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    failure_code: Text | None = None
    merchant: Text | None = None
    late: bool | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    q: Text | None = None


class FailureGroup(BaseModel):
    """Failed payments that failed alike."""

    gateway: str
    code: str
    reason: str
    count: int
    amounts: list[Money]
    oldest: datetime
    newest: datetime


class PaymentTotals(BaseModel):
    """Figures of the payments of a time: `success` is captured or authorised of all that ended."""

    since: datetime
    counts: dict[str, int]
    captured: list[Money]
    refunded: list[Money]
    awaiting_approval: int
    late: int
    success: float | None


class OrderPayments(BaseModel):
    """What an order's page shows of money."""

    order: str
    terms: Terms | None
    payments: list[PaymentOut]
    refunds: list[RefundOut]
    cod: CodOrderOut | None


class BulkResult(BaseModel):
    """What became of one of many."""

    index: int
    id: UUID
    status: Literal["accepted", "duplicate", "rejected"]
    code: str | None = None
    detail: str | None = None


class BulkResults(BaseModel):
    """One result for each, in order."""

    results: list[BulkResult]


class RefundIn(_In):
    """Money to give back; `wallet` puts it into the customer's wallet in place of its source."""

    payment_id: UUID
    amount: Money
    reason: Reason
    destination: Literal["source", "wallet"] = "source"
    wallet_id: UUID | None = Field(
        default=None, description="For destination `wallet`; the payment's own if left out."
    )


class DecisionIn(_In):
    """Why a refund is approved or turned down."""

    note: Reason


class RefundOut(BaseModel):
    """A refund; one that is `requested` waits for a second person."""

    id: UUID
    payment_id: UUID
    order: str | None
    region: str
    amount: Money
    reason: str
    destination: Literal["source", "wallet"]
    wallet_id: UUID | None
    state: RefundState
    requested_by: str
    requested_by_name: str
    decided_by: str | None
    decided_by_name: str | None
    decision_note: str | None
    gateway: str
    gateway_ref: str | None
    failure_code: str | None
    failure_reason: str | None
    created_at: datetime
    decided_at: datetime | None
    finished_at: datetime | None


class RefundPage(BaseModel):
    """One page of refunds, newest first."""

    items: list[RefundOut]
    next_cursor: str | None


class RefundFilter(_In):
    """What to show of the refunds; an empty field asks nothing."""

    region: RegionCode | None = None
    states: list[RefundState] = []
    payment_id: UUID | None = None
    q: Text | None = None


class RefundLimit(BaseModel):
    """How much the caller may refund alone in a region's currency; None without the right."""

    limit: Money | None
    may_approve: bool


PaymentDetail.model_rebuild()
OrderPayments.model_rebuild()
