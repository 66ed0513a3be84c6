"""Persons, grants, tokens and the append-only audit trail.

The audit trail is protected twice. A trigger refuses UPDATE, DELETE and TRUNCATE for everyone but
a superuser who switches triggers off for a session, which no service account may. And the rights
are taken away: where migrations run as one role and the application as another (`PUBLIC` is all
that the application's role has here until it is granted more), grant that role SELECT and INSERT
on `identity_audit` and nothing else. Whoever gets past both still breaks the chain of seals, which
`waypost audit verify` finds.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_ACTIVE = sa.text("revoked_at IS NULL")

_APPEND_ONLY = """
CREATE FUNCTION identity_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'identity_audit is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "identity_person",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String()),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("signed_in_at", _MOMENT),
        sa.UniqueConstraint("tenant_id", "object_id", name="uq_identity_person_oid"),
    )
    op.create_table(
        "identity_grant",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("identity_person.id"), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=False),
        sa.Column("granted_by_name", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        sa.Column("revoked_by", sa.String()),
    )
    op.create_index("ix_identity_grant_person_id", "identity_grant", ["person_id"])
    op.create_index(
        "uq_identity_grant_active",
        "identity_grant",
        ["person_id", "role", "region", "source"],
        unique=True,
        postgresql_where=_ACTIVE,
    )
    op.create_table(
        "identity_token",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("role", sa.String()),
        sa.Column("permissions", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("driver_id", sa.Uuid()),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_by_name", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        sa.Column("revoked_by", sa.String()),
    )
    op.create_index("ix_identity_token_driver_id", "identity_token", ["driver_id"])
    _create_audit()


def _create_audit() -> None:
    op.create_table(
        "identity_audit",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("session_id", sa.String()),
        sa.Column("address", sa.String()),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("region", sa.String()),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.Column("reason", sa.String()),
        sa.Column("trace_id", sa.String()),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
    )
    for column in ("actor", "action", "object"):
        op.create_index(f"ix_identity_audit_{column}", "identity_audit", [column, "seq"])
    op.create_index("ix_identity_audit_at", "identity_audit", ["at"])
    op.execute(_APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER identity_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
        " ON identity_audit FOR EACH STATEMENT EXECUTE FUNCTION identity_audit_append_only()"
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON identity_audit FROM PUBLIC, CURRENT_USER")


def downgrade() -> None:
    op.drop_table("identity_audit")
    op.execute("DROP FUNCTION identity_audit_append_only()")
    op.drop_table("identity_token")
    op.drop_table("identity_grant")
    op.drop_table("identity_person")
