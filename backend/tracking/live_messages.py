"""The text messages of the live feed: what a viewer may say and what the hub answers."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, NamedTuple, Self

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from backend.tracking.live_table import Status

MAX_MESSAGE_BYTES = 16 * 1024
MAX_LIST = 64

StatusName = Literal["live", "stale", "offline", "off_shift"]
STATUS_NAMES: dict[StatusName, Status] = {
    "live": Status.LIVE,
    "stale": Status.STALE,
    "offline": Status.OFFLINE,
    "off_shift": Status.OFF_SHIFT,
}
SHOWN_BY_DEFAULT = (Status.LIVE, Status.STALE, Status.OFFLINE)


class CloseCode:
    """Why the server closes; 4401, 4403 and 4429 must not be answered by connecting again."""

    GOING_AWAY = 1001
    TOO_LARGE = 1009
    TRY_LATER = 1013
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    SILENT = 4408
    TOO_MANY = 4429


class BadMessage(Exception):
    """A message that the viewer can put right; `code` and the text go back to it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Bbox(NamedTuple):
    """A part of the world in degrees; west above east spans the antimeridian."""

    west: float
    south: float
    east: float
    north: float


def _bbox(corners: tuple[float, float, float, float]) -> Bbox:
    west, south, east, north = corners
    if not all(map(math.isfinite, corners)):
        raise ValueError("corners must be finite numbers")
    if max(abs(west), abs(east)) > 1080:
        raise ValueError("longitudes must lie within three turns of the globe")
    if south > north:
        raise ValueError("south lies above north")
    south, north = max(south, -90.0), min(north, 90.0)
    if east - west >= 360:
        return Bbox(-180.0, south, 180.0, north)
    west = (west + 180) % 360 - 180
    east = 180 - (180 - east) % 360
    return Bbox(west, south, east, north)


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Code = Annotated[str, Field(min_length=1, max_length=64)]
Codes = Annotated[tuple[Code, ...], BeforeValidator(_listed), Field(max_length=MAX_LIST)]


class Filters(BaseModel):
    """Which drivers a viewer wants; an empty filter lets all pass, off-shift drivers aside."""

    model_config = ConfigDict(frozen=True)

    region: Codes = ()
    hub: Codes = ()
    status: Annotated[tuple[StatusName, ...], BeforeValidator(_listed), Field(max_length=4)] = ()
    vehicle: Codes = ()
    q: Annotated[str, Field(max_length=64)] = ""

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The statuses that pass."""
        return tuple(STATUS_NAMES[name] for name in self.status) or SHOWN_BY_DEFAULT

    def but_status(self) -> Filters:
        """The same filters with the one by status left aside."""
        return self.model_copy(update={"status": ()})


class Resume(BaseModel):
    """What a viewer that connects again still shows."""

    epoch: Annotated[str, Field(max_length=64)]
    tick: Annotated[int, Field(ge=0, lt=2**32)]


class View(BaseModel):
    """The part of the map that is looked at, and how."""

    type: Literal["view"]
    seq: Annotated[int, Field(ge=0, lt=2**32)] = 0
    bbox: Annotated[tuple[float, float, float, float], AfterValidator(_bbox)]
    zoom: Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)]
    filters: Filters = Filters()
    mode: Literal["auto", "points", "cells"] = "auto"
    resume: Resume | None = None

    @property
    def box(self) -> Bbox:
        """The view's corners, longitudes within half a turn of Greenwich."""
        return Bbox(*self.bbox)

    @model_validator(mode="after")
    def trim(self) -> Self:
        """A search for blanks is no search."""
        if self.filters.q != self.filters.q.strip():
            self.filters = self.filters.model_copy(update={"q": self.filters.q.strip()})
        return self


class Ack(BaseModel):
    """A viewer has applied the frame with this `tick` and `seq` in its header."""

    type: Literal["ack"]
    tick: Annotated[int, Field(ge=0, lt=2**32)]
    seq: Annotated[int, Field(ge=0, lt=2**32)] = 0


class Ping(BaseModel):
    """A viewer is there."""

    type: Literal["ping"]


ClientMessage = View | Ack | Ping
_message: TypeAdapter[ClientMessage] = TypeAdapter(
    Annotated[ClientMessage, Field(discriminator="type")]
)


def parse(text: str | bytes) -> ClientMessage:
    """The message in a text frame; BadMessage says what is wrong with it."""
    try:
        return _message.validate_python(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise BadMessage("bad_message", "This is not JSON.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        code = "bad_view" if place.startswith("view") else "bad_message"
        raise BadMessage(code, f"{place or 'message'}: {first['msg']}") from error


def dump(type_: str, **fields: Any) -> str:
    """A message to a viewer as text."""
    return orjson.dumps({"type": type_, **fields}).decode()
