"""What a guarded rollout asks of whoever knows about service levels."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession


class Guard(Protocol):
    """Tells whether a service level burns."""

    async def burning(
        self, session: AsyncSession, slo: str, region: str | None, since: datetime
    ) -> str | None:
        """The reason in words where `slo` burns in the region since then, None where it does not.

        Raises LookupError for a service level that it does not know.
        """


_registered: list[Guard] = []


def register_guard(guard: Guard) -> None:
    """Let guarded rollouts of this process ask `guard`; the last one registered answers."""
    _registered[:] = [guard]


def forget_guard() -> None:
    """Let nobody answer any more in this process."""
    _registered.clear()


def guard() -> Guard | None:
    """Who answers in this process, None where nobody does."""
    return _registered[0] if _registered else None
