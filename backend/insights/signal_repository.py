"""Every query of insights on detectors' signals."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.insights.models import SignalRow


async def signals(session: AsyncSession, detector: str) -> dict[str, SignalRow]:
    """The signals of a detector by key."""
    rows = await session.scalars(select(SignalRow).where(col(SignalRow.detector) == detector))
    return {row.key: row for row in rows}


async def bad(session: AsyncSession, detector: str) -> list[SignalRow]:
    """The signals of a detector whose last sample was bad."""
    rows = await session.scalars(
        select(SignalRow).where(col(SignalRow.detector) == detector, col(SignalRow.bad))
    )
    return list(rows)


async def all_bad(session: AsyncSession) -> list[SignalRow]:
    """Every signal whose last sample was bad."""
    return list(await session.scalars(select(SignalRow).where(col(SignalRow.bad))))


async def put(session: AsyncSession, row: SignalRow) -> None:
    """Keep a signal as it stands now."""
    values = row.model_dump()
    await session.execute(
        insert(SignalRow).values(values).on_conflict_do_update(index_elements=["key"], set_=values)
    )


async def remove(session: AsyncSession, key: str) -> None:
    """Forget a signal that has long been well."""
    await session.execute(delete(SignalRow).where(col(SignalRow.key) == key))


async def lock(session: AsyncSession, detector: str) -> bool:
    """Whether no other process samples the detector until this unit of work ends."""
    digest = hashlib.sha256(f"insights:detector:{detector}".encode()).digest()
    number = int.from_bytes(digest[:8], signed=True)
    taken = await session.scalar(text("SELECT pg_try_advisory_xact_lock(:id)"), {"id": number})
    return bool(taken)
