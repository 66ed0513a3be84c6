"""Wallets and their statements as the outside sees them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from backend.platform.money import Money

_NO_NUL = r"^[^\x00]*$"


class WalletIn(BaseModel):
    """A wallet to open; `holder` is the customer's id with whoever runs the app."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    holder: Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_NUL)]
    name: Annotated[str, Field(min_length=1, max_length=120, pattern=_NO_NUL)]
    region: Annotated[str, Field(min_length=2, max_length=64, pattern=_NO_NUL)]


class WalletOut(BaseModel):
    """A wallet; `available` is what can be paid with: the balance without what is held back.

    The name is masked for whoever neither opened it, nor keeps wallets, nor may reveal names.
    """

    id: UUID
    account_id: UUID
    merchant: str = Field(description="Whose customer it is; `platform` is Waypost itself.")
    holder: str
    name: str
    region: str
    currency: str
    balance: Money
    held: Money
    available: Money
    created_at: datetime


class WalletPage(BaseModel):
    """One page of wallets, newest first."""

    items: list[WalletOut]
    next_cursor: str | None


class TopUpIn(BaseModel):
    """Money to bring into a wallet through a gateway."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    amount: Money
    method: Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_NUL)]
    gateway: Literal["stripe", "razorpay", "sandbox"] | None = None


class CreditIn(BaseModel):
    """Money to give a customer for an order that went wrong; `id` names the transfer."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: UUID
    order: Annotated[str, Field(min_length=3, max_length=32, pattern=_NO_NUL)]
    region: Annotated[str, Field(min_length=2, max_length=64, pattern=_NO_NUL)]
    amount: Money
    reason: Annotated[str, Field(min_length=3, max_length=500, pattern=_NO_NUL)]


class CreditOut(BaseModel):
    """What was given."""

    transfer_id: UUID
    wallet_id: UUID
    amount: Money


class StatementLine(BaseModel):
    """One line of a statement; the amount is signed, in minor units."""

    at: datetime
    description: str
    order: str | None
    amount: int
    balance: int


class Statement(BaseModel):
    """A wallet's month in the region's local time; the lines lead from opening to closing.

    `place` is the region by name.
    """

    wallet_id: UUID
    holder: str
    name: str
    region: str
    place: str
    time_zone: str
    currency: str
    month: date
    opening: int
    closing: int
    paid_in: int
    paid_out: int
    lines: list[StatementLine]
