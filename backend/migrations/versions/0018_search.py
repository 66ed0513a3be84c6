"""Indexes by which orders, drivers and payments are found: ends of phones, words of names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Lower case without the marks that Latin letters carry; `spelling.fold` does the same.
_FOLDED = r"""
CREATE FUNCTION search_folded(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(
  normalize(lower(translate(name, 'đĐ', 'dd')), NFD),
  U&'\0300\0301\0302\0303\0304\0306\0307\0308\0309\030A\030B\030C\031B\0323\0324\0326\0327\0328',
  '')
"""
_NOTED = """
CREATE FUNCTION dispatch_recipient_noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dispatch_recipient (region, name)
  SELECT DISTINCT region, lower(drop_name) FROM added
  WHERE NOT EXISTS (
    SELECT FROM dispatch_recipient known
    WHERE known.region = added.region AND known.name = lower(added.drop_name));
  RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER dispatch_recipient_noted AFTER INSERT ON dispatch_order
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION dispatch_recipient_noted()
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
    op.create_table(
        "dispatch_recipient",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
    )
    op.execute(
        "INSERT INTO dispatch_recipient (region, name)"
        " SELECT DISTINCT region, lower(drop_name) FROM dispatch_order"
    )
    op.create_index("ix_dispatch_recipient_name", "dispatch_recipient", ["region", "name"])
    op.execute(
        "CREATE INDEX ix_dispatch_recipient_words ON dispatch_recipient"
        " USING gin (search_folded(name) gin_trgm_ops)"
    )
    op.execute(_NOTED)
    op.execute(_TRIGGER)
    op.execute(
        "CREATE INDEX ix_tracking_driver_words ON tracking_driver"
        " USING gin (search_folded(name) gin_trgm_ops)"
    )
    op.execute(
        "CREATE INDEX ix_tracking_driver_plate ON tracking_driver"
        " USING gin (upper(translate(plate, ' -.', '')) gin_trgm_ops)"
    )
    op.execute(
        "CREATE INDEX ix_tracking_driver_code_begin ON tracking_driver (code text_pattern_ops)"
    )
    op.execute(
        "CREATE INDEX ix_tracking_driver_phone_end ON tracking_driver"
        " (reverse(phone) text_pattern_ops)"
    )
    op.create_index(
        "ix_payments_payment_ref",
        "payments_payment",
        ["gateway_ref"],
        postgresql_where=sa.text("gateway_ref IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_payments_payment_ref", "payments_payment")
    for name in ("phone_end", "code_begin", "plate", "words"):
        op.drop_index(f"ix_tracking_driver_{name}", "tracking_driver")
    for name in ("number_begin", "phone_end"):
        op.drop_index(f"ix_dispatch_order_{name}", "dispatch_order")
    op.execute("DROP TRIGGER dispatch_recipient_noted ON dispatch_order")
    op.execute("DROP FUNCTION dispatch_recipient_noted")
    op.drop_table("dispatch_recipient")
    op.execute("DROP FUNCTION search_folded")
