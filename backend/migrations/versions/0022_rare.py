"""Incidents by their places; alerts by words, messages by kind, open orders by when they came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_PLACED = """
CREATE FUNCTION incidents_placed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM incidents_place WHERE incident_id = NEW.id AND region <> ALL (NEW.regions);
  INSERT INTO incidents_place (incident_id, region)
  SELECT NEW.id, unnest(NEW.regions) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER incidents_placed AFTER INSERT OR UPDATE OF regions ON incidents_incident
FOR EACH ROW EXECUTE FUNCTION incidents_placed()
"""


_BESIDE_STATE = ["region", "hub", "service", "terms", "promised_at", "ended_at"]


def upgrade() -> None:
    _index_states([*_BESIDE_STATE[:2], "merchant", *_BESIDE_STATE[2:]])
    op.execute(
        "CREATE INDEX ix_incidents_alert_words ON incidents_alert"
        " USING gin (title gin_trgm_ops, key gin_trgm_ops)"
    )
    op.create_index(
        "ix_notifications_message_kind", "notifications_message", ["template", "channel"]
    )
    op.create_index(
        "ix_dispatch_order_open_created",
        "dispatch_order",
        ["created_at", "id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "incidents_place",
        sa.Column(
            "incident_id",
            sa.Uuid(),
            sa.ForeignKey("incidents_incident.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("region", sa.String(), primary_key=True),
    )
    op.execute(
        "INSERT INTO incidents_place (incident_id, region)"
        " SELECT DISTINCT id, unnest(regions) FROM incidents_incident"
    )
    op.execute(
        "CREATE INDEX ix_incidents_place_region ON incidents_place"
        " (region text_pattern_ops, incident_id)"
    )
    op.execute("ANALYZE incidents_place")
    op.execute(_PLACED)
    op.execute(_TRIGGER)


def _index_states(beside: list[str]) -> None:
    """Make the index by which orders that ended are counted, with all that they are counted by."""
    op.drop_index("ix_dispatch_order_state", "dispatch_order")
    op.create_index(
        "ix_dispatch_order_state",
        "dispatch_order",
        ["state", "created_at", "id"],
        postgresql_include=beside,
    )


def downgrade() -> None:
    _index_states(_BESIDE_STATE)
    op.execute("DROP TRIGGER incidents_placed ON incidents_incident")
    op.execute("DROP FUNCTION incidents_placed")
    op.drop_table("incidents_place")
    op.drop_index("ix_dispatch_order_open_created", "dispatch_order")
    op.drop_index("ix_notifications_message_kind", "notifications_message")
    op.drop_index("ix_incidents_alert_words", "incidents_alert")
