"""Webhook endpoints and the deliveries to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WAITING = sa.text("state IN ('pending', 'failed')")


def upgrade() -> None:
    op.create_table(
        "notifications_endpoint",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("merchant", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("event_types", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("disabled_because", sa.String(), nullable=True),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("former_secret", sa.String(), nullable=True),
        sa.Column("former_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_by_name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_notifications_endpoint_merchant", "notifications_endpoint", ["merchant"])
    op.create_table(
        "notifications_delivery",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "endpoint_id",
            sa.Uuid(),
            sa.ForeignKey("notifications_endpoint.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.String(), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=True),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim", sa.Uuid(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("sent_headers", postgresql.JSONB(), nullable=True),
        sa.Column("answer_headers", postgresql.JSONB(), nullable=True),
        sa.Column("answer_excerpt", sa.String(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("endpoint_id", "event_id", name="uq_notifications_delivery_event"),
    )
    op.create_index(
        "ix_notifications_delivery_due",
        "notifications_delivery",
        ["endpoint_id", "next_at"],
        postgresql_where=_WAITING,
    )
    op.create_index(
        "ix_notifications_delivery_line",
        "notifications_delivery",
        ["endpoint_id", "subject", "position"],
        postgresql_where=_WAITING,
    )
    for name, columns in (
        ("endpoint", ["endpoint_id", "id"]),
        ("settled", ["endpoint_id", "settled_at"]),
        ("order", ["order_number"]),
        ("event_at", ["event_at"]),
    ):
        op.create_index(f"ix_notifications_delivery_{name}", "notifications_delivery", columns)


def downgrade() -> None:
    op.drop_table("notifications_delivery")
    op.drop_table("notifications_endpoint")
