"""Tables of the ledger: accounts, transfers, entries and sums of the busy accounts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel


def moment(*, nullable: bool = False) -> Column[datetime]:
    """A column of an aware time."""
    return Column(DateTime(timezone=True), nullable=nullable)


def minor(*, default: int | None = None) -> Column[int]:
    """A column of an amount in minor units."""
    return Column(BigInteger, nullable=False, server_default=None if default is None else "0")


class AccountRow(SQLModel, table=True):
    """Whose money, of which kind, in which currency.

    A `hot` account is only appended to: its balance stands in snapshots and the entries after them.
    """

    __tablename__ = "payments_account"
    __table_args__ = (
        UniqueConstraint("kind", "owner", "region", "currency", name="uq_payments_account"),
        CheckConstraint("NOT (hot AND floored)", name="ck_payments_account_floor"),
        CheckConstraint("NOT floored OR balance >= held", name="ck_payments_account_balance"),
        CheckConstraint("held >= 0", name="ck_payments_account_held"),
    )

    id: UUID = Field(primary_key=True)
    kind: str
    owner: str
    region: str
    currency: str
    floored: bool
    hot: bool
    balance: int = Field(default=0, sa_column=minor(default=0))
    held: int = Field(default=0, sa_column=minor(default=0))
    version: int = Field(default=0, sa_column=minor(default=0))
    opened_at: datetime = Field(sa_column=moment())


class TransferRow(SQLModel, table=True):
    """An amount from one account (debit) to another (credit); `posted` is what really moved."""

    __tablename__ = "payments_transfer"
    __table_args__ = (
        CheckConstraint("amount > 0", name="ck_payments_transfer_amount"),
        CheckConstraint("posted BETWEEN 0 AND amount", name="ck_payments_transfer_posted"),
        CheckConstraint("debit <> credit", name="ck_payments_transfer_accounts"),
        CheckConstraint(
            "state IN ('pending', 'posted', 'voided', 'expired')", name="ck_payments_transfer_state"
        ),
        Index(
            "ix_payments_transfer_order",
            "order_number",
            postgresql_where=text("order_number IS NOT NULL"),
        ),
        Index(
            "ix_payments_transfer_reference",
            "reference",
            postgresql_where=text("reference IS NOT NULL"),
        ),
        Index(
            "ix_payments_transfer_corrects",
            "corrects",
            postgresql_where=text("corrects IS NOT NULL"),
        ),
        Index(
            "ix_payments_transfer_due",
            "expires_at",
            postgresql_where=text("state = 'pending' AND expires_at IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    debit: UUID
    credit: UUID
    amount: int = Field(sa_column=minor())
    currency: str
    kind: str
    state: str
    two_phase: bool
    posted: int = Field(sa_column=minor())
    order_number: str | None = None
    reference: str | None = None
    corrects: UUID | None = None
    expires_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    created_at: datetime = Field(sa_column=moment())
    resolved_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class EntryRow(SQLModel, table=True):
    """One side of a posted transfer; on hot accounts balance and version are counted on reading."""

    __tablename__ = "payments_entry"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "seq"),
        CheckConstraint("amount <> 0", name="ck_payments_entry_amount"),
        Index(
            "uq_payments_entry_version",
            "account_id",
            "version",
            unique=True,
            postgresql_where=text("version IS NOT NULL"),
        ),
        Index("ix_payments_entry_transfer", "transfer_id"),
    )

    account_id: UUID
    seq: int = Field(sa_column=Column(BigInteger, Identity(), nullable=False))
    transfer_id: UUID
    amount: int = Field(sa_column=minor())
    balance: int | None = Field(default=None, sa_column=Column(BigInteger))
    version: int | None = Field(default=None, sa_column=Column(BigInteger))
    at: datetime = Field(sa_column=moment())


class SnapshotRow(SQLModel, table=True):
    """What a hot account held after all its entries up to and with `through_seq`."""

    __tablename__ = "payments_snapshot"
    __table_args__ = (PrimaryKeyConstraint("account_id", "through_seq"),)

    account_id: UUID
    through_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    balance: int = Field(sa_column=minor())
    entries: int = Field(sa_column=minor())
    taken_at: datetime = Field(sa_column=moment())
