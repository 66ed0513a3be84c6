"""Every query of insights on what running Waypost costs."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.insights.models import CostRow


async def between(session: AsyncSession, first: date, last: date) -> list[CostRow]:
    """The costs of the months from `first` to `last`, the newest first."""
    rows = await session.scalars(
        select(CostRow)
        .where(col(CostRow.month).between(first, last))
        .order_by(col(CostRow.month).desc(), col(CostRow.kind))
    )
    return list(rows)


async def of_month(session: AsyncSession, month: date, kind: str) -> CostRow | None:
    """What a kind cost in a month, locked."""
    return await session.scalar(
        select(CostRow)
        .where(col(CostRow.month) == month, col(CostRow.kind) == kind)
        .with_for_update()
    )


async def by_id(session: AsyncSession, cost_id: UUID) -> CostRow | None:
    """A row by its id, locked."""
    return await session.get(CostRow, cost_id, with_for_update=True)


async def add(session: AsyncSession, row: CostRow) -> bool:
    """Whether the row was added; False where its month has one of its kind."""
    added = insert(CostRow).values(row.model_dump()).on_conflict_do_nothing()
    return await session.scalar(added.returning(col(CostRow.id))) is not None


async def remove(session: AsyncSession, row: CostRow) -> None:
    """Take a row away."""
    await session.delete(row)
