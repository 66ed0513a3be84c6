"""What enters and leaves tracking."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from backend.tracking.rules import Code, Status

Vehicle = Literal["bike", "van", "truck"]
Freshness = Literal["live", "stale", "offline", "off_shift"]

MAX_FIXES = 1000

Finite = Annotated[float, Field(allow_inf_nan=False)]


def _turn(bearing: float) -> float:
    return bearing % 360


class FixIn(BaseModel):
    """A position in the native format: degrees, metres, m/s, degrees from north, battery 0..1."""

    model_config = ConfigDict(extra="ignore")

    recorded_at: AwareDatetime
    lat: float
    lon: float
    speed: Annotated[Finite, Field(ge=0, le=1000)] | None = None
    bearing: Annotated[Finite, Field(ge=-360, le=720), AfterValidator(_turn)] | None = None
    altitude: Annotated[Finite, Field(ge=-1000, le=20_000)] | None = None
    accuracy: Annotated[Finite, Field(ge=0, le=1_000_000)] | None = None
    battery: Annotated[Finite, Field(ge=0, le=1)] | None = None
    seq: Annotated[int, Field(ge=0, le=2**53)] | None = None
    driver_id: UUID | None = None


class FixResult(BaseModel):
    """What became of one fix of a batch."""

    index: int
    status: Status
    code: Code | None = None
    detail: str | None = None


class BatchResult(BaseModel):
    """One result for each fix, in the order sent."""

    results: list[FixResult]


def _of_this_age(at: datetime) -> datetime:
    if not 2000 <= at.year < 2200:
        raise ValueError("the year is not between 2000 and 2200")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_of_this_age)]

# PostgreSQL's text holds any character but this one.
_NO_NUL = r"^[^\x00]*$"
Search = Annotated[str, Field(max_length=100, pattern=_NO_NUL)]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=_NO_NUL)]
Phone = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Plate = Annotated[str, Field(min_length=1, max_length=32, pattern=_NO_NUL)]
RegionCode = Annotated[str, Field(min_length=2, max_length=64, pattern=_NO_NUL)]


class DriverIn(BaseModel):
    """A driver to add to the roster."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    code: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,31}$")] | None = None
    name: Name
    phone: Phone | None = None
    plate: Plate | None = None
    vehicle: Vehicle
    region: RegionCode
    hub: RegionCode | None = None
    on_shift: bool = True


class DriverChange(BaseModel):
    """What is to change of a driver; what is left out stays, null takes a detail away."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Name | None = None
    phone: Phone | None = None
    plate: Plate | None = None
    vehicle: Vehicle | None = None
    region: RegionCode | None = None
    hub: RegionCode | None = None

    @model_validator(mode="after")
    def keep_what_every_driver_has(self) -> Self:
        """Refuse to take away the name, the vehicle or the city."""
        for name in ("name", "vehicle", "region"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be taken away")
        return self


class PositionOut(BaseModel):
    """Where a driver was seen last."""

    lat: float
    lon: float
    recorded_at: datetime
    speed: float | None
    bearing: float | None
    accuracy: float | None
    battery: float | None


class DriverOut(BaseModel):
    """A driver with status and newest position; the phone number is masked."""

    id: UUID
    code: str
    name: str
    phone: str | None
    plate: str | None
    vehicle: Vehicle
    region: str
    hub: str | None
    status: Freshness
    position: PositionOut | None


class DriverName(BaseModel):
    """What a driver is called."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class DriverContact:
    """Where a message to a driver goes; for those who write to people, never to be shown."""

    id: UUID
    name: str
    phone: str | None
    city: str
    place: str


class DriverPage(BaseModel):
    """A page of drivers."""

    items: list[DriverOut]
    next_cursor: str | None


class TrackFix(BaseModel):
    """One fix of a driver's history."""

    recorded_at: datetime
    lat: float
    lon: float
    speed: float | None
    bearing: float | None
    accuracy: float | None
    flagged: bool


class Track(BaseModel):
    """A stretch of a driver's history, oldest first."""

    driver_id: UUID
    fixes: list[TrackFix]
    next_cursor: str | None


class DeviceToken(BaseModel):
    """A new token of a driver's phone; shown this once."""

    driver_id: UUID
    token: str
    expires_at: datetime


class ShiftIn(BaseModel):
    """A driver going on or off shift."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["on", "off"]


class Shift(BaseModel):
    """Whether the driver is on shift now."""

    driver_id: UUID
    state: Literal["on", "off"]


class Refusals(BaseModel):
    """How many fixes were refused or flagged in one hour, by region, doorway and code."""

    hour: datetime
    region: str
    doorway: str
    code: str
    count: int


class PlaybackPlace(BaseModel):
    """Where one driver was at a moment."""

    driver_id: UUID
    code: str
    vehicle: Vehicle
    lat: float
    lon: float
    bearing: float | None
    speed: float | None
    recorded_at: datetime


class Playback(BaseModel):
    """Who of a region was where at a moment."""

    at: datetime
    region: str
    places: list[PlaybackPlace]
