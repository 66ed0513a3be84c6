"""What is read of incidents that are over, and what to do in the next one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from backend.incidents.rules import Severity
from backend.incidents.schemas import Exclusion


class Review(BaseModel):
    """A review in Markdown; `draft` as long as nobody saved one."""

    incident_id: UUID
    number: str
    text: str
    draft: bool
    saved_by: str | None
    saved_at: datetime | None


class Stretch(BaseModel):
    """How long something took over several incidents, in seconds; None without any."""

    n: int
    mean_s: float | None
    median_s: float | None
    p90_s: float | None


class ClockFigures(BaseModel):
    """The clocks of the incidents whose impact started in a span; the left out are counted."""

    since: datetime
    until: datetime
    detect: Stretch
    acknowledge: Stretch
    mitigate: Stretch
    resolve: Stretch
    reopen_rate: float | None
    excluded: dict[Exclusion, int]
    by_severity: dict[Severity, int]


class Runbook(BaseModel):
    """What to do when a service fails, in Markdown."""

    service: str
    title: str
    text: str
