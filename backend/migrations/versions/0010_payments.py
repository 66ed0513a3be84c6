"""The ledger, payments, refunds, wallets, cash on delivery and what gateways tell.

The SQL lies beside this file, statements parted by empty lines: `0010_payments.sql` has the tables,
`0010_ledger.sql` the posting of transfers in one round trip and the triggers that keep what was
once written. As with the audit trail, the application's role is best given no UPDATE or DELETE on
`payments_entry` at all.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLES = (
    "account", "transfer", "entry", "snapshot", "order", "payment", "attempt", "refund", "wallet",
    "cod", "remittance", "webhook", "reconciliation", "difference", "sandbox_payment",
    "sandbox_operation", "sandbox_notice",
)  # fmt: skip


def _run(name: str) -> None:
    for statement in Path(__file__).with_name(name).read_text().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    _run("0010_payments.sql")
    _run("0010_ledger.sql")


def downgrade() -> None:
    op.execute("DROP FUNCTION payments_balances(uuid[], timestamptz)")
    op.execute("DROP FUNCTION payments_book(jsonb, jsonb)")
    op.execute("DROP FUNCTION payments_difference_of(payments_transfer, payments_transfer)")
    for table in reversed(_TABLES):
        op.drop_table(f"payments_{table}")
    op.execute("DROP FUNCTION payments_append_only()")
