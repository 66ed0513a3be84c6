"""Every query of saved views."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete as delete_from
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.identity.models import ViewTable
from backend.identity.schemas import SavedView


async def views(session: AsyncSession, person_id: UUID, page: str) -> list[SavedView]:
    """A person's views of a page, oldest first."""
    statement = (
        select(ViewTable)
        .where(col(ViewTable.person_id) == person_id, col(ViewTable.page) == page)
        .order_by(col(ViewTable.id))
    )
    return [_view(row) for row in await session.scalars(statement)]


async def upsert(session: AsyncSession, row: ViewTable) -> SavedView:
    """Keep a view, in the place of the one with the same name."""
    statement = insert(ViewTable).values(**row.model_dump())
    kept = statement.on_conflict_do_update(
        constraint="uq_identity_view_name", set_={"query": statement.excluded.query}
    ).returning(ViewTable)
    saved = (await session.scalars(kept)).one()
    return _view(saved)


async def delete(session: AsyncSession, person_id: UUID, view_id: UUID) -> bool:
    """Forget a view of this person; whether there was one."""
    gone = await session.scalars(
        delete_from(ViewTable)
        .where(col(ViewTable.person_id) == person_id, col(ViewTable.id) == view_id)
        .returning(col(ViewTable.id))
    )
    return gone.one_or_none() is not None


def _view(row: ViewTable) -> SavedView:
    return SavedView(id=row.id, page=row.page, name=row.name, query=row.query)
