"""Orders, parcels, their append-only history, and what drivers can carry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_APPEND_ONLY = """
CREATE FUNCTION dispatch_order_event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'dispatch_order_event is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "dispatch_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("merchant", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("hub", sa.String(), nullable=True),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("held_from", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=True),
        sa.Column("pickup_name", sa.String(), nullable=False),
        sa.Column("pickup_phone", sa.String(), nullable=False),
        sa.Column("pickup_address", sa.String(), nullable=False),
        sa.Column("pickup_lat", sa.Double(), nullable=False),
        sa.Column("pickup_lon", sa.Double(), nullable=False),
        sa.Column("pickup_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pickup_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drop_name", sa.String(), nullable=False),
        sa.Column("drop_phone", sa.String(), nullable=False),
        sa.Column("drop_address", sa.String(), nullable=False),
        sa.Column("drop_lat", sa.Double(), nullable=False),
        sa.Column("drop_lon", sa.Double(), nullable=False),
        sa.Column("drop_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drop_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("weight_g", sa.Integer(), nullable=False),
        sa.Column("volume_cm3", sa.Integer(), nullable=False),
        sa.Column("vehicle", sa.String(), nullable=True),
        sa.Column(
            "skills", postgresql.ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("wallet_id", sa.Uuid(), nullable=True),
        sa.Column("method", sa.String(), nullable=True),
        sa.Column("gateway", sa.String(), nullable=True),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tags", postgresql.ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("tracking_token", sa.String(), nullable=False),
        sa.Column("sent", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("flagged", sa.String(), nullable=True),
        sa.Column("eta_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("eta_low", sa.DateTime(timezone=True), nullable=True),
        sa.Column("eta_high", sa.DateTime(timezone=True), nullable=True),
        sa.Column("eta_made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("merchant", "reference", name="uq_dispatch_order_reference"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("tracking_token"),
    )
    op.create_index(
        "ix_dispatch_order_created", "dispatch_order", ["created_at", "id"], unique=False
    )
    op.create_index(
        "ix_dispatch_order_driver",
        "dispatch_order",
        ["driver_id"],
        unique=False,
        postgresql_where=sa.text("driver_id IS NOT NULL"),
    )
    op.create_index(
        "ix_dispatch_order_region_created",
        "dispatch_order",
        ["region", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_dispatch_order_region_state",
        "dispatch_order",
        ["region", "state", "promised_at"],
        unique=False,
        postgresql_include=["ended_at"],
    )
    for name, columns in {
        "hub": ["hub", "created_at", "id"],
        "merchant_created": ["merchant", "created_at", "id"],
        "promised": ["promised_at", "id"],
        "reference": ["reference"],
        "drop_phone": ["drop_phone"],
    }.items():
        op.create_index(f"ix_dispatch_order_{name}", "dispatch_order", columns)
    op.execute(
        "CREATE INDEX ix_dispatch_order_drop_name ON dispatch_order"
        " (lower(drop_name) text_pattern_ops)"
    )
    op.create_index("ix_dispatch_order_tags", "dispatch_order", ["tags"], postgresql_using="gin")
    op.create_index(
        "ix_dispatch_order_flagged",
        "dispatch_order",
        ["created_at", "id"],
        postgresql_where=sa.text("flagged IS NOT NULL"),
    )
    op.create_index(
        "ix_dispatch_order_open",
        "dispatch_order",
        ["promised_at", "id"],
        postgresql_include=["state", "region", "hub", "service", "terms", "eta_high"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_dispatch_order_state",
        "dispatch_order",
        ["state", "created_at", "id"],
        postgresql_include=["region", "hub", "service", "terms", "promised_at", "ended_at"],
    )
    op.create_table(
        "dispatch_parcel",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("barcode", sa.String(), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=False),
        sa.Column("volume_cm3", sa.Integer(), nullable=False),
        sa.Column("picked_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "barcode"),
    )
    op.create_index("ix_dispatch_parcel_barcode", "dispatch_parcel", ["barcode"], unique=False)
    op.create_table(
        "dispatch_order_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("order_id", "seq", name="uq_dispatch_order_event_seq"),
    )
    op.create_table(
        "dispatch_capacity",
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("most_orders", sa.Integer(), nullable=False),
        sa.Column("most_weight_g", sa.Integer(), nullable=False),
        sa.Column("most_volume_cm3", sa.Integer(), nullable=False),
        sa.Column(
            "skills", postgresql.ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("driver_id"),
    )
    op.create_table(
        "dispatch_shift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_dispatch_shift_driver", "dispatch_shift", ["driver_id", "starts_at"], unique=False
    )
    op.create_index("ix_dispatch_shift_ends", "dispatch_shift", ["ends_at"], unique=False)
    op.create_table(
        "dispatch_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("checked_by", sa.String(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("driver_id", "kind", name="uq_dispatch_document_kind"),
    )
    op.execute(_APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER dispatch_order_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
        " ON dispatch_order_event FOR EACH STATEMENT"
        " EXECUTE FUNCTION dispatch_order_event_append_only()"
    )


def downgrade() -> None:
    op.drop_table("dispatch_document")
    op.drop_table("dispatch_shift")
    op.drop_table("dispatch_capacity")
    op.drop_table("dispatch_order_event")
    op.drop_table("dispatch_parcel")
    op.drop_table("dispatch_order")
    op.execute("DROP FUNCTION dispatch_order_event_append_only()")
