"""What delivery needs of this context: the published definitions, and counts that come back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from backend.flags import count_repository, repository
from backend.flags.schemas import Environment, Outcome, Published
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.scopes import EVERYWHERE


async def published(session: AsyncSession, environment: str, since: int = 0) -> Published:
    """What the environment serves: all of it for `since` 0, else what changed after that version.

    Not for callers from outside: it asks for no principal. A flag that is gone comes as None.
    """
    found = await repository.published_since(session, environment, since)
    if found is None:
        return Published(environment, 0, {}, {}, clock.now())
    version, evaluators, published_at, flags = found
    return Published(environment, version, flags, evaluators, published_at)


async def published_version(session: AsyncSession, environment: str) -> int:
    """The environment's version, for a poll that costs next to nothing."""
    return await repository.version_of(session, environment)


async def report_outcomes(
    session: AsyncSession,
    principal: Principal,
    outcomes: Sequence[Outcome],
    environment: Environment = "production",
) -> None:
    """Count how things went for those who were served a variant."""
    identity.authorize(principal, "flags:evaluate")
    minute = clock.now().replace(second=0, microsecond=0)
    summed: dict[tuple[str, str, str], list[int]] = {}
    for outcome in outcomes:
        region = outcome.region or EVERYWHERE
        identity.authorize(principal, "flags:evaluate", region)
        counts = summed.setdefault((outcome.key, region, outcome.variant), [0, 0])
        counts[0] += outcome.good
        counts[1] += outcome.bad
    # Sorted, so that two reports never wait for each other's rows.
    rows = [
        {
            "environment": environment,
            "key": key,
            "minute": minute,
            "region": region,
            "variant": variant,
            "good": good,
            "bad": bad,
        }
        for (key, region, variant), (good, bad) in sorted(summed.items())
    ]
    await count_repository.add_outcomes(session, rows)
