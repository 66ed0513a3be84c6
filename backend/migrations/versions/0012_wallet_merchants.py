"""Whose customers' wallets are: a marketplace's, or Waypost's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TABLE, _NAME = "payments_wallet", "uq_payments_wallet_holder"


def upgrade() -> None:
    known = sa.Column("merchant", sa.String(), nullable=False, server_default="platform")
    op.add_column(_TABLE, known)
    op.alter_column(_TABLE, "merchant", server_default=None)
    op.drop_constraint(_NAME, _TABLE, type_="unique")
    op.create_unique_constraint(_NAME, _TABLE, ["merchant", "holder", "currency"])


def downgrade() -> None:
    op.drop_constraint(_NAME, _TABLE, type_="unique")
    op.create_unique_constraint(_NAME, _TABLE, ["holder", "currency"])
    op.drop_column(_TABLE, "merchant")
