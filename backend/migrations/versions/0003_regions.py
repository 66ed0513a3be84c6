"""The region tree and geofences."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "regions_region",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("local_name", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("outline", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("live_after_s", sa.Integer(), nullable=True),
        sa.Column("offline_after_s", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('country', 'city', 'hub')", name="ck_regions_region_kind"),
        sa.CheckConstraint(
            "live_after_s IS NULL OR offline_after_s IS NULL OR live_after_s < offline_after_s",
            name="ck_regions_region_thresholds",
        ),
        sa.ForeignKeyConstraint(["parent"], ["regions_region.code"]),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("ix_regions_region_parent", "regions_region", ["parent"])
    op.create_table(
        "regions_geofence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("geometry", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('hub', 'zone', 'no_go')", name="ck_regions_geofence_kind"),
        sa.ForeignKeyConstraint(["region"], ["regions_region.code"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("region", "kind", "name", name="uq_regions_geofence_name"),
    )
    op.create_index("ix_regions_geofence_region", "regions_geofence", ["region"])


def downgrade() -> None:
    op.drop_table("regions_geofence")
    op.drop_table("regions_region")
