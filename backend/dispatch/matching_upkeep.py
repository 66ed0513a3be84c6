"""Forgets decisions, tours and ETAs of long ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import eta_repository, matching_repository, route_repository

_DECISIONS_KEPT = timedelta(days=30)
_TOURS_KEPT = timedelta(days=3)
_ETAS_KEPT = timedelta(days=60)


async def forget_old(session: AsyncSession, now: datetime) -> None:
    """Drop what nobody asks for any more; offers and the orders' history stay."""
    await matching_repository.drop_decisions(session, now - _DECISIONS_KEPT)
    await route_repository.drop_superseded(session, now - _TOURS_KEPT)
    await eta_repository.drop_guesses(session, now - _ETAS_KEPT)
