"""What an account may be, and how money is named when it moves: pure decisions of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

_ACCOUNTS = UUID("6f1c1a3e-58a4-5d0e-9a52-3a8f0b7f1d10")


class AccountKind(StrEnum):
    """The accounts of the business; money goes from the debited to the credited one."""

    WALLET = "wallet"
    MERCHANT = "merchant_payable"
    REVENUE = "platform_revenue"
    CLEARING = "gateway_clearing"
    REFUNDS = "refunds_payable"
    COD_MERCHANT = "cod_merchant"
    COD_TO_COLLECT = "cod_to_collect"
    COD_DRIVER = "cod_with_driver"
    COD_HUB = "cod_at_hub"
    COD_REMITTED = "cod_remitted"
    COD_DIFFERENCE = "cod_difference"


# Purses and tills hold real money of somebody, so they cannot hold less than nothing.
FLOORED = frozenset({AccountKind.WALLET, AccountKind.COD_DRIVER, AccountKind.COD_HUB})


class Op(StrEnum):
    """What a batch can do with a transfer."""

    POST = "post"
    HOLD = "hold"
    SETTLE = "settle"
    VOID = "void"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Account:
    """An account by what it is; whoever names the same account means the same one."""

    kind: AccountKind
    owner: str
    region: str
    currency: str

    @property
    def id(self) -> UUID:
        """The id that follows from the name, so that nobody needs to look it up."""
        return uuid5(_ACCOUNTS, f"{self.kind}|{self.owner}|{self.region}|{self.currency}")

    @property
    def floored(self) -> bool:
        """Whether it may not go below zero."""
        return self.kind in FLOORED

    @property
    def hot(self) -> bool:
        """Whether so many transfers meet in it that it is only appended to."""
        return self.kind not in FLOORED


@dataclass(frozen=True, slots=True)
class Item:
    """One transfer of a batch, or what becomes of one that was held.

    `op` post and hold need both accounts and an amount; settle takes an amount for a part.
    """

    op: Op
    id: UUID
    debit: Account | None = None
    credit: Account | None = None
    amount: int | None = None
    kind: str | None = None
    order_number: str | None = None
    reference: str | None = None
    corrects: UUID | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of an item: done, duplicate, differs (`why` names the field) or refused."""

    outcome: str
    why: str | None = None

    @property
    def stands(self) -> bool:
        """Whether the ledger now says what was asked."""
        return self.outcome in ("done", "duplicate")


def post(transfer_id: UUID, debit: Account, credit: Account, amount: int, kind: str,
         *, order_number: str | None = None, reference: str | None = None) -> Item:  # fmt: skip
    """An amount that moves at once."""
    return Item(Op.POST, transfer_id, debit, credit, amount, kind, order_number, reference)


def hold(transfer_id: UUID, debit: Account, credit: Account, amount: int, kind: str,
         *, order_number: str | None = None, reference: str | None = None,
         expires_at: datetime | None = None) -> Item:  # fmt: skip
    """An amount that is put aside until it is settled, voided or expires."""
    return Item(
        Op.HOLD, transfer_id, debit, credit, amount, kind, order_number, reference,
        expires_at=expires_at,
    )  # fmt: skip


def settle(transfer_id: UUID, amount: int | None = None) -> Item:
    """The held transfer moves, in whole or in part; the rest is released."""
    return Item(Op.SETTLE, transfer_id, amount=amount)


def void(transfer_id: UUID) -> Item:
    """The held transfer is released."""
    return Item(Op.VOID, transfer_id)


def expire(transfer_id: UUID) -> Item:
    """The held transfer is released because its time has come."""
    return Item(Op.EXPIRE, transfer_id)
