"""Every statement on changes that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, String, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.flags.models import ChangeRow


async def change(session: AsyncSession, change_id: UUID, *, lock: bool = False) -> ChangeRow | None:
    """A change by its id; None where there is none."""
    wanted = select(ChangeRow).where(col(ChangeRow.id) == change_id)
    return (await session.scalars(wanted.with_for_update() if lock else wanted)).one_or_none()


async def changes(
    session: AsyncSession,
    environment: str,
    key: str | None,
    states: Sequence[str],
    limit: int,
) -> list[ChangeRow]:
    """Changes, newest first."""
    wanted = select(ChangeRow).where(
        col(ChangeRow.environment) == environment, col(ChangeRow.state).in_(states)
    )
    if key is not None:
        wanted = wanted.where(col(ChangeRow.keys).contains([key]))
    return list(await session.scalars(wanted.order_by(col(ChangeRow.id).desc()).limit(limit)))


def _touches(keys: Sequence[str]) -> ColumnElement[bool]:
    """Whether a change is about one of these flags."""
    return col(ChangeRow.keys).op("&&", is_comparison=True)(
        bindparam(None, list(keys), ARRAY(String))
    )


async def waiting_by_key(
    session: AsyncSession, environment: str, keys: Sequence[str]
) -> dict[str, int]:
    """How many changes of each flag wait for a second person."""
    if not keys:
        return {}
    one = func.unnest(col(ChangeRow.keys)).label("key")
    found = (
        select(one)
        .where(
            col(ChangeRow.environment) == environment,
            col(ChangeRow.state) == "waiting",
            _touches(keys),
        )
        .subquery()
    )
    rows = await session.execute(
        select(found.c.key, func.count()).where(found.c.key.in_(keys)).group_by(found.c.key)
    )
    return {row[0]: row[1] for row in rows}


async def due(session: AsyncSession, now: datetime, limit: int) -> list[UUID]:
    """Scheduled changes whose moment has come, oldest first."""
    wanted = (
        select(col(ChangeRow.id))
        .where(col(ChangeRow.state) == "scheduled", col(ChangeRow.publish_at) <= now)
        .order_by(col(ChangeRow.publish_at))
        .limit(limit)
    )
    return list(await session.scalars(wanted))


async def overtake(
    session: AsyncSession, environment: str, keys: Sequence[str], why: str, now: datetime
) -> None:
    """Close what waits or is scheduled for flags that have moved on."""
    if not keys:
        return
    await session.execute(
        update(ChangeRow)
        .where(
            col(ChangeRow.environment) == environment,
            col(ChangeRow.state).in_(("waiting", "scheduled")),
            _touches(keys),
        )
        .values(state="overtaken", why=why, decided_at=now)
    )
