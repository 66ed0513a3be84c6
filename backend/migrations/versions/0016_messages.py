"""Messages to customers and drivers, their preferences, broadcasts, and delays that were told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _words(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _list(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.ARRAY(sa.String()), nullable=False)


def upgrade() -> None:
    op.create_table(
        "notifications_message",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _words("region"),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        _words("order_number", nullable=True),
        sa.Column("driver_id", sa.Uuid(), nullable=True),
        *(_words(name) for name in ("reader", "recipient", "shown", "sealed")),
        *(_words(name) for name in ("template", "language")),
        _words("channel", nullable=True),
        _words("via", nullable=True),
        _list("ways"),
        _words("state"),
        _words("why", nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("repeated", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_here", sa.Integer(), nullable=False),
        _words("dedup_key", nullable=True),
        sa.Column("escalation_id", sa.Uuid(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        _words("by"),
        _words("by_name"),
        *(_moment(name) for name in ("queued_at", "send_after", "expires_at", "next_at")),
        sa.Column("claim", sa.Uuid(), nullable=True),
        *(_moment(name, nullable=True) for name in ("claimed_until", "sent_at", "delivered_at")),
        sa.Column("tried", postgresql.JSONB(), nullable=False),
    )
    _message_indexes()
    op.create_table(
        "notifications_preference",
        sa.Column("recipient", sa.String(), primary_key=True),
        _words("language", nullable=True),
        _list("muted"),
        _list("channels"),
        sa.Column("quiet_begins", sa.Time(), nullable=True),
        sa.Column("quiet_ends", sa.Time(), nullable=True),
        _words("email", nullable=True),
        _words("device", nullable=True),
        _words("updated_by"),
        _moment("updated_at"),
    )
    op.create_table(
        "notifications_broadcast",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        _words("incident_number"),
        _words("region"),
        _moment("since"),
        _moment("until"),
        _words("text"),
        _words("by"),
        _words("by_name"),
        sa.Column("reached", sa.Uuid(), nullable=True),
        sa.Column("told", sa.Integer(), nullable=False),
        _moment("created_at"),
        _moment("finished_at", nullable=True),
    )
    op.create_index(
        "ix_notifications_broadcast_open",
        "notifications_broadcast",
        ["created_at"],
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.add_column("dispatch_order", _moment("delay_told", nullable=True))


def _message_indexes() -> None:
    table = "notifications_message"
    op.create_index(
        "ix_notifications_message_due",
        table,
        [sa.text("urgent DESC"), "next_at"],
        postgresql_where=sa.text("state IN ('waiting', 'queued', 'failed')"),
    )
    for column in ("order_id", "region", "state"):
        name = column.removesuffix("_id")
        op.create_index(f"ix_notifications_message_{name}", table, [column, "id"])
    op.create_index(
        "ix_notifications_message_escalation",
        table,
        ["escalation_id"],
        postgresql_where=sa.text("escalation_id IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_message_incident",
        table,
        ["incident_id", "id"],
        postgresql_where=sa.text("incident_id IS NOT NULL"),
    )
    op.create_index(
        "uq_notifications_message_dedup",
        table,
        ["dedup_key"],
        unique=True,
        postgresql_where=sa.text("dedup_key IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_column("dispatch_order", "delay_told")
    for table in ("broadcast", "preference", "message"):
        op.drop_table(f"notifications_{table}")
