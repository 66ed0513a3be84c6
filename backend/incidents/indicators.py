"""Asks whoever measures a service whether it is well again: the recovery that counts.

An alert that clears says that a rule stopped matching; an indicator says that people are served.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from backend.incidents import alert_repository
from backend.incidents.models import IncidentTable


class Indicator(Protocol):
    """What is wrong yet with services in some regions since a moment, in words; None when well.

    `keys` are those of its own alerts by which the harm was found, none where others told of it.
    """

    async def __call__(
        self,
        session: AsyncSession,
        services: list[str],
        regions: list[str],
        keys: list[str],
        since: datetime,
    ) -> str | None: ...


_registered: list[Indicator] = []


def register_indicator(indicator: Indicator) -> None:
    """Have recoveries verified by this from now on; called once at a process's start."""
    _registered[:] = [indicator]


async def what_is_wrong(session: AsyncSession, row: IncidentTable, since: datetime) -> str | None:
    """What the indicator says against a recovery; None where it says nothing or there is none."""
    if not _registered:
        return None
    keys = await alert_repository.detected(session, row.id)
    return await _registered[0](session, row.services, row.regions, keys, since)
