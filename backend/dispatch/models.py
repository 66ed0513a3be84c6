"""Tables of orders: the order, its parcels, its append-only history, and what drivers can carry."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Index,
    String,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


def moment(*, nullable: bool = False) -> Any:
    """A column of an aware UTC time."""
    return Field(
        default=None if nullable else ..., sa_type=DateTime(timezone=True), nullable=nullable
    )


def words() -> Any:
    """A column of a list of words, empty by default."""
    return Field(
        default_factory=list,
        sa_column=Column(ARRAY(String), nullable=False, server_default=text("'{}'")),
    )


def document(*, nullable: bool = False) -> Any:
    """A JSONB column."""
    return Field(default=None if nullable else ..., sa_column=Column(JSONB, nullable=nullable))


class OrderRow(SQLModel, table=True):
    """An order as it stands; `version` counts its history and guards against lost updates."""

    __tablename__ = "dispatch_order"
    __table_args__ = (
        UniqueConstraint("merchant", "reference", name="uq_dispatch_order_reference"),
        Index(
            "ix_dispatch_order_region_state",
            "region",
            "state",
            "promised_at",
            postgresql_include=["ended_at"],
        ),
        Index("ix_dispatch_order_region_created", "region", "created_at", "id"),
        Index("ix_dispatch_order_created", "created_at", "id"),
        Index(
            "ix_dispatch_order_open_created",
            "created_at",
            "id",
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_dispatch_order_driver",
            "driver_id",
            postgresql_where=text("driver_id IS NOT NULL"),
        ),
        Index("ix_dispatch_order_hub", "hub", "created_at", "id"),
        Index("ix_dispatch_order_merchant_created", "merchant", "created_at", "id"),
        Index("ix_dispatch_order_promised", "promised_at", "id"),
        Index("ix_dispatch_order_reference", "reference"),
        Index("ix_dispatch_order_drop_phone", "drop_phone"),
        Index(
            "ix_dispatch_order_drop_name",
            func.lower(literal_column("drop_name")).label("lowered"),
            postgresql_ops={"lowered": "text_pattern_ops"},
        ),
        # What a search finds orders by; names stand in a table of their own.
        Index(
            "ix_dispatch_order_phone_end",
            func.reverse(literal_column("drop_phone")).label("reversed"),
            postgresql_ops={"reversed": "text_pattern_ops"},
        ),
        Index(
            "ix_dispatch_order_number_begin",
            "number",
            postgresql_ops={"number": "text_pattern_ops"},
        ),
        Index("ix_dispatch_order_tags", "tags", postgresql_using="gin"),
        Index(
            "ix_dispatch_order_ended",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL"),
        ),
        Index(
            "ix_dispatch_order_flagged",
            "created_at",
            "id",
            postgresql_where=text("flagged IS NOT NULL"),
        ),
        Index(
            "ix_dispatch_order_late",
            "created_at",
            "id",
            postgresql_include=[
                "state",
                "region",
                "hub",
                "service",
                "terms",
                "promised_at",
                "ended_at",
            ],
            postgresql_where=text("state = 'delivered' AND ended_at > promised_at"),
        ),
        # The two that counts are read from, without a look at the table.
        Index(
            "ix_dispatch_order_open",
            "promised_at",
            "id",
            postgresql_include=[
                "state",
                "region",
                "hub",
                "service",
                "terms",
                "eta_high",
                "ended_at",
            ],
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_dispatch_order_state",
            "state",
            "created_at",
            "id",
            postgresql_include=[
                "region",
                "hub",
                "merchant",
                "service",
                "terms",
                "promised_at",
                "ended_at",
            ],
        ),
    )

    id: UUID = Field(primary_key=True)
    number: str = Field(unique=True)
    reference: str
    merchant: str
    region: str
    hub: str | None = None
    service: str
    state: str
    held_from: str | None = None
    version: int
    driver_id: UUID | None = None
    pickup_name: str
    pickup_phone: str
    pickup_address: str
    pickup_lat: float = Field(sa_column=Column(Double, nullable=False))
    pickup_lon: float = Field(sa_column=Column(Double, nullable=False))
    pickup_from: datetime | None = moment(nullable=True)
    pickup_until: datetime | None = moment(nullable=True)
    drop_name: str
    drop_phone: str
    drop_address: str
    drop_lat: float = Field(sa_column=Column(Double, nullable=False))
    drop_lon: float = Field(sa_column=Column(Double, nullable=False))
    drop_from: datetime | None = moment(nullable=True)
    drop_until: datetime | None = moment(nullable=True)
    weight_g: int
    volume_cm3: int
    vehicle: str | None = None
    skills: list[str] = words()
    terms: str
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str
    wallet_id: UUID | None = None
    method: str | None = None
    gateway: str | None = None
    promised_at: datetime = moment()
    tags: list[str] = words()
    tracking_token: str = Field(unique=True)
    tracking_renewed_at: datetime | None = moment(nullable=True)
    sent: dict[str, str] = document()
    flagged: str | None = None
    eta_at: datetime | None = moment(nullable=True)
    eta_low: datetime | None = moment(nullable=True)
    eta_high: datetime | None = moment(nullable=True)
    eta_made_at: datetime | None = moment(nullable=True)
    delay_told: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
    updated_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)


class RecipientRow(SQLModel, table=True):
    """A recipient's name as it is heard in a city, in lower case, so that a search reads names.

    A trigger adds what an order brings; two at once may add the same, which nothing minds.
    """

    __tablename__ = "dispatch_recipient"
    __table_args__ = (
        Index("ix_dispatch_recipient_name", "region", "name"),
        Index(
            "ix_dispatch_recipient_words",
            func.search_folded(literal_column("name")).label("folded"),
            postgresql_using="gin",
            postgresql_ops={"folded": "gin_trgm_ops"},
        ),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    region: str
    name: str


class ParcelRow(SQLModel, table=True):
    """One parcel of an order."""

    __tablename__ = "dispatch_parcel"
    __table_args__ = (Index("ix_dispatch_parcel_barcode", "barcode"),)

    order_id: UUID = Field(primary_key=True)
    barcode: str = Field(primary_key=True)
    weight_g: int
    volume_cm3: int
    picked_up_at: datetime | None = moment(nullable=True)
    delivered_at: datetime | None = moment(nullable=True)


class OrderEventRow(SQLModel, table=True):
    """One step of an order's history; rows are only ever added."""

    __tablename__ = "dispatch_order_event"
    __table_args__ = (UniqueConstraint("order_id", "seq", name="uq_dispatch_order_event_seq"),)

    id: UUID = Field(primary_key=True)
    order_id: UUID
    seq: int
    type: str
    state: str
    actor: str
    actor_name: str
    reason: str | None = None
    at: datetime = moment()
    device_at: datetime | None = moment(nullable=True)
    lat: float | None = Field(default=None, sa_column=Column(Double))
    lon: float | None = Field(default=None, sa_column=Column(Double))
    data: dict[str, Any] = document()


class CapacityRow(SQLModel, table=True):
    """What a driver can carry and do; a driver without a row has their vehicle's usual."""

    __tablename__ = "dispatch_capacity"

    driver_id: UUID = Field(primary_key=True)
    most_orders: int
    most_weight_g: int
    most_volume_cm3: int
    skills: list[str] = words()
    updated_at: datetime = moment()


class ShiftRow(SQLModel, table=True):
    """A planned shift of a driver, and when it was really begun and ended."""

    __tablename__ = "dispatch_shift"
    __table_args__ = (
        Index("ix_dispatch_shift_driver", "driver_id", "starts_at"),
        Index("ix_dispatch_shift_ends", "ends_at"),
    )

    id: UUID = Field(primary_key=True)
    driver_id: UUID
    region: str
    starts_at: datetime = moment()
    ends_at: datetime = moment()
    begun_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)
    cancelled_at: datetime | None = moment(nullable=True)


class DocumentRow(SQLModel, table=True):
    """A driver's licence, insurance or permit, with its end."""

    __tablename__ = "dispatch_document"
    __table_args__ = (UniqueConstraint("driver_id", "kind", name="uq_dispatch_document_kind"),)

    id: UUID = Field(primary_key=True)
    driver_id: UUID
    kind: str
    number: str
    expires_on: date | None = Field(default=None, sa_column=Column(Date))
    checked_by: str
    checked_at: datetime = moment()
