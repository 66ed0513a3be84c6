"""Indexes by which orders, drivers and payments are found: ends of phones, words of names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0015"
branch_labels = None
depends_on = None

# Lower case without the marks that Latin letters carry; `search_rules.fold` does the same.
_FOLDED = r"""
CREATE FUNCTION dispatch_folded(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(
  normalize(lower(translate(name, 'đĐ', 'dd')), NFD), '[\u0300-\u036f]', '', 'g')
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute(_FOLDED)
    op.execute(
        "CREATE INDEX ix_dispatch_order_phone_end ON dispatch_order"
        " (reverse(drop_phone) text_pattern_ops)"
    )
    op.execute(
        "CREATE INDEX ix_dispatch_order_number_begin ON dispatch_order (number text_pattern_ops)"
    )
    op.execute(
        "CREATE INDEX ix_dispatch_order_name_words ON dispatch_order"
        " USING gin (dispatch_folded(drop_name) gin_trgm_ops)"
    )
    op.create_index(
        "ix_payments_payment_ref",
        "payments_payment",
        ["gateway_ref"],
        postgresql_where=sa.text("gateway_ref IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_payments_payment_ref", "payments_payment")
    for name in ("name_words", "number_begin", "phone_end"):
        op.drop_index(f"ix_dispatch_order_{name}", "dispatch_order")
    op.execute("DROP FUNCTION dispatch_folded")
