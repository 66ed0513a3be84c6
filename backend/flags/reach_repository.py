"""Where flags were served, and how it went there minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.flags.models import ExposureRow, OutcomeRow


async def served(
    session: AsyncSession, environment: str, keys: Sequence[str], since: datetime
) -> list[tuple[str, str, str, int]]:
    """Flag, region, variant and how often it was served there since an hour."""
    wanted = (
        select(
            col(ExposureRow.key),
            col(ExposureRow.region),
            col(ExposureRow.variant),
            func.sum(col(ExposureRow.asked)),
        )
        .where(
            col(ExposureRow.environment) == environment,
            col(ExposureRow.key).in_(keys),
            col(ExposureRow.hour) >= since,
        )
        .group_by(col(ExposureRow.key), col(ExposureRow.region), col(ExposureRow.variant))
        .order_by(col(ExposureRow.key), col(ExposureRow.region), col(ExposureRow.variant))
    )
    rows = (await session.execute(wanted)).all()
    return [(key, region, variant, int(asked)) for key, region, variant, asked in rows]


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
