"""The verb that shows how a flag goes for those who got it, beside those who did not."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import outcome_repository
from backend.flags.schemas import Environment
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.scopes import covers


@dataclass(frozen=True, slots=True)
class OutcomeMinute:
    """A minute of a variant: how often things went well, and how often not."""

    minute: datetime
    variant: str
    good: int
    bad: int


async def outcome_minutes(
    session: AsyncSession,
    principal: Principal,
    key: str,
    environment: Environment = "production",
    *,
    minutes: int = 60,
) -> list[OutcomeMinute]:
    """The last minutes by variant over the caller's regions, oldest first."""
    identity.authorize(principal, "flags:read")
    since = clock.now() - timedelta(minutes=minutes)
    scopes = identity.scopes(principal, "flags:read")
    sums: dict[tuple[datetime, str], list[int]] = defaultdict(lambda: [0, 0])
    for at, region, variant, good, bad in await outcome_repository.by_minute(
        session, environment, key, since
    ):
        if any(covers(scope, region) for scope in scopes):
            sums[at, variant][0] += good
            sums[at, variant][1] += bad
    return [OutcomeMinute(at, variant, *counts) for (at, variant), counts in sums.items()]
