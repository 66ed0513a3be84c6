"""The scorecard's figures of the system: how fast it answers at peak, and how often it does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from backend.insights import count_repository
from backend.insights.definitions import objectives
from backend.insights.figure_parts import Asked, Outcome, start_of
from backend.insights.scorecard_schemas import FigureRow
from backend.insights.slo_rules import Tally
from backend.platform.indicators import LATENCY_BOUNDS_S
from backend.platform.shares import percent
from backend.regions.service import place_words

AVAILABILITY = ("ingest", "order_api")
_DAYS = 30
_PEAK_DAYS = 7


async def api_p95(asked: Asked) -> Outcome:
    """The P95 of the busiest hour: of each day for the trend, of the last week for the value."""
    days = asked.days(_DAYS)
    counted = await count_repository.latencies(asked.session, start_of(days[0]), asked.until)
    by_hour: dict[datetime, Counter[int]] = defaultdict(Counter)
    for at, step, answers in counted:
        by_hour[at][step] += answers
    peaks: dict[date, tuple[datetime, int]] = {}
    for at, steps in by_hour.items():
        known = peaks.get(at.date())
        if known is None or steps.total() > known[1]:
            peaks[at.date()] = (at, steps.total())
    p95 = {day: _p95_ms(by_hour[at]) for day, (at, _) in peaks.items()}
    last = {day: peak for day, peak in peaks.items() if day in days[-_PEAK_DAYS:]}
    busiest = max(last, key=lambda day: last[day][1], default=None)
    return Outcome(
        value=None if busiest is None else p95[busiest],
        trend=[(day, p95.get(day)) for day in days],
        columns=("Day", "Busiest hour (UTC)", "Answers", "P95"),
        rows=[
            FigureRow(cells=[f"{day:%d %b}", f"{at:%H:%M}", f"{answers:,}", f"{p95[day]:.0f} ms"])
            for day, (at, answers) in sorted(peaks.items(), reverse=True)
        ],
        why_unknown="No answer of the API was counted yet.",
    )


def _p95_ms(steps: Mapping[int, int]) -> float:
    """The upper bound of the step in which the 95th percentile lies, in milliseconds."""
    wanted, seen = 0.95 * sum(steps.values()), 0
    for step in sorted(steps):
        seen += steps[step]
        if seen >= wanted:
            return LATENCY_BOUNDS_S[min(step, len(LATENCY_BOUNDS_S) - 1)] * 1000
    return LATENCY_BOUNDS_S[-1] * 1000


async def availability(asked: Asked) -> Outcome:
    """Good answers of all valid ones at the doorways of phones and of orders."""
    days = asked.days(_DAYS)
    since = start_of(days[0]) - timedelta(microseconds=1)
    counted = await count_repository.by_day(asked.session, AVAILABILITY, since, asked.until)
    by_day: dict[date, Tally] = defaultdict(Tally)
    by_place: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for at, name, region, tally in counted:
        if asked.sees(region):
            by_day[at.date()] += tally
            by_place[name, region] += tally
    whole = sum(by_day.values(), Tally())
    return Outcome(
        value=_share(whole),
        trend=[(day, _share(by_day[day])) for day in days],
        columns=("Objective", "Region", "Valid", "Bad", "Availability"),
        rows=[
            FigureRow(
                cells=[
                    objectives()[name].title, place_words([region], asked.names),
                    f"{tally.valid:,}", f"{tally.bad:,}",
                    percent(_share(tally) or 0, 3),
                ],
                link="/scorecard?tab=slos" + (f"&region={region}" if region != "*" else ""),
            )
            for (name, region), tally in sorted(
                by_place.items(), key=lambda item: _share(item[1]) or 0
            )
        ],
        why_unknown="Nothing was counted in these regions yet.",
    )  # fmt: skip


def _share(tally: Tally) -> float | None:
    return tally.good / tally.valid if tally.valid else None
