"""The verbs that show where flags are served, and how it goes for those who got them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import reach_repository
from backend.flags.schemas import Environment, Exposure
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


async def exposures(
    session: AsyncSession,
    principal: Principal,
    keys: Sequence[str],
    environment: Environment = "production",
    *,
    hours: int = 1,
) -> dict[str, list[Exposure]]:
    """What `exposure` tells of one flag, of many at once."""
    identity.authorize(principal, "flags:read")
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    scopes = identity.scopes(principal, "flags:read")
    found: dict[str, list[Exposure]] = {key: [] for key in keys}
    for key, region, variant, asked in await reach_repository.served(
        session, environment, keys, hour - timedelta(hours=hours)
    ):
        if any(covers(scope, region) for scope in scopes):
            found[key].append(Exposure(region=region, variant=variant, asked=asked))
    return found


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
    for at, region, variant, good, bad in await reach_repository.by_minute(
        session, environment, key, since
    ):
        if any(covers(scope, region) for scope in scopes):
            sums[at, variant][0] += good
            sums[at, variant][1] += bad
    return [OutcomeMinute(at, variant, *counts) for (at, variant), counts in sums.items()]
