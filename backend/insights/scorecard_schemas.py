"""What enters and leaves the scorecard: the company's figures and what running it costs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.platform.money import Money

FigureKey = Literal[
    "api_p95",
    "monthly_active",
    "availability",
    "critical_incidents",
    "mttr",
    "cost_per_thousand",
    "satisfaction",
]
Unit = Literal["ms", "people", "share", "incidents", "minutes", "money", "stars"]
CostKind = Literal["compute", "storage", "network", "maps", "messages", "monitoring", "other"]


class TrendPoint(BaseModel):
    """The figure over one step of its trend, which begins at `at`; None where nothing is known."""

    at: date
    value: float | None


class FigureRow(BaseModel):
    """One of the rows behind a figure; `link` is the console's page that shows it."""

    cells: list[str]
    link: str | None = None


class Figure(BaseModel):
    """One figure of the scorecard.

    `value`, `target` and the trend are in `unit`: a share is of 1, money is in major units of
    `currency`. `met` is None where the value is not known, and `why_unknown` says why.
    """

    key: FigureKey
    title: str
    definition: str
    unit: Unit
    currency: str | None = None
    better: Literal["lower", "higher"]
    target: float
    value: float | None
    met: bool | None
    why_unknown: str | None = None
    step: Literal["day", "month", "quarter"]
    trend: list[TrendPoint]
    columns: list[str]
    rows: list[FigureRow]


class Scorecard(BaseModel):
    """The seven figures, in the order in which they are shown."""

    region: str | None
    until: datetime
    figures: list[Figure]


class RatingIn(BaseModel):
    """What a recipient thought of a delivery."""

    model_config = ConfigDict(extra="forbid")

    stars: Annotated[int, Field(strict=True, ge=1, le=5)]
    words: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00]*$")
    ] = ""


class RatingOut(BaseModel):
    """What was kept of a rating."""

    stars: int
    at: datetime


class CostIn(BaseModel):
    """What one kind of infrastructure cost in one month; replaces the row of `version`.

    `month` is any day of the month. `version` is None for a row that is new.
    """

    model_config = ConfigDict(extra="forbid")

    month: date
    kind: CostKind
    amount: Money
    note: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=300, pattern=r"^[^\x00]*$")
    ] = ""
    version: int | None = Field(None, ge=1)


class CostRow(BaseModel):
    """A kept cost; `month` is the first of its month."""

    id: UUID
    month: date
    kind: CostKind
    amount: Money
    note: str
    version: int
    changed_by_name: str
    changed_at: datetime
