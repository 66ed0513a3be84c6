"""What is known of drivers beyond their position: capacity, load, shifts, documents, figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from backend.dispatch.schemas import NO_NUL, Tag
from backend.tracking.schemas import DriverOut, Freshness, Vehicle

__all__ = [
    "Capacity",
    "CapacityIn",
    "DocumentIn",
    "DocumentKind",
    "DocumentOut",
    "Load",
    "Performance",
    "PlannedShift",
    "RosterFilter",
    "RosterPage",
    "RosterRow",
    "ShiftPlan",
]

DocumentKind = Literal["licence", "insurance", "permit"]
DocumentState = Literal["valid", "expiring", "expired"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class RosterFilter:
    """Which drivers to show; an empty field asks nothing."""

    region: str | None = None
    vehicle: Vehicle | None = None
    status: Freshness | None = None
    q: str | None = None


class Load(BaseModel):
    """What a driver has of orders now."""

    orders: int = 0
    weight_g: int = 0
    volume_cm3: int = 0


class CapacityIn(_In):
    """What a driver can carry at once, and may be sent to do."""

    most_orders: Annotated[int, Field(ge=1, le=500)]
    most_weight_g: Annotated[int, Field(ge=1, le=50_000_000)]
    most_volume_cm3: Annotated[int, Field(ge=1, le=200_000_000)]
    skills: Annotated[list[Tag], Field(max_length=20)] = []


class Capacity(BaseModel):
    """The same as it holds; `usual` where it is only the vehicle's."""

    most_orders: int
    most_weight_g: int
    most_volume_cm3: int
    skills: list[str]
    usual: bool


class ShiftPlan(_In):
    """A shift to plan."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime


class PlannedShift(BaseModel):
    """A shift as planned, and when it was really begun and ended."""

    id: UUID
    driver_id: UUID
    region: str
    starts_at: datetime
    ends_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    cancelled_at: datetime | None


class DocumentIn(_In):
    """A document that somebody has looked at."""

    kind: DocumentKind
    number: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=NO_NUL)
    ]
    expires_on: date | None = None


class DocumentOut(BaseModel):
    """A document with its end; the number is masked."""

    id: UUID
    kind: DocumentKind
    number: str
    expires_on: date | None
    state: DocumentState
    checked_by: str
    checked_at: datetime


class RosterRow(BaseModel):
    """A driver with what they carry, can carry, and until when they work."""

    driver: DriverOut
    load: Load
    capacity: Capacity
    shift: PlannedShift | None
    documents: list[DocumentOut]


class RosterPage(BaseModel):
    """A page of the roster."""

    items: list[RosterRow]
    next_cursor: str | None


class Performance(BaseModel):
    """How a driver did over the last days; a share is None where there is nothing to divide."""

    driver_id: UUID
    days: int
    delivered: int
    failed: int
    returned: int
    on_time: int
    on_time_share: float | None
    offers_taken: int
    offers_refused: int
    offers_missed: int
    minutes_per_stop: float | None
    by_day: list[DayFigures]


class DayFigures(BaseModel):
    """One day of it, in the time zone of the driver's city."""

    day: date
    delivered: int
    failed: int
    on_time: int
