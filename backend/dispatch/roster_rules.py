"""What drivers can carry, and whether one of them can take an order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

SHIFT_MARGIN = timedelta(minutes=30)
"""A shift that ends sooner is too short for one more order."""
EXPIRING_WITHIN = timedelta(days=30)


class Room(NamedTuple):
    """A number of orders, grams and cubic centimetres: a capacity, a load or one order."""

    orders: int
    weight_g: int
    volume_cm3: int


USUAL = {
    "bike": Room(6, 30_000, 150_000),
    "van": Room(40, 900_000, 7_000_000),
    "truck": Room(80, 5_000_000, 25_000_000),
}
"""What a vehicle holds where nothing is said of its driver."""
LARGEST = "truck"


class Unfit(StrEnum):
    """Why a driver cannot take an order."""

    OTHER_CITY = "other_city"
    OFF_SHIFT = "off_shift"
    VEHICLE = "vehicle"
    TOO_LARGE = "too_large"
    SKILLS = "skills"
    FULL = "full"
    SHIFT_ENDS = "shift_ends"


SOFT = frozenset({Unfit.FULL, Unfit.SHIFT_ENDS})
"""What somebody who gives a reason may override."""


@dataclass(frozen=True, slots=True)
class Ability:
    """A driver as far as taking orders goes; `load` counts what they have already."""

    city: str
    vehicle: str
    on_shift: bool
    capacity: Room
    load: Room
    skills: Collection[str]
    shift_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What an order asks of a driver."""

    city: str
    weight_g: int
    volume_cm3: int
    vehicle: str | None
    skills: Collection[str]


def unfit(driver: Ability, order: Demand, now: datetime) -> list[Unfit]:
    """Everything that speaks against the driver, the hard reasons first; empty for a fit one."""
    most = driver.capacity
    found = {
        Unfit.OTHER_CITY: driver.city != order.city,
        Unfit.OFF_SHIFT: not driver.on_shift,
        Unfit.VEHICLE: order.vehicle not in (None, driver.vehicle),
        Unfit.TOO_LARGE: order.weight_g > most.weight_g or order.volume_cm3 > most.volume_cm3,
        Unfit.SKILLS: not set(order.skills) <= set(driver.skills),
        Unfit.FULL: driver.load.orders + 1 > most.orders
        or driver.load.weight_g + order.weight_g > most.weight_g
        or driver.load.volume_cm3 + order.volume_cm3 > most.volume_cm3,
        Unfit.SHIFT_ENDS: driver.shift_ends is not None and driver.shift_ends < now + SHIFT_MARGIN,
    }
    return [reason for reason, holds in found.items() if holds]


def document_state(expires_on: date | None, today: date) -> Literal["valid", "expiring", "expired"]:
    """How a document stands on a day; it still holds on its last one."""
    if expires_on is None or expires_on >= today + EXPIRING_WITHIN:
        return "valid"
    return "expired" if expires_on < today else "expiring"


LONGEST_SHIFT = timedelta(hours=16)
FARTHEST_SHIFT = timedelta(days=60)
UNPLANNED_SHIFT = timedelta(hours=10)
"""How long a shift that nobody planned is taken to last."""


class ShiftFault(NamedTuple):
    """What is wrong with a shift that is to be planned."""

    field: str
    code: str
    detail: str


def shift_faults(starts_at: datetime, ends_at: datetime, now: datetime) -> list[ShiftFault]:
    """Everything wrong with it; a shift that has begun already may still be planned."""
    if ends_at <= starts_at:
        return [ShiftFault("ends_at", "reversed", "The shift ends before it begins.")]
    if ends_at <= now:
        return [ShiftFault("ends_at", "in_past", "The shift is over already.")]
    if ends_at - starts_at > LONGEST_SHIFT:
        detail = f"A shift lasts at most {LONGEST_SHIFT // timedelta(hours=1)} hours."
        return [ShiftFault("ends_at", "too_long", detail)]
    if starts_at > now + FARTHEST_SHIFT:
        detail = f"Shifts are planned up to {FARTHEST_SHIFT.days} days ahead."
        return [ShiftFault("starts_at", "too_far_ahead", detail)]
    return []
