"""Tables of alerts as received, alerts, incidents and their timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    Uuid,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

_OPEN = text("state IN ('triggered', 'acknowledged', 'mitigated')")
_FIRING = text("status = 'firing'")


def _moment(*, nullable: bool = False) -> Any:
    return Field(
        default=None if nullable else ..., sa_type=DateTime(timezone=True), nullable=nullable
    )


def _incident(*, nullable: bool = False) -> Any:
    column = Column(Uuid, ForeignKey("incidents_incident.id"), nullable=nullable)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


class EventRow(SQLModel, table=True):
    """One delivery at a doorway, byte for byte, until it is worked in and long after."""

    __tablename__ = "incidents_event"
    __table_args__ = (
        UniqueConstraint("integration", "delivery", name="uq_incidents_event_delivery"),
        Index("ix_incidents_event_waiting", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_incidents_event_digest", "digest", "received_at"),
        Index("ix_incidents_event_received", "received_at"),
    )

    id: UUID = Field(primary_key=True)
    doorway: str
    integration: str
    delivery: str | None = None
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    home: str
    regions: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    content_type: str
    headers: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str
    why: str | None = None
    trace_id: str | None = None
    received_at: datetime = _moment()
    settled_at: datetime | None = _moment(nullable=True)


class IncidentTable(SQLModel, table=True):
    """What people work on; `region` and `service` are those that it grew from."""

    __tablename__ = "incidents_incident"
    __table_args__ = (
        Index("ix_incidents_incident_number", "number", unique=True),
        Index("ix_incidents_incident_open", "service", "id", postgresql_where=_OPEN),
        Index("ix_incidents_incident_state", "state", "id"),
        Index("ix_incidents_incident_began", "impact_started_at"),
        Index(
            "ix_incidents_incident_over",
            func.coalesce(literal_column("resolved_at"), literal_column("closed_at")),
        ),
        Index(
            "ix_incidents_incident_merged",
            "merged_into",
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        Index(
            "ix_incidents_incident_words",
            "title",
            postgresql_using="gin",
            postgresql_ops={"title": "gin_trgm_ops"},
        ),
        Index("ix_incidents_incident_services", "services", postgresql_using="gin"),
        Index(
            "ix_incidents_incident_roles",
            "roles",
            postgresql_using="gin",
            postgresql_ops={"roles": "jsonb_path_ops"},
        ),
    )

    id: UUID = Field(primary_key=True)
    number: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(), nullable=False)
    )
    title: str
    severity: str
    state: str
    kind: str
    region: str
    regions: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    service: str
    services: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    impact_started_at: datetime = _moment()
    detected_at: datetime = _moment()
    acknowledged_at: datetime | None = _moment(nullable=True)
    mitigated_at: datetime | None = _moment(nullable=True)
    resolved_at: datetime | None = _moment(nullable=True)
    closed_at: datetime | None = _moment(nullable=True)
    alerted_at: datetime | None = _moment(nullable=True)
    cleared_at: datetime | None = _moment(nullable=True)
    snoozed_until: datetime | None = _moment(nullable=True)
    roles: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    reopened: int
    follows: UUID | None = _incident(nullable=True)
    merged_into: UUID | None = _incident(nullable=True)
    schedule_id: UUID | None = None
    round: int
    next_step: int
    next_step_at: datetime | None = _moment(nullable=True)
    ack_lapses_at: datetime | None = _moment(nullable=True)
    ack_lapses_s: int | None = None
    opened_by: str
    review: str | None = None
    review_by: str | None = None
    reviewed_at: datetime | None = _moment(nullable=True)
    version: int
    changed_by_name: str
    changed_what: str
    changed_at: datetime = _moment()


class PlaceRow(SQLModel, table=True):
    """A region of an incident; a trigger keeps these as `regions` of the incident has them."""

    __tablename__ = "incidents_place"
    __table_args__ = (
        Index(
            "ix_incidents_place_region",
            "region",
            "incident_id",
            postgresql_ops={"region": "text_pattern_ops"},
        ),
    )

    incident_id: UUID = Field(
        sa_column=Column(
            Uuid, ForeignKey("incidents_incident.id", ondelete="CASCADE"), primary_key=True
        )
    )
    region: str = Field(primary_key=True)


class AlertTable(SQLModel, table=True):
    """A condition that an integration tells of; one row an episode, one open an integration's key.

    `clears_at` is set while a "resolved" waits out the delay in which it may be flapping.
    """

    __tablename__ = "incidents_alert"
    __table_args__ = (
        Index(
            "uq_incidents_alert_open",
            "integration",
            "key",
            unique=True,
            postgresql_where=_FIRING,
        ),
        Index("ix_incidents_alert_key", "integration", "key", "id"),
        Index("ix_incidents_alert_incident", "incident_id"),
        Index("ix_incidents_alert_status", "status", "id"),
        Index(
            "ix_incidents_alert_words",
            "title",
            "key",
            postgresql_using="gin",
            postgresql_ops={"title": "gin_trgm_ops", "key": "gin_trgm_ops"},
        ),
        Index(
            "ix_incidents_alert_clearing",
            "clears_at",
            postgresql_where=text("status = 'firing' AND clears_at IS NOT NULL"),
        ),
        Index(
            "ix_incidents_alert_quiet",
            "id",
            postgresql_where=text("status = 'firing' AND incident_id IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    integration: str
    key: str
    title: str
    severity: str
    status: str
    service: str
    region: str
    started_at: datetime = _moment()
    first_started_at: datetime = _moment()
    ended_at: datetime | None = _moment(nullable=True)
    ended_by: str | None = None
    clears_at: datetime | None = _moment(nullable=True)
    received_at: datetime = _moment()
    seen_at: datetime = _moment()
    deliveries: int
    flaps: int
    labels: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    url: str | None = None
    value: float | None = None
    incident_id: UUID | None = _incident(nullable=True)
    silenced_by: UUID | None = None
    snoozed_until: datetime | None = _moment(nullable=True)
    acknowledged_at: datetime | None = _moment(nullable=True)
    acknowledged_by: str | None = None
    acknowledged_by_name: str | None = None
    event_id: UUID | None = None
    trace_id: str | None = None


class TimelineRow(SQLModel, table=True):
    """One entry of an incident's timeline; nothing here is ever changed or removed."""

    __tablename__ = "incidents_timeline"
    __table_args__ = (Index("ix_incidents_timeline_incident", "incident_id", "at", "id"),)

    id: UUID = Field(primary_key=True)
    incident_id: UUID = _incident()
    at: datetime = _moment()
    written_at: datetime = _moment()
    kind: str
    actor: str
    actor_name: str
    text: str
    data: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    trace_id: str | None = None
