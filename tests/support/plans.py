"""How PostgreSQL reads what a verb asks of a table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from backend.platform.resources import Resources


async def plan_of(
    resources: Resources, table: str, ask: Callable[[AsyncSession], Awaitable[Any]]
) -> str:
    """The plans of the statements in `ask` that read from `table`, one after the other."""
    engine = resources.database.engine
    seen: list[tuple[str, Any]] = []

    def remember(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if f"FROM {table}" in statement:
            seen.append((statement, values))

    event.listen(engine.sync_engine, "before_cursor_execute", remember)
    try:
        async with resources.database.unit_of_work() as session:
            await ask(session)
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", remember)
    assert seen, f"nothing was read from {table}"
    plans: list[str] = []
    async with engine.connect() as connection:
        for statement, values in seen:
            lines = await connection.exec_driver_sql(f"EXPLAIN {statement}", values)
            plans += [row[0] for row in lines]
    return "\n".join(plans)


async def refresh_statistics(resources: Resources, table: str) -> None:
    """Let the planner know what a table holds."""
    async with resources.database.engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.exec_driver_sql(f"VACUUM ANALYZE {table}")
