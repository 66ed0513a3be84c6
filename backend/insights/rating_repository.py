"""Every query of insights on recipients' ratings."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.insights.models import RatingRow


async def put(session: AsyncSession, row: RatingRow) -> None:
    """Keep what was said of an order last."""
    values = row.model_dump()
    await session.execute(
        insert(RatingRow)
        .values(values)
        .on_conflict_do_update(index_elements=["order_number"], set_=values)
    )


async def of_order(session: AsyncSession, number: str) -> RatingRow | None:
    """What was said of an order, if anything."""
    return await session.get(RatingRow, number)


async def by_day(
    session: AsyncSession, since: datetime, until: datetime
) -> list[tuple[date, str, int, int]]:
    """Stars given and how many gave them, by UTC day and region, oldest first."""
    day = func.date_trunc("day", col(RatingRow.at), "UTC").label("day")
    rows = await session.execute(
        select(day, col(RatingRow.region), func.sum(col(RatingRow.stars)), func.count())
        .where(col(RatingRow.at) > since, col(RatingRow.at) <= until)
        .group_by(day, col(RatingRow.region))
        .order_by(day)
    )
    return [(at.date(), region, int(stars), count) for at, region, stars, count in rows]


async def newest(session: AsyncSession, until: datetime, limit: int) -> list[RatingRow]:
    """The last ratings, the newest first."""
    rows = await session.scalars(
        select(RatingRow)
        .where(col(RatingRow.at) <= until)
        .order_by(col(RatingRow.at).desc())
        .limit(limit)
    )
    return list(rows)
