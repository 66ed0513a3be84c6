"""Every statement on what was served and how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.flags.models import ExposureRow, OutcomeRow


@dataclass(frozen=True, slots=True)
class Served:
    """What is known of how a flag was served since some moment."""

    asked: int
    variants: int
    newest: datetime | None


async def exposure(
    session: AsyncSession, environment: str, key: str, since: datetime
) -> list[tuple[str, str, int]]:
    """Region, variant and how often it was served there."""
    wanted = (
        select(col(ExposureRow.region), col(ExposureRow.variant), func.sum(col(ExposureRow.asked)))
        .where(
            col(ExposureRow.environment) == environment,
            col(ExposureRow.key) == key,
            col(ExposureRow.hour) >= since,
        )
        .group_by(col(ExposureRow.region), col(ExposureRow.variant))
        .order_by(col(ExposureRow.region), col(ExposureRow.variant))
    )
    return [(row[0], row[1], int(row[2])) for row in await session.execute(wanted)]


async def asked_since(
    session: AsyncSession, environment: str, keys: Sequence[str], since: datetime
) -> dict[str, Served]:
    """How often each flag was served, how many of its variants, and when last."""
    wanted = (
        select(
            col(ExposureRow.key),
            func.sum(col(ExposureRow.asked)).label("asked"),
            func.count(func.distinct(col(ExposureRow.variant))).label("variants"),
            func.max(col(ExposureRow.hour)).label("newest"),
        )
        .where(
            col(ExposureRow.environment) == environment,
            col(ExposureRow.key).in_(keys),
            col(ExposureRow.hour) >= since,
        )
        .group_by(col(ExposureRow.key))
    )
    return {
        row.key: Served(int(row.asked), row.variants, row.newest)
        for row in await session.execute(wanted)
    }


async def add_exposure(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add counts to those there are; each row once per environment, key, hour, region, variant."""
    if not rows:
        return
    new = insert(ExposureRow).values([dict(row) for row in rows])
    await session.execute(
        new.on_conflict_do_update(
            index_elements=["environment", "key", "hour", "region", "variant"],
            set_={"asked": col(ExposureRow.asked) + new.excluded.asked},
        )
    )


async def add_outcomes(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add outcomes to those there are; each row once per minute, region and variant."""
    if not rows:
        return
    new = insert(OutcomeRow).values([dict(row) for row in rows])
    await session.execute(
        new.on_conflict_do_update(
            index_elements=["environment", "key", "minute", "region", "variant"],
            set_={
                "good": col(OutcomeRow.good) + new.excluded.good,
                "bad": col(OutcomeRow.bad) + new.excluded.bad,
            },
        )
    )


async def outcomes(
    session: AsyncSession, environment: str, key: str, since: datetime
) -> list[tuple[str, str, int, int]]:
    """Region, variant, and how often it went well and badly."""
    wanted = (
        select(
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
        .group_by(col(OutcomeRow.region), col(OutcomeRow.variant))
    )
    return [(row[0], row[1], int(row[2]), int(row[3])) for row in await session.execute(wanted)]


async def drop_before(session: AsyncSession, exposures: datetime, outcomes_: datetime) -> None:
    """Forget counts that nobody looks at any more."""
    await session.execute(
        text("DELETE FROM flags_exposure WHERE hour < :limit"), {"limit": exposures}
    )
    await session.execute(
        text("DELETE FROM flags_outcome WHERE minute < :limit"), {"limit": outcomes_}
    )
