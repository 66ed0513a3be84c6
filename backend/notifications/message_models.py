"""Tables of messages to people: the outbox, how each person wants to be written to, broadcasts."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


def _moment(*, nullable: bool = False) -> Any:
    return Field(
        default=None if nullable else ..., sa_type=DateTime(timezone=True), nullable=nullable
    )


def _words() -> Any:
    return Field(sa_column=Column(ARRAY(String), nullable=False))


class MessageRow(SQLModel, table=True):
    """One message; `sealed` holds where it goes and its words, `recipient` is a keyed digest."""

    __tablename__ = "notifications_message"
    __table_args__ = (
        Index(
            "ix_notifications_message_due",
            text("urgent DESC"),
            "next_at",
            postgresql_where=text("state IN ('waiting', 'queued', 'failed')"),
        ),
        Index("ix_notifications_message_order", "order_id", "id"),
        Index("ix_notifications_message_region", "region", "id"),
        Index("ix_notifications_message_state", "state", "id"),
        Index("ix_notifications_message_kind", "template", "channel"),
        Index(
            "ix_notifications_message_pushed",
            "driver_id",
            "id",
            postgresql_where=text("channel = 'push' AND state = 'sent'"),
        ),
        Index(
            "ix_notifications_message_escalation",
            "escalation_id",
            postgresql_where=text("escalation_id IS NOT NULL"),
        ),
        Index(
            "ix_notifications_message_incident",
            "incident_id",
            "id",
            postgresql_where=text("incident_id IS NOT NULL"),
        ),
        Index(
            "uq_notifications_message_dedup",
            "dedup_key",
            unique=True,
            postgresql_where=text("dedup_key IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    region: str
    order_id: UUID | None = None
    order_number: str | None = None
    driver_id: UUID | None = None
    reader: str
    recipient: str
    shown: str
    sealed: str
    template: str
    language: str
    channel: str | None = None
    via: str | None = None
    ways: list[str] = _words()
    state: str
    why: str | None = None
    urgent: bool
    repeated: bool = False
    attempts: int
    tried_here: int
    dedup_key: str | None = None
    escalation_id: UUID | None = None
    incident_id: UUID | None = None
    by: str
    by_name: str
    queued_at: datetime = _moment()
    send_after: datetime = _moment()
    expires_at: datetime = _moment()
    next_at: datetime = _moment()
    claim: UUID | None = None
    claimed_until: datetime | None = _moment(nullable=True)
    sent_at: datetime | None = _moment(nullable=True)
    delivered_at: datetime | None = _moment(nullable=True)
    tried: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))


class PreferenceRow(SQLModel, table=True):
    """How one person wants to be written to about what a marketplace sends them.

    `recipient` is a keyed digest of who they are. The row of no marketplace is a driver's, or what
    a customer wishes of every marketplace of which they have said nothing else.
    """

    __tablename__ = "notifications_preference"

    recipient: str = Field(primary_key=True)
    merchant: str = Field(primary_key=True)
    language: str | None = None
    muted: list[str] = _words()
    channels: list[str] = _words()
    quiet_begins: time | None = None
    quiet_ends: time | None = None
    email: str | None = None
    device: str | None = None
    updated_by: str
    updated_at: datetime = _moment()


class BroadcastRow(SQLModel, table=True):
    """A message to every customer of an incident's orders, and how far it has come."""

    __tablename__ = "notifications_broadcast"
    __table_args__ = (
        Index(
            "ix_notifications_broadcast_open",
            "created_at",
            postgresql_where=text("finished_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    incident_id: UUID
    incident_number: str
    region: str
    since: datetime = _moment()
    until: datetime = _moment()
    text: str
    by: str
    by_name: str
    reached: UUID | None = None
    told: int
    created_at: datetime = _moment()
    finished_at: datetime | None = _moment(nullable=True)
