"""Asks whoever measures a service whether it is well again: the recovery that counts.

An alert that clears says that a rule stopped matching; an indicator says that people are served.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession


class Indicator(Protocol):
    """What is wrong yet with a service in some regions since a moment, in words; None when well."""

    async def __call__(
        self, session: AsyncSession, services: list[str], regions: list[str], since: datetime
    ) -> str | None: ...


_registered: list[Indicator] = []


def register_indicator(indicator: Indicator) -> None:
    """Have recoveries verified by this from now on; called once at a process's start."""
    _registered[:] = [indicator]


async def what_is_wrong(
    session: AsyncSession, services: list[str], regions: list[str], since: datetime
) -> str | None:
    """What the indicator says against a recovery; None where it says nothing or there is none."""
    if not _registered:
        return None
    return await _registered[0](session, services, regions, since)
