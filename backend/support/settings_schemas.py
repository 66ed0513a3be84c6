"""Calendars, targets, macros and who is on, as leads and pages read and change them."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from backend.support.rules import Kind, Priority, State, WaitingOn
from backend.support.schemas import Line, Region, Text, Word


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Shift(_In):
    """Hours of a day in local time; 00:00 as the end is midnight."""

    begins: time
    ends: time


class Holiday(_In):
    """A day without business hours."""

    on: date
    name: Line


class CalendarIn(_In):
    """Business hours of a region and what lies below it.

    `week` has the shifts of each weekday, Monday first. `seen_version` is None for a new one.
    """

    region: Region
    zone: Word
    week: Annotated[list[list[Shift]], Field(min_length=7, max_length=7)]
    holidays: Annotated[list[Holiday], Field(max_length=400)] = []
    seen_version: int | None = None


class CalendarOut(BaseModel):
    """Business hours as they are kept."""

    region: str
    zone: str
    week: list[list[Shift]]
    holidays: list[Holiday]
    version: int
    changed_by_name: str
    changed_at: datetime


class Target(_In):
    """How soon escalations of a priority are answered and solved, in minutes of business time.

    With `all_hours` the clock heeds no calendar.
    """

    priority: Priority
    first_response_min: Annotated[int, Field(ge=1, le=60 * 24 * 30)]
    resolution_min: Annotated[int, Field(ge=1, le=60 * 24 * 90)]
    all_hours: bool = False


class SlaPolicyIn(_In):
    """Targets by priority, one for each, and how the queue of a region runs itself.

    `seen_version` is 0 where the region has none of its own yet.
    """

    region: Region = "*"
    targets: Annotated[list[Target], Field(min_length=4, max_length=4)]
    round_robin: bool
    close_solved_after_h: Annotated[int, Field(ge=1, le=24 * 30)]
    late_after_min: Annotated[int, Field(ge=1, le=24 * 60)]
    seen_version: int


class SlaPolicy(BaseModel):
    """What holds in a region; `region` is where it is kept, and None where nobody has set it."""

    region: str | None
    targets: list[Target]
    round_robin: bool
    close_solved_after_h: int
    late_after_min: int
    version: int
    changed_by_name: str | None
    changed_at: datetime | None


class MacroIn(_In):
    """A text to answer with; without `id` a new one. `kind` narrows where it is offered."""

    id: UUID | None = None
    name: Line
    text: Text
    region: Region = "*"
    kind: Kind | None = None
    then: State | None = None
    waiting_on: WaitingOn | None = None
    seen_version: int | None = None


class MacroOut(BaseModel):
    """A macro as it is kept."""

    id: UUID
    name: str
    text: str
    region: str
    kind: Kind | None
    then: State | None
    waiting_on: WaitingOn | None
    version: int
    changed_by_name: str
    changed_at: datetime


class AgentOut(BaseModel):
    """Somebody who may work on escalations in a region, with how many they have unsolved."""

    person_id: str
    name: str
    available: bool
    until: datetime | None
    unsolved: int
