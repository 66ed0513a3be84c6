"""Tables of what is told to others: webhook endpoints and the deliveries to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

_WAITING = text("state IN ('pending', 'failed')")


def _moment(*, nullable: bool = False) -> Any:
    return Field(
        default=None if nullable else ..., sa_type=DateTime(timezone=True), nullable=nullable
    )


class EndpointRow(SQLModel, table=True):
    """Where a marketplace wants to hear of its orders; secrets are sealed."""

    __tablename__ = "notifications_endpoint"
    __table_args__ = (Index("ix_notifications_endpoint_merchant", "merchant"),)

    id: UUID = Field(primary_key=True)
    merchant: str
    url: str
    event_types: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    region: str
    active: bool
    disabled_because: str | None = None
    secret: str
    former_secret: str | None = None
    former_until: datetime | None = _moment(nullable=True)
    failures: int
    failing_since: datetime | None = _moment(nullable=True)
    created_by: str
    created_by_name: str
    created_at: datetime = _moment()
    updated_at: datetime = _moment()


class DeliveryRow(SQLModel, table=True):
    """One event on its way to one endpoint, and what came of the last attempt."""

    __tablename__ = "notifications_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id", name="uq_notifications_delivery_event"),
        Index("ix_notifications_delivery_due", "endpoint_id", "next_at", postgresql_where=_WAITING),
        Index(
            "ix_notifications_delivery_line",
            "endpoint_id",
            "subject",
            "position",
            postgresql_where=_WAITING,
        ),
        Index("ix_notifications_delivery_endpoint", "endpoint_id", "id"),
        Index("ix_notifications_delivery_settled", "endpoint_id", "settled_at"),
        Index("ix_notifications_delivery_order", "order_number"),
        Index("ix_notifications_delivery_event_at", "event_at"),
    )

    id: UUID = Field(primary_key=True)
    endpoint_id: UUID = Field(
        sa_column=Column(
            Uuid, ForeignKey("notifications_endpoint.id", ondelete="CASCADE"), nullable=False
        )
    )
    event_id: UUID
    event_type: str
    event_at: datetime = _moment()
    subject: str
    position: int
    order_number: str | None = None
    payload: str
    state: str
    attempts: int
    next_at: datetime = _moment()
    claim: UUID | None = None
    claimed_until: datetime | None = _moment(nullable=True)
    attempted_at: datetime | None = _moment(nullable=True)
    status: int | None = None
    why: str | None = None
    sent_headers: dict[str, str] | None = Field(default=None, sa_column=Column(JSONB))
    answer_headers: dict[str, str] | None = Field(default=None, sa_column=Column(JSONB))
    answer_excerpt: str | None = None
    duration_ms: int | None = None
    created_at: datetime = _moment()
    settled_at: datetime | None = _moment(nullable=True)
