"""How many orders wait too long and how many are late, by city, for those who watch all cities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import matching_repository
from backend.identity import service as identity
from backend.identity.schemas import Principal

WAITS_LONG_AFTER = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class CityBacklog:
    """Orders of a city that are under way; those that nobody was found for, and those overdue."""

    city: str
    open: int
    waiting: int
    late: int


async def backlog(session: AsyncSession, principal: Principal, now: datetime) -> list[CityBacklog]:
    """Every city of the caller's with orders under way; needs `dispatch:read`."""
    identity.authorize(principal, "dispatch:read")
    rows = await matching_repository.backlog_by_city(session, now, now - WAITS_LONG_AFTER)
    return [
        CityBacklog(row.city, row.open, row.waiting, row.late)
        for row in rows
        if identity.may(principal, "dispatch:read", row.city)
    ]
