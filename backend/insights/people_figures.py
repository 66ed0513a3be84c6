"""The scorecard's figures of people and money: who uses Waypost, what they think, what it costs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from backend.dispatch import service as dispatch
from backend.identity import service as identity
from backend.insights import cost_repository, rating_repository
from backend.insights.figure_parts import Asked, Outcome, next_month, start_of
from backend.insights.models import CostRow
from backend.insights.scorecard_schemas import FigureRow
from backend.platform.money import EXPONENTS, plain
from backend.regions.service import place_words

_MONTHS = 6
_DAYS = 30
_ROWS = 50


async def monthly_active(asked: Asked) -> Outcome:
    """Different recipients, drivers and, over all regions, persons at the console."""
    ago = asked.until - timedelta(days=_DAYS)
    parts = await _people(asked, ago, asked.until)
    trend: list[tuple[date, float | None]] = []
    for month in asked.months(_MONTHS):
        until = min(start_of(next_month(month)), asked.until)
        people = await _people(asked, start_of(month), until)
        trend.append((month, sum(count for _, count in people)))
    total = sum(count for _, count in parts)
    return Outcome(
        value=total,
        trend=trend,
        columns=("Who", "In the last 30 days"),
        rows=[FigureRow(cells=[who, f"{count:,}"]) for who, count in parts],
    )


async def _people(asked: Asked, since: datetime, until: datetime) -> list[tuple[str, int]]:
    found = await dispatch.order_figures(asked.session, asked.principal, asked.within, since, until)
    people = [("Recipients", found.recipients), ("Drivers", found.drivers)]
    if asked.everywhere:
        count = await identity.active_persons(asked.session, asked.principal, since, until)
        people.append(("Console", count))
    return people


async def satisfaction(asked: Asked) -> Outcome:
    """Mean of the stars that recipients gave."""
    days = asked.days(_DAYS)
    since = start_of(days[0]) - timedelta(microseconds=1)
    stars: Counter[date] = Counter()
    given: Counter[date] = Counter()
    for day, region, sum_of_stars, count in await rating_repository.by_day(
        asked.session, since, asked.until
    ):
        if asked.sees(region):
            stars[day] += sum_of_stars
            given[day] += count
    newest = await rating_repository.newest(asked.session, asked.until, 4 * _ROWS)
    return Outcome(
        value=stars.total() / given.total() if given else None,
        trend=[(day, stars[day] / given[day] if given[day] else None) for day in days],
        columns=("When (UTC)", "Order", "Region", "Stars", "Words"),
        rows=[
            FigureRow(
                cells=[f"{row.at:%d %b %H:%M}", row.order_number,
                       place_words([row.region], asked.names), str(row.stars), row.words],
                link=f"/orders/{row.order_number}",
            )
            for row in newest
            if asked.sees(row.region)
        ][:_ROWS],
        why_unknown="Nobody has rated a delivery in the last 30 days.",
    )  # fmt: skip


async def cost_per_thousand(asked: Asked) -> Outcome:
    """What a month cost over what was delivered in it, the last month with costs first."""
    columns = ("Month", "Cost", "Deliveries", "Per 1,000")
    if not asked.everywhere:
        why = "Costs are kept for the whole company and not for a region."
        return Outcome(None, (), columns, why_unknown=why)
    months = asked.months(_MONTHS)
    by_month: dict[date, list[CostRow]] = defaultdict(list)
    for row in await cost_repository.between(asked.session, months[0], months[-1]):
        by_month[row.month].append(row)
    trend: list[tuple[date, float | None]] = []
    rows, value, currency = [], None, None
    for month in months:
        until = min(start_of(next_month(month)), asked.until)
        found = await dispatch.order_figures(
            asked.session, asked.principal, asked.within, start_of(month), until
        )
        costs = by_month[month]
        per_thousand = _per_thousand(costs, found.delivered)
        trend.append((month, per_thousand))
        if per_thousand is not None:
            value, currency = per_thousand, costs[0].currency
        if costs:
            worth = "-" if per_thousand is None else f"{per_thousand:.2f} {costs[0].currency}"
            rows.append(FigureRow(cells=[f"{month:%B %Y}", _in_words(costs),
                                         f"{found.delivered:,}", worth],
                                  link="/admin/on-call?tab=costs"))  # fmt: skip
    return Outcome(
        value, trend, columns, rows[::-1],
        "No month of the last six has costs in one currency and deliveries.", currency,
    )  # fmt: skip


def _per_thousand(costs: Sequence[CostRow], delivered: int) -> float | None:
    if not costs or not delivered or len({row.currency for row in costs}) > 1:
        return None
    minor = sum(row.minor for row in costs)
    return float(minor / 10 ** EXPONENTS[costs[0].currency] / delivered * 1000)


def _in_words(costs: Sequence[CostRow]) -> str:
    sums: Counter[str] = Counter()
    for row in costs:
        sums[row.currency] += row.minor
    return " + ".join(plain(minor, currency) for currency, minor in sorted(sums.items()))
