"""Runs the migrations on the database that the configuration names."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from backend.migrations import schema
from backend.platform.db import asyncpg_url

schema.load_models()


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_type=True,
        include_name=schema.is_ours,
    )
    with context.begin_transaction():
        # Two processes that start together migrate one after the other.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7265436)")
        context.run_migrations()


async def _run_async(url: str) -> None:
    engine = create_async_engine(asyncpg_url(url))
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


asyncio.run(_run_async(context.config.get_main_option("sqlalchemy.url") or ""))
