"""Every query on calendars, targets, macros and agents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.platform.scopes import parent
from backend.support.repository import within
from backend.support.settings_models import AgentRow, CalendarRow, MacroRow, PolicyRow

_TURN = 7265441


async def await_turn(session: AsyncSession) -> None:
    """Wait until nobody else changes these settings, to the commit."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _TURN})


def _around(region: str) -> list[str]:
    """A region and those above it, the region first."""
    codes = [region]
    while (above := parent(codes[-1])) is not None:
        codes.append(above)
    return codes


async def calendars(session: AsyncSession) -> list[CalendarRow]:
    """Every calendar, by region."""
    return list(await session.scalars(select(CalendarRow).order_by(col(CalendarRow.region))))


async def calendar(session: AsyncSession, region: str) -> CalendarRow | None:
    """The calendar of exactly this region."""
    return await session.get(CalendarRow, region, populate_existing=True)


async def calendar_around(session: AsyncSession, region: str) -> CalendarRow | None:
    """The calendar that holds in a region: its own, or that of the nearest one above."""
    codes = _around(region)
    rows = await session.scalars(select(CalendarRow).where(col(CalendarRow.region).in_(codes)))
    return min(rows, key=lambda row: codes.index(row.region), default=None)


async def policies(session: AsyncSession) -> list[PolicyRow]:
    """Every region's targets that somebody set."""
    return list(await session.scalars(select(PolicyRow).order_by(col(PolicyRow.region))))


async def policy(session: AsyncSession, region: str) -> PolicyRow | None:
    """The targets of exactly this region."""
    return await session.get(PolicyRow, region, populate_existing=True)


async def policy_around(session: AsyncSession, region: str) -> PolicyRow | None:
    """The targets that hold in a region: its own, or those of the nearest one above."""
    codes = _around(region)
    rows = await session.scalars(select(PolicyRow).where(col(PolicyRow.region).in_(codes)))
    return min(rows, key=lambda row: codes.index(row.region), default=None)


async def macros(
    session: AsyncSession, scopes: Sequence[str], region: str | None, kind: str | None
) -> list[MacroRow]:
    """Macros that may be used somewhere in the scopes, by name."""
    query = select(MacroRow).where(_offered(scopes)).order_by(col(MacroRow.name), col(MacroRow.id))
    if region is not None:
        query = query.where(col(MacroRow.region).in_(_around(region)))
    if kind is not None:
        query = query.where(or_(col(MacroRow.kind).is_(None), col(MacroRow.kind) == kind))
    return list(await session.scalars(query))


async def macro(session: AsyncSession, macro_id: UUID, scopes: Sequence[str]) -> MacroRow | None:
    """A macro, locked, if it may be used somewhere in the scopes."""
    found: MacroRow | None = await session.scalar(
        select(MacroRow)
        .where(col(MacroRow.id) == macro_id, _offered(scopes))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found


def _offered(scopes: Sequence[str]) -> ColumnElement[bool]:
    above = {code for scope in scopes for code in _around(scope)}
    return or_(within(col(MacroRow.region), scopes), col(MacroRow.region).in_(sorted(above)))


async def drop_macro(session: AsyncSession, macro_id: UUID) -> None:
    """Forget a macro."""
    await session.execute(delete(MacroRow).where(col(MacroRow.id) == macro_id))


async def agent(session: AsyncSession, person: str) -> AgentRow | None:
    """Somebody who has said whether they take what comes in, locked."""
    return await session.get(AgentRow, person, with_for_update=True, populate_existing=True)


async def available(session: AsyncSession, region: str, now: datetime) -> list[AgentRow]:
    """Who takes what comes in there, who was given something longest ago first; locked.

    All who open at once wait for each other here, so that turns are kept.
    """
    holds = col(AgentRow.regions).op("&&")(_around(region))
    return list(
        await session.scalars(
            select(AgentRow)
            .where(col(AgentRow.until) > now, holds)
            .order_by(col(AgentRow.given_at).asc().nulls_first(), col(AgentRow.person_id))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


async def agents(session: AsyncSession, persons: Sequence[str]) -> dict[str, AgentRow]:
    """What these people said."""
    rows = await session.scalars(select(AgentRow).where(col(AgentRow.person_id).in_(persons)))
    return {row.person_id: row for row in rows}
