"""Every statement on rollouts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.flags.models import RolloutRow

OPEN = ("waiting", "running", "paused")


async def rollout(
    session: AsyncSession, rollout_id: UUID, *, lock: bool = False
) -> RolloutRow | None:
    """A rollout as it stands in the database now, whatever the session has read before."""
    wanted = select(RolloutRow).where(col(RolloutRow.id) == rollout_id)
    wanted = wanted.execution_options(populate_existing=True)
    return (await session.scalars(wanted.with_for_update() if lock else wanted)).one_or_none()


async def open_rollout(session: AsyncSession, environment: str, key: str) -> RolloutRow | None:
    """The flag's rollout that is not over."""
    wanted = select(RolloutRow).where(
        col(RolloutRow.environment) == environment,
        col(RolloutRow.key) == key,
        col(RolloutRow.state).in_(OPEN),
    )
    return (await session.scalars(wanted)).one_or_none()


async def rollouts_of(
    session: AsyncSession, environment: str, key: str, limit: int = 20
) -> list[RolloutRow]:
    """A flag's rollouts, newest first."""
    wanted = (
        select(RolloutRow)
        .where(col(RolloutRow.environment) == environment, col(RolloutRow.key) == key)
        .order_by(col(RolloutRow.id).desc())
        .limit(limit)
    )
    return list(await session.scalars(wanted))


async def latest_states(
    session: AsyncSession, environment: str, keys: Sequence[str]
) -> dict[str, str]:
    """The state of each flag's newest rollout."""
    wanted = (
        select(col(RolloutRow.key), col(RolloutRow.state))
        .where(col(RolloutRow.environment) == environment, col(RolloutRow.key).in_(keys))
        .ext(distinct_on(col(RolloutRow.key)))
        .order_by(col(RolloutRow.key), col(RolloutRow.id).desc())
    )
    return {row.key: row.state for row in await session.execute(wanted)}


async def running(session: AsyncSession) -> list[UUID]:
    """Rollouts under way, those due first."""
    wanted = (
        select(col(RolloutRow.id))
        .where(col(RolloutRow.state) == "running")
        .order_by(col(RolloutRow.next_at))
    )
    return list(await session.scalars(wanted))


async def stop_open(
    session: AsyncSession, environment: str, key: str, why: str, now: datetime
) -> None:
    """End the flag's rollout, if one is under way."""
    await session.execute(
        update(RolloutRow)
        .where(
            col(RolloutRow.environment) == environment,
            col(RolloutRow.key) == key,
            col(RolloutRow.state).in_(OPEN),
        )
        .values(state="stopped", halted_because=why, updated_at=now, next_at=None)
    )
