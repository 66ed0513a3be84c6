"""An index by which a driver's phone finds what was pushed to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_notifications_message_pushed",
        "notifications_message",
        ["driver_id", "id"],
        postgresql_where=sa.text("channel = 'push' AND state = 'sent'"),
    )


def downgrade() -> None:
    op.drop_index("ix_notifications_message_pushed", "notifications_message")
