"""Tables of matching: city switches, decisions, offers and planned routes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Double, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from backend.dispatch.models import document, moment


class CityRow(SQLModel, table=True):
    """Whether a city matches by itself; a city without a row does."""

    __tablename__ = "dispatch_city"

    code: str = Field(primary_key=True)
    automatic: bool
    changed_by: str
    changed_by_name: str
    reason: str
    changed_at: datetime = moment()


class DecisionRow(SQLModel, table=True):
    """Who was considered for an order, at which cost, and who was chosen."""

    __tablename__ = "dispatch_decision"
    __table_args__ = (
        Index("ix_dispatch_decision_order", "order_id", "at"),
        Index("ix_dispatch_decision_at", "at"),
    )

    id: UUID = Field(primary_key=True)
    order_id: UUID
    city: str
    at: datetime = moment()
    made_by: str
    chosen: UUID | None = None
    considered: int
    candidates: list[dict[str, Any]] = document()
    unfit: dict[str, int] = document()


class OfferRow(SQLModel, table=True):
    """An order offered to a driver for a short time."""

    __tablename__ = "dispatch_offer"
    __table_args__ = (
        Index("ix_dispatch_offer_order", "order_id", "offered_at"),
        Index("ix_dispatch_offer_driver", "driver_id", "offered_at"),
        Index("ix_dispatch_offer_city", "city", "offered_at"),
        Index(
            "ix_dispatch_offer_open", "city", "expires_at", postgresql_where=text("state = 'open'")
        ),
        Index(
            "uq_dispatch_offer_open",
            "order_id",
            "driver_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "uq_dispatch_offer_accepted_round",
            "order_id",
            "round",
            unique=True,
            postgresql_where=text("state = 'accepted'"),
        ),
    )

    id: UUID = Field(primary_key=True)
    city: str
    order_id: UUID
    driver_id: UUID
    decision_id: UUID | None = None
    round: int
    state: str
    offered_at: datetime = moment()
    expires_at: datetime = moment()
    answered_at: datetime | None = moment(nullable=True)
    reason: str | None = None


class RouteRow(SQLModel, table=True):
    """A driver's planned tour; the newest version without `superseded_at` is in force."""

    __tablename__ = "dispatch_route"
    __table_args__ = (
        UniqueConstraint("driver_id", "version", name="uq_dispatch_route_version"),
        Index("ix_dispatch_route_region", "region", postgresql_where=text("superseded_at IS NULL")),
        Index("ix_dispatch_route_superseded", "superseded_at"),
    )

    id: UUID = Field(primary_key=True)
    driver_id: UUID
    region: str
    version: int
    made_by: str
    made_at: datetime = moment()
    superseded_at: datetime | None = moment(nullable=True)
    distance_m: int
    duration_s: int
    late_s: int


class StopRow(SQLModel, table=True):
    """One stop of a tour: where, for which order, when, and the line driven from the one before."""

    __tablename__ = "dispatch_stop"

    route_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    order_id: UUID
    kind: str
    lat: float = Field(sa_column=Column(Double, nullable=False))
    lon: float = Field(sa_column=Column(Double, nullable=False))
    arrive_at: datetime = moment()
    leave_at: datetime = moment()
    due_at: datetime | None = moment(nullable=True)
    pinned: bool = False
    line: list[Any] = document()


class EtaErrorRow(SQLModel, table=True):
    """An ETA as it was given when an order entered a state, and how long it took in the end.

    `raw_s` is what the travel model said by itself: corrections are learned against that.
    """

    __tablename__ = "dispatch_eta_error"
    __table_args__ = (
        Index("ix_dispatch_eta_error_city", "city", "arrived_at"),
        Index("ix_dispatch_eta_error_made", "made_at"),
        Index(
            "ix_dispatch_eta_error_awaited",
            "city",
            postgresql_where=text("arrived_at IS NULL"),
        ),
    )

    order_id: UUID = Field(primary_key=True)
    horizon: str = Field(primary_key=True)
    city: str
    hub: str | None = None
    vehicle: str
    hour: int
    made_at: datetime = moment()
    raw_s: int
    predicted_s: int
    low_s: int
    high_s: int
    actual_s: int | None = None
    inside: bool | None = None
    arrived_at: datetime | None = moment(nullable=True)
