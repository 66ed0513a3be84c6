"""Tables of the sandbox gateway: it remembers as a real one does, apart from our books."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class SandboxPaymentRow(SQLModel, table=True):
    """A payment as the sandbox knows it."""

    __tablename__ = "payments_sandbox_payment"
    __table_args__ = (Index("ix_payments_sandbox_payment_at", "created_at"),)

    ref: str = Field(primary_key=True)
    method: str
    amount: int = Field(sa_column=Column(BigInteger, nullable=False))
    captured: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    refunded: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    currency: str
    state: str
    code: str | None = None
    turns_to: str | None = None
    turns_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class SandboxOperationRow(SQLModel, table=True):
    """What the sandbox did under one of our keys, and what it answers to the same key again."""

    __tablename__ = "payments_sandbox_operation"

    key: UUID = Field(primary_key=True)
    action: str
    ref: str
    amount: int = Field(sa_column=Column(BigInteger, nullable=False))
    answer: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class SandboxNoticeRow(SQLModel, table=True):
    """A message the sandbox will send; `rank` turns the order of messages round on demand."""

    __tablename__ = "payments_sandbox_notice"
    __table_args__ = (Index("ix_payments_sandbox_notice_due", "due_at"),)

    id: UUID = Field(primary_key=True)
    event_id: UUID
    due_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    rank: int = 0
    kind: str
    ref: str
    body: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
