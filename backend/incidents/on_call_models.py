"""Tables of who is on call, what called them, quiet spans and expected heartbeats."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, ForeignKey, Index, String, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


def _moment(*, nullable: bool = False) -> Any:
    return Field(
        default=None if nullable else ..., sa_type=DateTime(timezone=True), nullable=nullable
    )


class ScheduleTable(SQLModel, table=True):
    """Whose turn it is, and whom to call in which order."""

    __tablename__ = "incidents_schedule"

    id: UUID = Field(primary_key=True)
    name: str
    region: str
    services: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    people: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    turn_s: int
    starts_at: datetime = _moment()
    overrides: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    steps: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    ack_lapses_s: int
    version: int
    changed_by: str
    changed_by_name: str
    changed_at: datetime = _moment()


class ShiftTable(SQLModel, table=True):
    """A person's shift at the console."""

    __tablename__ = "incidents_shift"
    __table_args__ = (
        Index(
            "uq_incidents_shift_running",
            "person_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    person_id: str
    name: str
    started_at: datetime = _moment()
    ended_at: datetime | None = _moment(nullable=True)


class PageTable(SQLModel, table=True):
    """A call to one person over one channel, until it is sent or given up."""

    __tablename__ = "incidents_page"
    __table_args__ = (
        UniqueConstraint(
            "incident_id", "round", "step", "person_id", "channel", name="uq_incidents_page_once"
        ),
        Index("ix_incidents_page_due", "next_at", postgresql_where=text("state = 'pending'")),
        Index("ix_incidents_page_person", "person_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    incident_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("incidents_incident.id"), nullable=False)
    )
    round: int
    step: int
    channel: str
    person_id: str
    name: str
    target: str | None = None
    state: str
    attempts: int
    next_at: datetime = _moment()
    why: str | None = None
    created_at: datetime = _moment()
    sent_at: datetime | None = _moment(nullable=True)


class MaintenanceTable(SQLModel, table=True):
    """A span in which alerts of a region's services open nothing."""

    __tablename__ = "incidents_maintenance"
    __table_args__ = (Index("ix_incidents_maintenance_until", "until"),)

    id: UUID = Field(primary_key=True)
    region: str
    services: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    since: datetime = _moment()
    until: datetime = _moment()
    reason: str
    created_by: str
    created_by_name: str
    created_at: datetime = _moment()


class HeartbeatTable(SQLModel, table=True):
    """An integration that should be heard at least every so often."""

    __tablename__ = "incidents_heartbeat"

    integration: str = Field(primary_key=True)
    every_s: int
    region: str
    service: str
    severity: str
    heard_at: datetime = _moment()
    silent: bool
