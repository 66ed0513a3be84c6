"""What leaves the service level objectives: how far each is kept, and what burns."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Window = Literal["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
Alarm = Literal["page", "ticket"]


class Burn(BaseModel):
    """How fast the error budget went in one window up to now.

    `rate` is 1.0 where the budget would last for exactly the objective's whole window; None where
    nothing valid was counted.
    """

    window: Window
    rate: float | None
    valid: int
    bad: int


class SloRow(BaseModel):
    """One objective in one region; `region` is `*` for the whole company.

    `target` and `attained` are shares of 1. `budget_left` is the share of the error budget of
    `window_days` that is left: 1.0 untouched, 0.0 spent, below that overspent. `attained` and
    `budget_left` are None where nothing valid was counted. `reason` says in words what burns.
    """

    name: str
    title: str
    valid_means: str = Field(description="What is counted as valid, in words.")
    good_means: str = Field(description="What is counted as good, in words.")
    region: str
    region_name: str
    target: float
    window_days: int
    valid: int
    good: int
    attained: float | None
    budget_left: float | None
    burns: list[Burn]
    burning: Alarm | None = None
    reason: str | None = None


class BurningSlo(BaseModel):
    """An objective that burns in a region; `since` is when it was first seen to."""

    name: str
    title: str
    region: str
    region_name: str
    alarm: Alarm
    reason: str
    budget_left: float | None
    since: datetime
