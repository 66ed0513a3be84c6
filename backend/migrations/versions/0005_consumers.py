"""Which events each group of consumers has handled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "platform_consumed",
        sa.Column("group", sa.String(), primary_key=True),
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("consumed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_platform_consumed_at", "platform_consumed", ["consumed_at"])


def downgrade() -> None:
    op.drop_table("platform_consumed")
