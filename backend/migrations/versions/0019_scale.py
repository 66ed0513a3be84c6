"""Indexes by which tickets and incidents are found among a million, and orders by their end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _escalation()
    _incident()
    op.create_index(
        "ix_dispatch_order_ended",
        "dispatch_order",
        ["ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index(
        "ix_dispatch_order_late",
        "dispatch_order",
        ["created_at", "id"],
        postgresql_include=[
            "state",
            "region",
            "hub",
            "service",
            "terms",
            "promised_at",
            "ended_at",
        ],
        postgresql_where=sa.text("state = 'delivered' AND ended_at > promised_at"),
    )


def _escalation() -> None:
    table = "support_escalation"
    op.execute(
        f"CREATE INDEX ix_support_escalation_words ON {table} USING gin"
        " (subject gin_trgm_ops, order_number gin_trgm_ops, incident_number gin_trgm_ops)"
    )
    op.create_index("ix_support_escalation_order_number", table, ["order_number", "id"])
    op.create_index("ix_support_escalation_whose", table, ["assignee", "id"])
    op.execute(
        f"CREATE INDEX ix_support_escalation_region ON {table} (region text_pattern_ops, id)"
    )


def _incident() -> None:
    table = "incidents_incident"
    op.execute(
        f"CREATE INDEX ix_incidents_incident_words ON {table} USING gin (title gin_trgm_ops)"
    )
    op.execute(
        f"CREATE INDEX ix_incidents_incident_roles ON {table} USING gin (roles jsonb_path_ops)"
    )
    op.create_index("ix_incidents_incident_services", table, ["services"], postgresql_using="gin")
    op.create_index(
        "ix_incidents_incident_over", table, [sa.text("coalesce(resolved_at, closed_at)")]
    )
    op.create_index(
        "ix_incidents_incident_merged",
        table,
        ["merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )


def downgrade() -> None:
    for name in ("late", "ended"):
        op.drop_index(f"ix_dispatch_order_{name}", "dispatch_order")
    for name in ("merged", "over", "services", "roles", "words"):
        op.drop_index(f"ix_incidents_incident_{name}", "incidents_incident")
    for name in ("region", "whose", "order_number", "words"):
        op.drop_index(f"ix_support_escalation_{name}", "support_escalation")
