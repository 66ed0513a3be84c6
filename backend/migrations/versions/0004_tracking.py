"""Drivers and their position history, partitioned by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tracking_driver",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("code", sa.String(), nullable=False, unique=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String()),
        sa.Column("plate", sa.String()),
        sa.Column("vehicle", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("hub", sa.String()),
        sa.Column("on_shift", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_tracking_driver_region_code", "tracking_driver", ["region", "code"])
    op.execute("CREATE SEQUENCE tracking_driver_code START 1")
    op.create_table(
        "tracking_fix",
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("speed", sa.Float(24)),
        sa.Column("bearing", sa.Float(24)),
        sa.Column("altitude", sa.Float(24)),
        sa.Column("accuracy", sa.Float(24)),
        sa.Column("battery", sa.Float(24)),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("driver_id", "recorded_at"),
        postgresql_partition_by="RANGE (recorded_at)",
    )


def downgrade() -> None:
    op.drop_table("tracking_fix")
    op.execute("DROP SEQUENCE tracking_driver_code")
    op.drop_table("tracking_driver")
