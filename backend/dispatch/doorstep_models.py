"""Tables of the driver's doorway: device events, one-time codes, evidence and its uploads."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Double, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from backend.dispatch.models import document, moment


class DeviceRow(SQLModel, table=True):
    """How far a driver's phone has been heard: the last number without a gap, and the highest."""

    __tablename__ = "dispatch_device"

    driver_id: UUID = Field(primary_key=True)
    heard_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    highest_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    boot_id: str | None = None
    app_version: str | None = None
    platform: str | None = None
    clock_offset_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    seen_at: datetime = moment()


class DeviceEventRow(SQLModel, table=True):
    """One event that a phone sent, with what became of it; the body as it was sent."""

    __tablename__ = "dispatch_device_event"
    __table_args__ = (
        UniqueConstraint("driver_id", "device_seq", name="uq_dispatch_device_event_seq"),
        Index("ix_dispatch_device_event_order", "order_id"),
    )

    event_id: UUID = Field(primary_key=True)
    driver_id: UUID
    device_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    type: str
    order_id: UUID | None = None
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    body: dict[str, Any] = document()
    captured_at: datetime | None = moment(nullable=True)
    happened_at: datetime = moment()
    received_at: datetime = moment()
    status: str
    code: str | None = None
    detail: str | None = None


class ConflictRow(SQLModel, table=True):
    """A second body that came under an event id or number already used."""

    __tablename__ = "dispatch_device_conflict"
    __table_args__ = (
        Index("ix_dispatch_device_conflict_driver", "driver_id", "received_at"),
        UniqueConstraint(
            "driver_id",
            "event_id",
            "device_seq",
            "fingerprint",
            name="uq_dispatch_device_conflict",
        ),
    )

    id: UUID = Field(primary_key=True)
    driver_id: UUID
    event_id: UUID
    device_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    body: dict[str, Any] = document()
    received_at: datetime = moment()


class OtpRow(SQLModel, table=True):
    """A one-time code for one step of an order; only its keyed digest is kept.

    `attempts` counts those used up, over all codes of the step; `sent` counts the codes.
    """

    __tablename__ = "dispatch_otp"

    order_id: UUID = Field(primary_key=True)
    step: str = Field(primary_key=True)
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    minted_at: datetime = moment()
    expires_at: datetime = moment()
    attempts: int
    sent: int
    resend_from: datetime = moment()
    verified_at: datetime | None = moment(nullable=True)


class EvidenceRow(SQLModel, table=True):
    """Proof taken at a step of an order; a picture's content lies under its hash."""

    __tablename__ = "dispatch_evidence"
    __table_args__ = (
        UniqueConstraint("order_id", "step", "kind", "sha256", name="uq_dispatch_evidence"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID
    step: str
    kind: str
    sha256: str
    text: str | None = None
    driver_id: UUID | None = None
    actor: str
    captured_at: datetime = moment()
    received_at: datetime = moment()
    lat: float | None = Field(default=None, sa_column=Column(Double))
    lon: float | None = Field(default=None, sa_column=Column(Double))
    distance_m: float | None = Field(default=None, sa_column=Column(Double))
    flags: str | None = None


class UploadRow(SQLModel, table=True):
    """A file on its way or there, named by the SHA-256 of its whole content."""

    __tablename__ = "dispatch_upload"
    __table_args__ = (
        Index("ix_dispatch_upload_open", "begun_at", postgresql_where=text("done_at IS NULL")),
    )

    sha256: str = Field(primary_key=True)
    size: int
    received: int
    media_type: str | None = None
    driver_id: UUID
    begun_at: datetime = moment()
    done_at: datetime | None = moment(nullable=True)
