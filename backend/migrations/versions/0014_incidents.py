"""Alerts as received, alerts, incidents with their timeline, and who is on call.

The timeline is append-only as the audit trail is: a trigger refuses every other change.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)

_APPEND_ONLY = """
CREATE FUNCTION incidents_timeline_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'incidents_timeline is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    _event()
    _heartbeat()
    _incident()
    _maintenance()
    _schedule()
    _shift()
    _alert()
    _page()
    _timeline()
    op.execute(_APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER incidents_timeline_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
        " ON incidents_timeline FOR EACH STATEMENT"
        " EXECUTE FUNCTION incidents_timeline_append_only()"
    )


def downgrade() -> None:
    for table in (
        "incidents_timeline",
        "incidents_page",
        "incidents_alert",
        "incidents_shift",
        "incidents_schedule",
        "incidents_maintenance",
        "incidents_incident",
        "incidents_heartbeat",
        "incidents_event",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION incidents_timeline_append_only()")


def _event() -> None:
    op.create_table(
        "incidents_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("doorway", sa.String(), nullable=False),
        sa.Column("integration", sa.String(), nullable=False),
        sa.Column("delivery", sa.String()),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("home", sa.String(), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String()),
        sa.Column("trace_id", sa.String()),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("settled_at", _MOMENT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("integration", "delivery", name="uq_incidents_event_delivery"),
    )
    op.create_index("ix_incidents_event_digest", "incidents_event", ["digest", "received_at"])
    op.create_index("ix_incidents_event_received", "incidents_event", ["received_at"])
    op.create_index(
        "ix_incidents_event_waiting",
        "incidents_event",
        ["id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _heartbeat() -> None:
    op.create_table(
        "incidents_heartbeat",
        sa.Column("integration", sa.String(), nullable=False),
        sa.Column("every_s", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("heard_at", _MOMENT, nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("integration"),
    )


def _incident() -> None:
    op.create_table(
        "incidents_incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("services", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("impact_started_at", _MOMENT, nullable=False),
        sa.Column("detected_at", _MOMENT, nullable=False),
        sa.Column("acknowledged_at", _MOMENT),
        sa.Column("mitigated_at", _MOMENT),
        sa.Column("resolved_at", _MOMENT),
        sa.Column("closed_at", _MOMENT),
        sa.Column("alerted_at", _MOMENT),
        sa.Column("cleared_at", _MOMENT),
        sa.Column("snoozed_until", _MOMENT),
        sa.Column("roles", postgresql.JSONB(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("follows", sa.Uuid()),
        sa.Column("merged_into", sa.Uuid()),
        sa.Column("schedule_id", sa.Uuid()),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("next_step", sa.Integer(), nullable=False),
        sa.Column("next_step_at", _MOMENT),
        sa.Column("ack_lapses_at", _MOMENT),
        sa.Column("ack_lapses_s", sa.Integer()),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("review", sa.String()),
        sa.Column("review_by", sa.String()),
        sa.Column("reviewed_at", _MOMENT),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by_name", sa.String(), nullable=False),
        sa.Column("changed_what", sa.String(), nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["follows"],
            ["incidents_incident.id"],
        ),
        sa.ForeignKeyConstraint(
            ["merged_into"],
            ["incidents_incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_incidents_incident_began", "incidents_incident", ["impact_started_at"])
    op.create_index("ix_incidents_incident_number", "incidents_incident", ["number"], unique=True)
    op.create_index(
        "ix_incidents_incident_open",
        "incidents_incident",
        ["service", "id"],
        postgresql_where=sa.text("state IN ('triggered', 'acknowledged', 'mitigated')"),
    )
    op.create_index("ix_incidents_incident_state", "incidents_incident", ["state", "id"])


def _maintenance() -> None:
    op.create_table(
        "incidents_maintenance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("services", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_by_name", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_incidents_maintenance_until", "incidents_maintenance", ["until"])


def _schedule() -> None:
    op.create_table(
        "incidents_schedule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("services", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("people", postgresql.JSONB(), nullable=False),
        sa.Column("turn_s", sa.Integer(), nullable=False),
        sa.Column("starts_at", _MOMENT, nullable=False),
        sa.Column("overrides", postgresql.JSONB(), nullable=False),
        sa.Column("steps", postgresql.JSONB(), nullable=False),
        sa.Column("ack_lapses_s", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_by_name", sa.String(), nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _shift() -> None:
    op.create_table(
        "incidents_shift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_incidents_shift_running",
        "incidents_shift",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _alert() -> None:
    op.create_table(
        "incidents_alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("integration", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("first_started_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.Column("ended_by", sa.String()),
        sa.Column("clears_at", _MOMENT),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("flaps", sa.Integer(), nullable=False),
        sa.Column("labels", postgresql.JSONB(), nullable=False),
        sa.Column("url", sa.String()),
        sa.Column("value", sa.Float()),
        sa.Column("incident_id", sa.Uuid()),
        sa.Column("silenced_by", sa.Uuid()),
        sa.Column("snoozed_until", _MOMENT),
        sa.Column("acknowledged_at", _MOMENT),
        sa.Column("acknowledged_by", sa.String()),
        sa.Column("acknowledged_by_name", sa.String()),
        sa.Column("event_id", sa.Uuid()),
        sa.Column("trace_id", sa.String()),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents_incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_incidents_alert_clearing",
        "incidents_alert",
        ["clears_at"],
        postgresql_where=sa.text("status = 'firing' AND clears_at IS NOT NULL"),
    )
    op.create_index("ix_incidents_alert_incident", "incidents_alert", ["incident_id"])
    op.create_index("ix_incidents_alert_key", "incidents_alert", ["integration", "key", "id"])
    op.create_index(
        "ix_incidents_alert_quiet",
        "incidents_alert",
        ["id"],
        postgresql_where=sa.text("status = 'firing' AND incident_id IS NULL"),
    )
    op.create_index("ix_incidents_alert_status", "incidents_alert", ["status", "id"])
    op.create_index(
        "uq_incidents_alert_open",
        "incidents_alert",
        ["integration", "key"],
        unique=True,
        postgresql_where=sa.text("status = 'firing'"),
    )


def _page() -> None:
    op.create_table(
        "incidents_page",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("target", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=False),
        sa.Column("why", sa.String()),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("sent_at", _MOMENT),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents_incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "incident_id", "round", "step", "person_id", "channel", name="uq_incidents_page_once"
        ),
    )
    op.create_index(
        "ix_incidents_page_due",
        "incidents_page",
        ["next_at"],
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_incidents_page_person", "incidents_page", ["person_id", "id"])


def _timeline() -> None:
    op.create_table(
        "incidents_timeline",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("written_at", _MOMENT, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("trace_id", sa.String()),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents_incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_incidents_timeline_incident", "incidents_timeline", ["incident_id", "at", "id"]
    )
