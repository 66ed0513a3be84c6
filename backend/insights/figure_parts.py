"""What every figure of the scorecard is made from: its span, its regions, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.insights.definitions import figures_meant
from backend.insights.scorecard_schemas import Figure, FigureKey, FigureRow, TrendPoint
from backend.platform.scopes import EVERYWHERE, covers


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for the figures of which regions, as they stood when; regions' names by code."""

    session: AsyncSession
    principal: Principal
    region: str | None
    within: Sequence[str]
    until: datetime
    names: Mapping[str, str]

    @property
    def everywhere(self) -> bool:
        """Whether the whole company is asked for."""
        return EVERYWHERE in self.within

    def sees(self, region: str) -> bool:
        """Whether something that happened in a region counts."""
        return any(covers(scope, region) for scope in self.within)

    def days(self, count: int) -> list[date]:
        """The last days, oldest first, that of `until` counted."""
        today = self.until.astimezone(UTC).date()
        return [today - timedelta(days=back) for back in reversed(range(count))]

    def months(self, count: int) -> list[date]:
        """The first days of the last months, oldest first, that of `until` counted."""
        found = [self.until.astimezone(UTC).date().replace(day=1)]
        while len(found) < count:
            found.append((found[-1] - timedelta(days=1)).replace(day=1))
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A figure's value with its trend and rows; `why_unknown` where there is no value."""

    value: float | None
    trend: Sequence[tuple[date, float | None]]
    columns: Sequence[str]
    rows: Sequence[FigureRow] = field(default=())
    why_unknown: str | None = None
    currency: str | None = None


def figure(key: FigureKey, outcome: Outcome) -> Figure:
    """The figure as it is shown, judged against its target."""
    meant = figures_meant()[key]
    met: bool | None = None
    comparable = outcome.currency in (None, meant.currency)
    if outcome.value is not None and comparable:
        lower = meant.better == "lower"
        met = outcome.value <= meant.target if lower else outcome.value >= meant.target
    return Figure(
        key=key,
        value=outcome.value,
        met=met,
        why_unknown=outcome.why_unknown if outcome.value is None else None,
        trend=[TrendPoint(at=at, value=value) for at, value in outcome.trend],
        columns=list(outcome.columns),
        rows=list(outcome.rows),
        **{**meant.model_dump(), "currency": outcome.currency or meant.currency},
    )


def start_of(day: date) -> datetime:
    """The moment at which a UTC day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month + timedelta(days=32)).replace(day=1)
