"""The migrated schema is the one that the models describe."""

from __future__ import annotations

import asyncio

from backend.migrations import schema
from backend.platform.resources import Resources


async def test_models_and_migrations_agree(resources: Resources) -> None:
    await asyncio.to_thread(schema.check, resources.settings.database_url)
