"""Feature flags: environments, flags, versions, segments, changes, rollouts, counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_OPEN_ROLLOUT = sa.text("state IN ('waiting', 'running', 'paused')")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), nullable=nullable)


def _texts(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.ARRAY(sa.String()), nullable=False)


def upgrade() -> None:
    op.create_table(
        "flags_environment",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        _json("evaluators"),
        _moment("published_at"),
    )
    op.create_table(
        "flags_flag",
        sa.Column("environment", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _json("spec"),
        _json("definition"),
        _json("published", nullable=True),
        sa.Column("published_version", sa.BigInteger(), nullable=False),
        sa.Column("bucketing", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        _moment("killed_at", nullable=True),
        _text("killed_by_name", nullable=True),
        _text("kill_reason", nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        _text("changed_by"),
        _text("changed_by_name"),
        sa.CheckConstraint("version > 0", name="ck_flags_flag_version"),
    )
    op.create_index("ix_flags_flag_published", "flags_flag", ["environment", "published_version"])
    op.create_table(
        "flags_version",
        sa.Column("environment", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        _text("cause"),
        _json("spec"),
        _json("definition"),
        _texts("words"),
        _texts("diff"),
        _text("reason"),
        _text("by"),
        _text("by_name"),
        _text("approved_by", nullable=True),
        _text("approved_by_name", nullable=True),
        _moment("at"),
    )
    op.create_table(
        "flags_segment",
        sa.Column("environment", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _json("spec"),
        _moment("updated_at"),
        _text("changed_by_name"),
    )
    _create_changes()
    _create_counts()


def _create_changes() -> None:
    op.create_table(
        "flags_change",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _text("environment"),
        _text("title"),
        _texts("keys"),
        _text("cause"),
        _text("state"),
        _json("wanted"),
        _texts("words"),
        _texts("diff"),
        _text("reason"),
        _text("asked_by"),
        _text("asked_by_name"),
        _text("stands_behind"),
        _moment("asked_at"),
        _moment("publish_at", nullable=True),
        _text("decided_by", nullable=True),
        _text("decided_by_name", nullable=True),
        _moment("decided_at", nullable=True),
        _text("why", nullable=True),
    )
    op.create_index(
        "ix_flags_change_open",
        "flags_change",
        ["environment", "publish_at"],
        postgresql_where=sa.text("state IN ('waiting', 'scheduled')"),
    )
    op.create_index("ix_flags_change_keys", "flags_change", ["keys"], postgresql_using="gin")
    op.create_table(
        "flags_rollout",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _text("environment"),
        _text("key"),
        _text("rule"),
        _json("steps"),
        sa.Column("step", sa.Integer(), nullable=False),
        _text("state"),
        _text("slo", nullable=True),
        _text("region", nullable=True),
        sa.Column("most_errors", sa.Float(), nullable=True),
        sa.Column("share_before", sa.Integer(), nullable=False),
        sa.Column("flag_version", sa.Integer(), nullable=False),
        _moment("next_at", nullable=True),
        _moment("step_at", nullable=True),
        _text("halted_because", nullable=True),
        _text("reason"),
        _text("started_by"),
        _text("started_by_name"),
        _text("approved_by", nullable=True),
        _text("approved_by_name", nullable=True),
        _moment("started_at"),
        _moment("updated_at"),
    )
    op.create_index(
        "uq_flags_rollout_open",
        "flags_rollout",
        ["environment", "key"],
        unique=True,
        postgresql_where=_OPEN_ROLLOUT,
    )
    op.create_index(
        "ix_flags_rollout_due",
        "flags_rollout",
        ["next_at"],
        postgresql_where=sa.text("state = 'running'"),
    )


def _create_counts() -> None:
    op.create_table(
        "flags_exposure",
        sa.Column("environment", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("region", sa.String(), primary_key=True),
        sa.Column("variant", sa.String(), primary_key=True),
        sa.Column("asked", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_flags_exposure_hour", "flags_exposure", ["environment", "hour"])
    op.create_table(
        "flags_outcome",
        sa.Column("environment", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("minute", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("region", sa.String(), primary_key=True),
        sa.Column("variant", sa.String(), primary_key=True),
        sa.Column("good", sa.BigInteger(), nullable=False),
        sa.Column("bad", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_flags_outcome_minute", "flags_outcome", ["minute"])


def downgrade() -> None:
    for name in (
        "outcome",
        "exposure",
        "rollout",
        "change",
        "segment",
        "version",
        "flag",
        "environment",
    ):
        op.drop_table(f"flags_{name}")
