"""The clocks of many incidents: mean, median and 90th percentile, and what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.incidents import repository
from backend.incidents.models import IncidentTable
from backend.incidents.review_schemas import ClockFigures, Stretch
from backend.incidents.rules import IncidentState, Kind, Severity, spread
from backend.incidents.schemas import Exclusion

READ = "incidents:read"


async def clock_figures(
    session: AsyncSession,
    principal: Principal,
    *,
    since: datetime,
    until: datetime,
    region: str | None = None,
) -> ClockFigures:
    """Times to detect, acknowledge, mitigate and resolve of incidents that began in the span.

    Each counts from the start of the impact. Tests, false positives and merged children are left
    out and counted; those that go on yet count in the clocks that they have reached.
    """
    identity.authorize(principal, READ)
    rows = await repository.began(session, identity.scopes(principal, READ), region, since, until)
    excluded: Counter[Exclusion] = Counter({"test": 0, "false_positive": 0, "merged": 0})
    counted: list[IncidentTable] = []
    for row in rows:
        why = _exclusion(row)
        if why is None:
            counted.append(row)
        else:
            excluded[why] += 1
    reopened = sum(row.reopened > 0 for row in counted)
    ended = sum(row.resolved_at is not None or row.reopened > 0 for row in counted)
    return ClockFigures(
        since=since,
        until=until,
        detect=_stretch(counted, [row.detected_at for row in counted]),
        acknowledge=_stretch(counted, [row.acknowledged_at for row in counted]),
        mitigate=_stretch(counted, [row.mitigated_at for row in counted]),
        resolve=_stretch(counted, [row.resolved_at for row in counted]),
        reopen_rate=reopened / ended if ended else None,
        excluded=dict(excluded),
        by_severity=dict(Counter(Severity(row.severity) for row in counted)),
    )


def _exclusion(row: IncidentTable) -> Exclusion | None:
    if row.state == IncidentState.MERGED:
        return "merged"
    if row.kind == Kind.TEST:
        return "test"
    return "false_positive" if row.kind == Kind.FALSE_POSITIVE else None


def _stretch(rows: Sequence[IncidentTable], reached: Sequence[datetime | None]) -> Stretch:
    took = spread(
        [
            (at - row.impact_started_at).total_seconds()
            for row, at in zip(rows, reached, strict=True)
            if at is not None
        ]
    )
    return Stretch(n=took.n, mean_s=took.mean_s, median_s=took.median_s, p90_s=took.p90_s)
