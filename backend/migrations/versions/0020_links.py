"""When a customer's link was renewed; and what people wish of messages, for each marketplace.

What they have wished so far goes on for every marketplace, as the row of none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "dispatch_order",
        sa.Column("tracking_renewed_at", sa.DateTime(timezone=True), nullable=True),
    )

    op.add_column(
        "notifications_preference",
        sa.Column("merchant", sa.String(), nullable=False, server_default=""),
    )
    op.alter_column("notifications_preference", "merchant", server_default=None)
    op.execute("ALTER TABLE notifications_preference DROP CONSTRAINT notifications_preference_pkey")
    op.create_primary_key(
        "notifications_preference_pkey", "notifications_preference", ["recipient", "merchant"]
    )


def downgrade() -> None:
    op.execute("ALTER TABLE notifications_preference DROP CONSTRAINT notifications_preference_pkey")
    op.execute("DELETE FROM notifications_preference WHERE merchant <> ''")
    op.drop_column("notifications_preference", "merchant")
    op.create_primary_key(
        "notifications_preference_pkey", "notifications_preference", ["recipient"]
    )
    op.drop_column("dispatch_order", "tracking_renewed_at")
