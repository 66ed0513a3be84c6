"""How many things failed in each minute around an incident, from the counts by minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.identity.service import authorize, scopes
from backend.insights import count_repository
from backend.platform import clock
from backend.platform.scopes import covers, narrowed

_MINUTE = timedelta(minutes=1)
_BEFORE = timedelta(minutes=30)
_AFTER = timedelta(minutes=15)
_LONGEST = timedelta(hours=3)
_MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of a service: under which name, and what its failures are called.

    A name that ends in a point has a line for each thing that follows it.
    """

    name: str
    title: str
    by: str = ""


COUNTED = {
    "payments": Counted("payments.", "Payment failures a minute", "by gateway"),
    "tracking": Counted("ingest", "Positions refused or late a minute"),
    "dispatch": Counted("order_api", "Order API answers failed or late a minute"),
    "notifications": Counted("webhooks", "Webhook failures a minute"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """Failures in each minute of the span; `name` is empty where there is one line only."""

    name: str
    failed: list[int]


@dataclass(frozen=True, slots=True)
class Minutes:
    """Failures by minute, those with most of them first; `at` are the minutes' beginnings."""

    title: str
    by: str
    at: list[datetime]
    lines: list[Line]


async def failures_by_minute(
    session: AsyncSession,
    principal: Principal,
    services: Sequence[str],
    regions: Sequence[str],
    began: datetime,
    ended: datetime | None,
) -> Minutes | None:
    """Failures of the first of the services that is counted, from before the beginning until after
    the end, at most three hours; None where none is counted.

    Of the regions the part that the caller may see; needs `incidents:read`.
    """
    authorize(principal, "incidents:read")
    counted = next((COUNTED[each] for each in services if each in COUNTED), None)
    if counted is None:
        return None
    held = scopes(principal, "incidents:read")
    seen = [part for region in regions for part in narrowed(held, region)]
    since = (began - _BEFORE).replace(second=0, microsecond=0)
    until = min(ended + _AFTER if ended else clock.now(), clock.now(), since + _LONGEST)
    at = [since + number * _MINUTE for number in range((until - since) // _MINUTE + 1)]
    index = {moment: number for number, moment in enumerate(at)}
    lines: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(at))
    rows = await count_repository.by_minute(session, counted.name, since, at[-1])
    for moment, name, region, tally in rows:
        if any(covers(scope, region) for scope in seen):
            lines[name.removeprefix(counted.name)][index[moment]] += tally.bad
    ordered = sorted(lines.items(), key=lambda line: -sum(line[1]))[:_MOST_LINES]
    found = [Line(name, failed) for name, failed in ordered] or [Line("", [0] * len(at))]
    return Minutes(counted.title, counted.by, at, found)
