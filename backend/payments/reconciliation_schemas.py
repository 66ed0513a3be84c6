"""Reconciliation with gateways' reports as the outside sees it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

_NO_NUL = r"^[^\x00]*$"


class ReportIn(BaseModel):
    """A gateway's report of a day, as CSV.

    Columns `reference,kind,amount,currency` in any order, with others beside them: the gateway's id
    of the payment or refund, `payment` or `refund`, the amount in major units as `1234.50`.
    """

    model_config = ConfigDict(extra="forbid")

    gateway: Literal["stripe", "razorpay", "sandbox"]
    region: Annotated[str, Field(min_length=2, max_length=64, pattern=_NO_NUL)]
    day: date
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_NUL)]
    content: Annotated[str, Field(min_length=1, max_length=1_800_000)]


class ReconciliationTotal(BaseModel):
    """What both sides say in one currency, refunds taken off, in minor units."""

    currency: str
    theirs: int
    ours: int


class ReconciliationOut(BaseModel):
    """A report that was compared; `open` differences are those nobody has settled."""

    id: UUID
    gateway: str
    region: str
    day: date
    name: str
    lines: int
    matched: int
    differences: int
    open: int
    totals: list[ReconciliationTotal]
    created_by: str
    created_by_name: str
    created_at: datetime


class DifferenceOut(BaseModel):
    """One difference; amounts in minor units.

    `kind` is missing_here, missing_there, amount, currency, state, duplicate_line or bad_line.
    """

    id: UUID
    kind: str
    line: int | None
    gateway_ref: str
    payment_id: UUID | None
    order: str | None
    theirs: int | None
    ours: int | None
    currency: str | None
    detail: str
    settled_by: str | None
    settled_note: str | None
    settled_at: datetime | None


class ReconciliationDetail(ReconciliationOut):
    """A report with every difference."""

    items: list[DifferenceOut]


class ReconciliationPage(BaseModel):
    """One page of reports, newest first."""

    items: list[ReconciliationOut]
    next_cursor: str | None


class SettleDifferenceIn(BaseModel):
    """What was found out about a difference."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    note: Annotated[str, Field(min_length=3, max_length=500, pattern=_NO_NUL)]
