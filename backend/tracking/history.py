"""Keeps a partition ready for each day to come, and drops those past retention."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.tracking import fix_repository, repository

_BEHIND = timedelta(days=3)
_AHEAD = timedelta(days=3)


async def keep_partitions(session: AsyncSession, now: datetime, retention_days: int) -> None:
    """Make the partitions that fixes of now may fall into; drop days older than retention."""
    first, days = (now - _BEHIND).date(), (_BEHIND + _AHEAD).days + 1
    await fix_repository.make_days(session, [first + timedelta(days=n) for n in range(days)])
    oldest = (now - timedelta(days=retention_days)).date()
    for kept in await repository.partitions(session):
        if kept < oldest:
            await repository.drop_partition(session, kept)
