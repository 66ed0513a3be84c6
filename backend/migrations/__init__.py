"""The schema's history, applied with Alembic."""
