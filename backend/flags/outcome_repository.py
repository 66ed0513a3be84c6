"""How things went minute by minute for those who were served a flag."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.flags.models import OutcomeRow


async def by_minute(
    session: AsyncSession, environment: str, key: str, since: datetime
) -> list[tuple[datetime, str, str, int, int]]:
    """Minute, region, variant, how often it went well and how often not; oldest first."""
    wanted = (
        select(
            col(OutcomeRow.minute),
            col(OutcomeRow.region),
            col(OutcomeRow.variant),
            func.sum(col(OutcomeRow.good)),
            func.sum(col(OutcomeRow.bad)),
        )
        .where(
            col(OutcomeRow.environment) == environment,
            col(OutcomeRow.key) == key,
            col(OutcomeRow.minute) >= since,
        )
        .group_by(col(OutcomeRow.minute), col(OutcomeRow.region), col(OutcomeRow.variant))
        .order_by(col(OutcomeRow.minute))
    )
    rows = (await session.execute(wanted)).all()
    return [(at, region, variant, int(good), int(bad)) for at, region, variant, good, bad in rows]
