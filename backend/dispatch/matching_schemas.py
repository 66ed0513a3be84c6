"""What enters and leaves matching: city switches, offers, decisions, routes and ETAs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=300)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Kind = Literal["pickup", "drop"]


class OfferState(StrEnum):
    """What became of an offer; all but `open` are final."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    TAKEN_BACK = "taken_back"


class Objection(StrEnum):
    """What speaks against offering an order to a driver."""

    OFF_SHIFT = "off_shift"
    NOT_HEARD = "not_heard"
    VEHICLE = "vehicle"
    SKILLS = "skills"
    ORDERS_FULL = "orders_full"
    WEIGHT_FULL = "weight_full"
    VOLUME_FULL = "volume_full"
    SHIFT_ENDS = "shift_ends"
    COOLING_DOWN = "cooling_down"
    OFFERED_ENOUGH = "offered_enough"
    OUT_OF_REACH = "out_of_reach"


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CitySwitchIn(_In):
    """A city's automatic matching, on or off, with the reason that the audit trail keeps."""

    automatic: bool
    reason: Reason


class CitySwitch(BaseModel):
    """Whether a city matches by itself; the last three are None where nobody ever switched."""

    code: str
    name: str
    automatic: bool
    reason: str | None = None
    changed_by_name: str | None = None
    changed_at: datetime | None = None


class Costs(BaseModel):
    """The parts of a candidate's cost, in seconds of travel each; `total` is their sum."""

    travel: float
    lateness: float
    fairness: float
    battery: float
    total: float


class Candidate(BaseModel):
    """A driver considered for an order; `unfit` is empty for one who can take it.

    Distances and times are to the pickup. An unfit one beyond reach has no costs.
    """

    driver_id: UUID
    code: str
    vehicle: str
    orders: int = Field(description="Orders with the driver or offered to them.")
    most_orders: int
    distance_m: int
    travel_s: int
    costs: Costs
    unfit: list[Objection] = []


class RankedDriver(Candidate):
    """A candidate as a dispatcher sees one: named, placed, and how fresh the position is."""

    name: str
    lat: float
    lon: float
    status: Literal["live", "stale", "offline", "off_shift"]
    battery: float | None


class Decision(BaseModel):
    """Who was considered for an order at a moment, and who was chosen.

    `candidates` holds the best few by cost, then some of the nearest who could not take it;
    `unfit` counts everyone excluded by reason.
    """

    id: UUID
    order_id: UUID
    city: str
    at: datetime
    made_by: str
    chosen: UUID | None
    considered: int
    candidates: list[Candidate]
    unfit: dict[str, int]


class PlaceOut(BaseModel):
    """An address and its point."""

    address: str
    lat: float
    lon: float


class OfferOut(BaseModel):
    """An order offered to a driver, until `expires_at`; names and phones come with acceptance."""

    id: UUID
    order_id: UUID
    number: str
    service: str
    driver_id: UUID
    round: int
    state: OfferState
    offered_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    reason: str | None
    pickup: PlaceOut
    drop: PlaceOut
    promised_at: datetime
    weight_g: int
    volume_cm3: int


class OfferRejection(_In):
    """Why a driver does not take an order."""

    reason: Reason


class CityFigures(BaseModel):
    """How matching does in one city; the median is of the last hour, None where none was made.

    `median_offer_s` is from the moment that an order could be matched to its first offer.
    """

    code: str
    name: str
    automatic: bool
    queue: int
    open_offers: int
    offers_last_hour: int
    accepted_last_hour: int
    median_offer_s: float | None
    unmatched: int
    last_run_at: datetime | None


class MatchingFigures(BaseModel):
    """Matching in the caller's part of a region."""

    every_s: float
    offer_s: int
    queue: int
    open_offers: int
    median_offer_s: float | None
    cities: list[CityFigures]


class RunIn(_In):
    """The city to match now."""

    city: Code


class RunResult(BaseModel):
    """What one matching of a city did; `busy` where another process was at it."""

    city: str
    busy: bool = False
    orders: int = 0
    drivers: int = 0
    offers: int = 0
    unmatched: int = 0
    took_ms: int = 0


class StopOut(BaseModel):
    """A planned stop; `line` is the way driven to it as [lon, lat] pairs.

    `late_s` is how long after `due_at` the driver arrives, 0 when in time.
    """

    seq: int
    order_id: UUID
    number: str
    kind: Kind
    address: str
    lat: float
    lon: float
    arrive_at: datetime
    leave_at: datetime
    due_at: datetime | None
    late_s: int
    pinned: bool
    line: list[tuple[float, float]]


class RouteOut(BaseModel):
    """A driver's tour in force; `version` guards edits."""

    id: UUID
    driver_id: UUID
    driver_code: str
    driver_name: str
    vehicle: str
    region: str
    version: int
    made_by: str
    made_at: datetime
    distance_m: int
    duration_s: int
    late_s: int
    stops: list[StopOut]


class StopWish(_In):
    """A stop at its new place in the tour; a pinned one stays there in later planning."""

    order_id: UUID
    kind: Kind
    pinned: bool = False


class RouteEdit(_In):
    """The whole tour in its new order, made looking at version `seen_version`."""

    seen_version: int
    stops: Annotated[list[StopWish], Field(min_length=1, max_length=400)]


class PlanIn(_In):
    """The region whose tours are to be planned anew."""

    region: Code


class PlanResult(BaseModel):
    """What planning a region did; times are sums over its tours before and after."""

    region: str
    routes: int
    changed: int
    duration_before_s: int
    duration_after_s: int
    late_before_s: int
    late_after_s: int
    took_ms: int


class RedispatchIn(_In):
    """The area whose drivers are to lose the orders that they have not picked up.

    `polygon` is a ring of [lon, lat] pairs; the whole region without.
    """

    region: Code
    reason: Reason
    polygon: Annotated[list[tuple[float, float]], Field(min_length=3, max_length=500)] | None = None


class RedispatchResult(BaseModel):
    """The numbers of the orders that were taken back and are matched anew."""

    region: str
    taken_back: list[str]


class EtaAccuracy(BaseModel):
    """How far ETAs of the last days were off in one city, by when they were given.

    `horizon` is the order's state when the ETA was given; `bias_s` is positive where orders came
    later than told; `inside` is the share that came within the interval, 0.8 being wanted.
    """

    city: str
    horizon: str
    n: int
    mean_abs_error_s: float
    bias_s: float
    inside: float
