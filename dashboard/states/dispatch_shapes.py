"""What the dispatcher's board is sent: the shapes of its rows, times in milliseconds."""

from __future__ import annotations

from typing import TypedDict


class OrderLine(TypedDict):
    """One order of the queue; `due`, `risk` and `eta` are moments in milliseconds."""

    id: str
    number: str
    version: int
    state: str
    pickup: str
    drop: str
    due: int
    risk: int
    service: str
    load: str
    pay: str
    needs: str
    window: str
    note: str
    driver: str
    driver_code: str
    offer_code: str
    offer_until: int
    start: list[float]
    end: list[float]


class DriverLine(TypedDict):
    """One driver; `metres` and `seconds` are to the order's pickup, -1 where there is no order."""

    id: str
    code: str
    name: str
    vehicle: str
    load: int
    room: int
    ends: int
    lat: float
    lon: float
    metres: int
    seconds: int
    unfit: str
    note: str


class Stop(TypedDict):
    """One stop of a tour."""

    order: str
    number: str
    kind: str
    arrive: int
    leave: int
    due: int
    late: int
    pinned: bool


class Plan(TypedDict):
    """A driver's tour."""

    driver: str
    code: str
    name: str
    version: int
    stops: list[Stop]


class Tour(TypedDict):
    """The way a driver is to go, as [lon, lat] pairs."""

    driver: str
    line: list[list[float]]


class Plans(TypedDict):
    """The tours of a region: those shown, and figures of them all."""

    rows: list[Plan]
    total: int
    stops: int
    metres: int
    tight: int
    late: int


class City(TypedDict):
    """A city's switch."""

    code: str
    name: str
    on: bool
    by: str
    reason: str
    at: int
    queue: int


class Matching(TypedDict):
    """How matching does; `median_s` is -1 where nothing was offered in the last hour."""

    every_s: float
    median_s: float
    cities: list[City]


class Weighed(TypedDict):
    """A candidate of a decision; the parts of the cost in seconds."""

    code: str
    travel_s: int
    lateness: float
    fairness: float
    battery: float
    total: float
    unfit: str


class Why(TypedDict):
    """The newest decision on an order; `at` is 0 where there is none."""

    at: int
    chosen: str
    made_by: str
    considered: int
    candidates: list[Weighed]
    excluded: str


class Offer(TypedDict):
    """One offer of the chosen order."""

    id: str
    code: str
    state: str
    at: int
    until: int
    reason: str


class Chosen(TypedDict):
    """The order at hand, drivers for it, offers and the newest decision."""

    id: str
    number: str
    order: OrderLine | None
    drivers: list[DriverLine]
    offers: list[Offer]
    why: Why


class Gone(TypedDict):
    """What became of an order that has left the list."""

    id: str
    words: str


UNDECIDED: Why = {
    "at": 0,
    "chosen": "",
    "made_by": "",
    "considered": 0,
    "candidates": [],
    "excluded": "",
}
NOTHING_CHOSEN: Chosen = {
    "id": "",
    "number": "",
    "order": None,
    "drivers": [],
    "offers": [],
    "why": UNDECIDED,
}
NO_PLANS: Plans = {"rows": [], "total": 0, "stops": 0, "metres": 0, "tight": 0, "late": 0}
NO_TOUR: Tour = {"driver": "", "line": []}
NO_MATCHING: Matching = {"every_s": 0, "median_s": -1, "cities": []}
