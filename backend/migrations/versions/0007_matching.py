"""City switches, decisions, offers, routes and what ETAs are learned from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dispatch_city",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_by_name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "dispatch_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("chosen", sa.Uuid(), nullable=True),
        sa.Column("considered", sa.Integer(), nullable=False),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unfit", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_dispatch_decision_at", "dispatch_decision", ["at"], unique=False)
    op.create_index(
        "ix_dispatch_decision_order", "dispatch_decision", ["order_id", "at"], unique=False
    )
    op.create_table(
        "dispatch_offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_dispatch_offer_driver", "dispatch_offer", ["driver_id", "offered_at"], unique=False
    )
    op.create_index(
        "ix_dispatch_offer_city", "dispatch_offer", ["city", "offered_at"], unique=False
    )
    op.create_index(
        "ix_dispatch_offer_open",
        "dispatch_offer",
        ["city", "expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_dispatch_offer_open",
        "dispatch_offer",
        ["order_id", "driver_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_dispatch_offer_order", "dispatch_offer", ["order_id", "offered_at"], unique=False
    )
    op.create_index(
        "uq_dispatch_offer_accepted_round",
        "dispatch_offer",
        ["order_id", "round"],
        unique=True,
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_table(
        "dispatch_route",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("distance_m", sa.Integer(), nullable=False),
        sa.Column("duration_s", sa.Integer(), nullable=False),
        sa.Column("late_s", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("driver_id", "version", name="uq_dispatch_route_version"),
    )
    op.create_index(
        "ix_dispatch_route_region",
        "dispatch_route",
        ["region"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "ix_dispatch_route_superseded", "dispatch_route", ["superseded_at"], unique=False
    )
    op.create_table(
        "dispatch_stop",
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("arrive_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leave_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("line", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("route_id", "seq"),
    )
    op.create_table(
        "dispatch_eta_error",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("horizon", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("hub", sa.String(), nullable=True),
        sa.Column("vehicle", sa.String(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raw_s", sa.Integer(), nullable=False),
        sa.Column("predicted_s", sa.Integer(), nullable=False),
        sa.Column("low_s", sa.Integer(), nullable=False),
        sa.Column("high_s", sa.Integer(), nullable=False),
        sa.Column("actual_s", sa.Integer(), nullable=True),
        sa.Column("inside", sa.Boolean(), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "horizon"),
    )
    op.create_index(
        "ix_dispatch_eta_error_city", "dispatch_eta_error", ["city", "arrived_at"], unique=False
    )
    op.create_index("ix_dispatch_eta_error_made", "dispatch_eta_error", ["made_at"], unique=False)
    op.create_index(
        "ix_dispatch_eta_error_awaited",
        "dispatch_eta_error",
        ["city"],
        unique=False,
        postgresql_where=sa.text("arrived_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("dispatch_eta_error")
    op.drop_table("dispatch_stop")
    op.drop_table("dispatch_route")
    op.drop_table("dispatch_offer")
    op.drop_table("dispatch_decision")
    op.drop_table("dispatch_city")
