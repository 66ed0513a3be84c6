"""What the roster learns from events of other contexts."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.shifts import begin_shift, end_shift
from backend.platform.consumers import Handler, Received

ROSTER_GROUP = "roster"


async def _shift_started(session: AsyncSession, event: Received) -> None:
    await begin_shift(session, UUID(event.key), event.region or "", event.at)


async def _shift_ended(session: AsyncSession, event: Received) -> None:
    await end_shift(session, UUID(event.key), event.at)


ROSTER: dict[str, Handler] = {
    "driver.shift_started": _shift_started,
    "driver.shift_ended": _shift_ended,
}
