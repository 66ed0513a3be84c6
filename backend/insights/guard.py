"""What others ask of the objectives: rollouts whether one burns, incidents whether all is well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.insights import signal_repository
from backend.insights.slos import DETECTOR, burning_now
from backend.platform import clock
from backend.platform.scopes import EVERYWHERE, covers


class SloGuard:
    """Tells a guarded rollout what burns where it has got to."""

    async def burning(
        self, session: AsyncSession, slo: str, region: str | None, since: datetime
    ) -> str | None:
        """Why the objective speaks against going on, in words; None where it does not.

        What already burnt before `since` was not the rollout's doing.
        """
        signals = await signal_repository.bad(session, DETECTOR)
        before = {(row.key, row.region) for row in signals if row.since < since}
        for one in await burning_now(session, clock.now()):
            if one.name != slo or not _touches(one.region, region):
                continue
            if any(key.startswith(f"slo-burn:slo={slo},") and at == one.region
                   for key, at in before):  # fmt: skip
                continue
            return f"{one.objective.title} burns its budget {one.found.in_words}"
        return None


async def what_is_bad(
    session: AsyncSession,
    services: Sequence[str],
    regions: Sequence[str],
    keys: Sequence[str],
    since: datetime,
) -> str | None:
    """What indicators say against a recovery of services in regions, in words; None when well.

    Where alerts of our own told of the harm, by their `keys`, the indicators behind them say when
    it is over; otherwise all that measure the services there. A burning budget says nothing: it
    remembers what is mended, and has an alert of its own.
    """
    bad = [row for row in await signal_repository.all_bad(session) if row.detector != DETECTOR]
    if keys:
        worst = [row for row in bad if row.key in keys]
    else:
        worst = [
            row
            for row in bad
            if row.service in services and any(_touches(row.region, at) for at in regions)
        ]
    return "; ".join(sorted(row.title for row in worst)) or None


def _touches(region: str, asked: str | None) -> bool:
    """Whether what happens in one region is felt in the other."""
    if asked is None or EVERYWHERE in (region, asked):
        return True
    return covers(asked, region) or covers(region, asked)
