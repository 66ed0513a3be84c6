"""The ledger as the outside sees it; amounts of entries and balances are signed minor units."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from backend.platform.money import Money


class AccountRef(BaseModel):
    """Which account: kind, whose, where, in which currency."""

    id: UUID
    kind: str
    owner: str
    region: str
    currency: str


class AccountOut(AccountRef):
    """An account with what it holds; `available` is the balance without what is held back."""

    balance: int
    held: int
    available: int
    entries: int
    floored: bool
    hot: bool
    opened_at: datetime


class AccountPage(BaseModel):
    """One page of accounts by kind and owner."""

    items: list[AccountOut]
    next_cursor: str | None


class BalanceOut(BaseModel):
    """What an account held at a time, and after how many entries."""

    account: AccountRef
    at: datetime
    balance: int
    entries: int


class TransferOut(BaseModel):
    """A transfer; `posted` is what moved of `amount`."""

    id: UUID
    debit: AccountRef
    credit: AccountRef
    amount: Money
    posted: Money
    kind: str
    state: Literal["pending", "posted", "voided", "expired"]
    order: str | None
    reference: str | None
    corrects: UUID | None
    expires_at: datetime | None
    created_at: datetime
    resolved_at: datetime | None


class TransferPage(BaseModel):
    """One page of transfers, newest first."""

    items: list[TransferOut]
    next_cursor: str | None


class EntryOut(BaseModel):
    """One line of an account: signed amount, balance after it, its number without gaps."""

    seq: int
    version: int
    at: datetime
    amount: int
    balance: int
    currency: str
    transfer_id: UUID
    kind: str
    order: str | None
    reference: str | None
    other: AccountRef


class EntryPage(BaseModel):
    """One page of an account's entries, newest first."""

    account: AccountRef
    items: list[EntryOut]
    next_cursor: str | None


class CorrectionIn(BaseModel):
    """A posted transfer to take back, in whole or in part, by a new one that points at it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: UUID = Field(description="The correction's own id; the same id corrects once.")
    reason: Annotated[str, Field(min_length=3, max_length=500, pattern=r"^[^\x00]*$")]
    amount: Money | None = None


class LedgerFault(BaseModel):
    """One broken promise of the ledger."""

    rule: Literal["zero_sum", "chain", "versions", "two_entries", "floor", "held"]
    subject: str
    detail: str


class LedgerCheck(BaseModel):
    """The result of walking the whole ledger."""

    accounts: int
    transfers: int
    entries: int
    faults: list[LedgerFault]
    checked_at: datetime
