"""Escalations with their timeline, pauses and drafts; calendars, targets, macros and agents.

The timeline is append-only as the audit trail is: a trigger refuses every other change.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UNSOLVED = "state IN ('open', 'pending')"

_APPEND_ONLY = """
CREATE FUNCTION support_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'support_entry is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    _escalation()
    _escalation_indexes()
    _entry()
    _pause_and_draft()
    _settings()
    op.execute(_APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER support_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
        " ON support_entry FOR EACH STATEMENT EXECUTE FUNCTION support_entry_append_only()"
    )


def downgrade() -> None:
    for table in (
        "support_agent",
        "support_macro",
        "support_policy",
        "support_calendar",
        "support_draft",
        "support_pause",
        "support_entry",
        "support_escalation",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION support_entry_append_only()")


def _word(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _yes_no(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _id(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _document(name: str) -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _belongs() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["escalation_id"], ["support_escalation.id"])


def _escalation() -> None:
    op.create_table(
        "support_escalation",
        _id("id"),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _word("kind"),
        _word("priority"),
        _word("state"),
        _word("waiting_on", nullable=True),
        _word("subject"),
        _word("region"),
        _id("order_id", nullable=True),
        _word("order_number", nullable=True),
        _word("origin"),
        _word("key", nullable=True),
        _word("opened_by"),
        _word("opened_by_name"),
        _word("assignee", nullable=True),
        _word("assignee_name", nullable=True),
        _id("incident_id", nullable=True),
        _word("incident_number", nullable=True),
        _yes_no("ready_to_answer"),
        _yes_no("customer_waits"),
        _moment("opened_at"),
        _moment("last_at"),
        _moment("first_response_at", nullable=True),
        _moment("first_response_due"),
        _moment("resolution_due", nullable=True),
        _whole("paused_left_s", nullable=True),
        _moment("due_at"),
        _moment("warn_at"),
        _whole("warned"),
        _yes_no("stale"),
        _moment("solved_at", nullable=True),
        _moment("closed_at", nullable=True),
        _whole("reopened"),
        _whole("version"),
        _word("changed_by_name"),
        _word("changed_what"),
        _moment("changed_at"),
        sa.PrimaryKeyConstraint("id"),
    )


def _escalation_indexes() -> None:
    def index(name: str, *columns: str, where: str | None = None, unique: bool = False) -> None:
        op.create_index(
            name,
            "support_escalation",
            list(columns),
            unique=unique,
            postgresql_where=sa.text(where) if where else None,
        )

    index("ix_support_escalation_number", "number", unique=True)
    index("ix_support_escalation_due", "due_at", "id", where=_UNSOLVED)
    index("ix_support_escalation_newest", "id", where=_UNSOLVED)
    index("ix_support_escalation_assignee", "assignee", "due_at", "id", where=_UNSOLVED)
    index("ix_support_escalation_state", "state", "id")
    index("ix_support_escalation_solved", "solved_at", where="state = 'solved'")
    index("ix_support_escalation_order", "order_id", "id")
    automatic = f"origin = 'system' AND {_UNSOLVED}"
    index("uq_support_escalation_automatic", "order_id", "kind", where=automatic, unique=True)
    index("ix_support_escalation_incident", "incident_id", "id")
    index("ix_support_escalation_warn", "warn_at", where=f"{_UNSOLVED} AND warned < 2")
    index("ix_support_escalation_stale", "id", where="stale")
    index("uq_support_escalation_key", "opened_by", "key", where="key IS NOT NULL", unique=True)


def _entry() -> None:
    op.create_table(
        "support_entry",
        _id("id"),
        _id("escalation_id"),
        _moment("at"),
        _word("kind"),
        _word("actor"),
        _word("actor_name"),
        _word("text"),
        _document("data"),
        _word("key", nullable=True),
        _id("message_id", nullable=True),
        _belongs(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_support_entry_escalation", "support_entry", ["escalation_id", "id"])
    op.create_index(
        "uq_support_entry_key",
        "support_entry",
        ["escalation_id", "key"],
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL"),
    )


def _pause_and_draft() -> None:
    op.create_table(
        "support_pause",
        _id("id"),
        _id("escalation_id"),
        _moment("began_at"),
        _moment("ended_at", nullable=True),
        _word("why"),
        _belongs(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_support_pause_escalation", "support_pause", ["escalation_id", "began_at"])
    op.create_index(
        "uq_support_pause_open",
        "support_pause",
        ["escalation_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "support_draft",
        _id("escalation_id"),
        _word("person_id"),
        _word("text"),
        _whole("seen_version"),
        _moment("saved_at"),
        _belongs(),
        sa.PrimaryKeyConstraint("escalation_id", "person_id"),
    )


def _changed() -> tuple[sa.Column[Any], ...]:
    return _whole("version"), _word("changed_by_name"), _moment("changed_at")


def _settings() -> None:
    op.create_table(
        "support_calendar",
        _word("region"),
        _word("zone"),
        _document("week"),
        _document("holidays"),
        *_changed(),
        sa.PrimaryKeyConstraint("region"),
    )
    op.create_table(
        "support_policy",
        _word("region"),
        _document("targets"),
        _yes_no("round_robin"),
        _whole("close_solved_after_h"),
        _whole("late_after_min"),
        *_changed(),
        sa.PrimaryKeyConstraint("region"),
    )
    op.create_table(
        "support_macro",
        _id("id"),
        _word("name"),
        _word("text"),
        _word("region"),
        _word("kind", nullable=True),
        _word("then", nullable=True),
        _word("waiting_on", nullable=True),
        *_changed(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "support_agent",
        _word("person_id"),
        _word("name"),
        sa.Column("regions", postgresql.ARRAY(sa.String()), nullable=False),
        _moment("until", nullable=True),
        _moment("given_at", nullable=True),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_index(
        "ix_support_agent_turn",
        "support_agent",
        ["given_at"],
        postgresql_where=sa.text("until IS NOT NULL"),
    )
