"""The scorecard's figures of incidents: how many critical ones, and how long until all was well."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from backend.incidents import service as incidents
from backend.incidents.schemas import IncidentFilter, IncidentRow
from backend.insights.figure_parts import Asked, Outcome, next_month, start_of
from backend.insights.scorecard_schemas import FigureRow
from backend.regions.service import place_words

_MTTR_OVER = timedelta(days=90)
_MONTHS = 6
_QUARTERS = 4
_PAGE = 200
_ROWS = 50
_LEFT_OUT = ("test", "false_positive")


async def critical_incidents(asked: Asked) -> Outcome:
    """Incidents of SEV1 by the quarter in which their impact began."""
    quarters = _quarters(asked)
    found = await _incidents(
        asked,
        IncidentFilter.model_validate(
            {"states": _STATES, "severity": "SEV1", "since": start_of(quarters[0])}
        ),
    )
    counted: Counter[date] = Counter(_quarter(row.impact_started_at.date()) for row in found)
    return Outcome(
        value=counted[quarters[-1]],
        trend=[(quarter, counted[quarter]) for quarter in quarters],
        columns=("Incident", "Title", "Regions", "Impact began (UTC)", "State"),
        rows=[
            FigureRow(
                cells=[row.number, row.title, place_words(row.regions, asked.names),
                       f"{row.impact_started_at:%d %b %H:%M}", row.state],
                link=f"/incidents/{row.number}",
            )
            for row in found
        ][:_ROWS],
    )  # fmt: skip


async def mttr(asked: Asked) -> Outcome:
    """Mean minutes from the first bad sample to the verified recovery."""
    since = asked.until - _MTTR_OVER
    whole = await incidents.clock_figures(
        asked.session, asked.principal, since=since, until=asked.until, region=asked.region
    )
    trend: list[tuple[date, float | None]] = []
    for month in asked.months(_MONTHS):
        part = await incidents.clock_figures(
            asked.session, asked.principal, region=asked.region,
            since=start_of(month), until=min(start_of(next_month(month)), asked.until),
        )  # fmt: skip
        trend.append((month, _minutes(part.resolve.mean_s)))
    ended = await _incidents(
        asked, IncidentFilter.model_validate({"states": ["resolved", "closed"], "since": since})
    )
    return Outcome(
        value=_minutes(whole.resolve.mean_s),
        trend=trend,
        columns=("Incident", "Title", "Severity", "Impact began (UTC)", "Minutes"),
        rows=[
            FigureRow(
                cells=[row.number, row.title, row.severity,
                       f"{row.impact_started_at:%d %b %H:%M}", f"{row.running_s / 60:.1f}"],
                link=f"/incidents/{row.number}",
            )
            for row in ended
        ][:_ROWS],
        why_unknown="No incident of the last 90 days has ended.",
    )  # fmt: skip


_STATES = ("triggered", "acknowledged", "mitigated", "resolved", "closed")


async def _incidents(asked: Asked, wanted: IncidentFilter) -> list[IncidentRow]:
    """All that match and count, newest first."""
    found: list[IncidentRow] = []
    narrowed = wanted.model_copy(update={"region": asked.region, "until": asked.until})
    after: str | None = None
    while True:
        page = await incidents.list_incidents(
            asked.session, asked.principal, narrowed, after=after, limit=_PAGE
        )
        found += [row for row in page.items if row.kind not in _LEFT_OUT]
        after = page.next_cursor
        if after is None:
            return found


def _quarters(asked: Asked) -> list[date]:
    months = asked.months(3 * _QUARTERS + 2)
    return sorted({_quarter(month) for month in months})[-_QUARTERS:]


def _quarter(day: date) -> date:
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 60
