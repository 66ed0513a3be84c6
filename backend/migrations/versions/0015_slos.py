"""What was counted by minute and hour, latency of answers, detectors' signals, and costs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, primary_key=primary_key)


def upgrade() -> None:
    for table in ("insights_minute", "insights_hour"):
        op.create_table(
            table,
            _moment("at", primary_key=True),
            sa.Column("name", sa.String(), primary_key=True),
            sa.Column("region", sa.String(), primary_key=True),
            sa.Column("good", sa.BigInteger(), nullable=False),
            sa.Column("valid", sa.BigInteger(), nullable=False),
        )
    op.create_table(
        "insights_latency",
        _moment("at", primary_key=True),
        sa.Column("step", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("answers", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "insights_signal",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("detector", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("bad", sa.Boolean(), nullable=False),
        _moment("since"),
        sa.Column("firing", sa.Boolean(), nullable=False),
        _moment("fired_at", nullable=True),
        _moment("started_at", nullable=True),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        _moment("seen_at"),
    )
    op.create_table(
        "insights_rating",
        sa.Column("order_number", sa.String(), primary_key=True),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("stars", sa.SmallInteger(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        _moment("at"),
    )
    op.create_index("ix_insights_rating_at", "insights_rating", ["at"])
    op.create_table(
        "insights_cost",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_by_name", sa.String(), nullable=False),
        _moment("changed_at"),
        sa.UniqueConstraint("month", "kind", name="uq_insights_cost_month"),
    )


def downgrade() -> None:
    for table in ("cost", "rating", "signal", "latency", "hour", "minute"):
        op.drop_table(f"insights_{table}")
