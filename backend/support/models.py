"""Tables of escalations: as they stand, all that was said and done, pauses and drafts."""

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
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

UNSOLVED = text("state IN ('open', 'pending')")


def moment(*, nullable: bool = False) -> Any:
    """A column of an aware UTC time."""
    return Field(
        default=None if nullable else ..., sa_type=DateTime(timezone=True), nullable=nullable
    )


def _escalation(*, primary_key: bool = False) -> Any:
    key = ForeignKey("support_escalation.id")
    return Field(sa_column=Column(Uuid, key, nullable=False, primary_key=primary_key))


class EscalationTable(SQLModel, table=True):
    """An escalation as it stands.

    `due_at` is when the clock that runs out first does, and far off while none runs; `warn_at` is
    when it has used most of its time. `stale` asks for both clocks to be set anew.
    """

    __tablename__ = "support_escalation"
    __table_args__ = (
        Index("ix_support_escalation_number", "number", unique=True),
        Index("ix_support_escalation_due", "due_at", "id", postgresql_where=UNSOLVED),
        Index("ix_support_escalation_newest", "id", postgresql_where=UNSOLVED),
        Index(
            "ix_support_escalation_assignee", "assignee", "due_at", "id", postgresql_where=UNSOLVED
        ),
        Index("ix_support_escalation_state", "state", "id"),
        Index(
            "ix_support_escalation_solved",
            "solved_at",
            postgresql_where=text("state = 'solved'"),
        ),
        Index("ix_support_escalation_order", "order_id", "id"),
        Index("ix_support_escalation_order_number", "order_number", "id"),
        Index("ix_support_escalation_whose", "assignee", "id"),
        Index(
            "ix_support_escalation_region",
            "region",
            "id",
            postgresql_ops={"region": "text_pattern_ops"},
        ),
        Index(
            "ix_support_escalation_words",
            "subject",
            "order_number",
            "incident_number",
            postgresql_using="gin",
            postgresql_ops={
                "subject": "gin_trgm_ops",
                "order_number": "gin_trgm_ops",
                "incident_number": "gin_trgm_ops",
            },
        ),
        Index(
            "uq_support_escalation_automatic",
            "order_id",
            "kind",
            unique=True,
            postgresql_where=text("origin = 'system' AND state IN ('open', 'pending')"),
        ),
        Index("ix_support_escalation_incident", "incident_id", "id"),
        Index(
            "ix_support_escalation_warn",
            "warn_at",
            postgresql_where=text("state IN ('open', 'pending') AND warned < 2"),
        ),
        Index("ix_support_escalation_stale", "id", postgresql_where=text("stale")),
        Index(
            "uq_support_escalation_key",
            "opened_by",
            "key",
            unique=True,
            postgresql_where=text("key IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    number: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(), nullable=False)
    )
    kind: str
    priority: str
    state: str
    waiting_on: str | None = None
    subject: str
    region: str
    order_id: UUID | None = None
    order_number: str | None = None
    origin: str
    key: str | None = None
    opened_by: str
    opened_by_name: str
    assignee: str | None = None
    assignee_name: str | None = None
    incident_id: UUID | None = None
    incident_number: str | None = None
    ready_to_answer: bool = False
    customer_waits: bool = False
    opened_at: datetime = moment()
    last_at: datetime = moment()
    first_response_at: datetime | None = moment(nullable=True)
    first_response_due: datetime = moment()
    resolution_due: datetime | None = moment(nullable=True)
    paused_left_s: int | None = None
    due_at: datetime = moment()
    warn_at: datetime = moment()
    warned: int = 0
    stale: bool = False
    solved_at: datetime | None = moment(nullable=True)
    closed_at: datetime | None = moment(nullable=True)
    reopened: int = 0
    version: int = 1
    changed_by_name: str
    changed_what: str
    changed_at: datetime = moment()


class EntryRow(SQLModel, table=True):
    """One entry of a timeline; nothing here is ever changed or removed."""

    __tablename__ = "support_entry"
    __table_args__ = (
        Index("ix_support_entry_escalation", "escalation_id", "id"),
        Index(
            "uq_support_entry_key",
            "escalation_id",
            "key",
            unique=True,
            postgresql_where=text("key IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    escalation_id: UUID = _escalation()
    at: datetime = moment()
    kind: str
    actor: str
    actor_name: str
    text: str
    data: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    key: str | None = None
    message_id: UUID | None = None


class PauseRow(SQLModel, table=True):
    """A span in which the resolution's clock stood still; at most one of them is open."""

    __tablename__ = "support_pause"
    __table_args__ = (
        Index("ix_support_pause_escalation", "escalation_id", "began_at"),
        Index(
            "uq_support_pause_open",
            "escalation_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    escalation_id: UUID = _escalation()
    began_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)
    why: str


class DraftRow(SQLModel, table=True):
    """What an agent has begun to write: one for each agent and escalation."""

    __tablename__ = "support_draft"

    escalation_id: UUID = _escalation(primary_key=True)
    person_id: str = Field(primary_key=True)
    text: str
    seen_version: int
    saved_at: datetime = moment()
