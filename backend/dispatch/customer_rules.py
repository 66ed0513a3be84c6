"""What an order's customer is told, and when they may see their driver: pure decisions."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from backend.dispatch.doorstep_rules import FailReason, Proof
from backend.dispatch.rules import OrderState

S = OrderState
Tone = Literal["info", "good", "warning", "critical", "off"]
Mark = Literal["done", "now", "ahead", "failed"]

NEAR_M = 3000.0
CARRIED = frozenset({S.PICKED_UP, S.IN_TRANSIT, S.ARRIVED})
"""The driver is on the way to the customer with the parcel."""
_GRID_DEGREES = 0.005
AREA_RADIUS_M = 400

HEADLINES: dict[OrderState, tuple[str, str | None, Tone]] = {
    S.CREATED: ("We have your order", "The sender is getting it ready.", "info"),
    S.READY: ("We have your order", "A driver is being found to collect it.", "info"),
    S.ASSIGNED: ("We have your order", "A driver is being found to collect it.", "info"),
    S.ACCEPTED: ("A driver goes to collect it", None, "info"),
    S.AT_PICKUP: ("Your parcel is being collected", None, "info"),
    S.PICKED_UP: ("The driver has your parcel", None, "info"),
    S.IN_TRANSIT: ("Your parcel is on its way", None, "info"),
    S.ARRIVED: ("The driver is here", "Have your code at hand, if you were sent one.", "good"),
    S.DELIVERED: ("Delivered", None, "good"),
    S.FAILED: ("It could not be delivered", None, "warning"),
    S.RETURNING: ("It goes back to the sender", None, "warning"),
    S.RETURNED: ("It is back with the sender", None, "off"),
    S.CANCELLED: ("This order was cancelled", None, "off"),
    S.ON_HOLD: ("Your parcel is waiting", "It goes on as soon as it can.", "warning"),
}
_FAILURES = {
    FailReason.NOBODY_THERE: "Nobody was there to take it.",
    FailReason.NOT_REACHABLE: "Nobody could be reached.",
    FailReason.REFUSED: "It was not accepted.",
    FailReason.WRONG_ADDRESS: "The address could not be found.",
    FailReason.CANNOT_PAY: "It could not be paid for.",
    FailReason.ACCESS_DENIED: "The driver was not let in.",
}
_PROOFS = {
    Proof.OTP: "Confirmed with the one-time code",
    Proof.PHOTO_SIGNATURE: "Confirmed with a photo and a signature",
    Proof.OVERRIDE: "Confirmed by our support",
}

_WAY = (
    ("ordered", "Order received", "order.created"),
    ("collected", "Collected from the sender", "order.picked_up"),
    ("on_the_way", "On its way", "order.in_transit"),
    ("arrived", "At your door", "order.arrived"),
    ("delivered", "Delivered", "order.delivered"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way as it is shown."""

    key: str
    label: str
    at: datetime | None
    mark: Mark


def steps_of(state: OrderState, reached: Mapping[str, datetime]) -> list[Step]:
    """The way of an order; `reached` tells when each type of event happened last.

    What an order that failed or was cancelled did not reach is left out, and how it ended is said.
    """
    gone = [Step(key, label, reached[kind], "done") for key, label, kind in _WAY if kind in reached]
    if state is S.CANCELLED:
        return [*gone, Step("cancelled", "Cancelled", reached.get("order.cancelled"), "failed")]
    if state in (S.FAILED, S.RETURNING, S.RETURNED):
        back_at = reached.get("order.returned")
        mark: Mark = "now" if state is S.RETURNING else "done" if back_at else "ahead"
        return [
            *gone,
            Step("failed", "Not delivered", reached.get("order.failed"), "failed"),
            Step("returned", "Back to the sender", back_at, mark),
        ]
    if state is not S.DELIVERED and gone:
        last = gone[-1]
        gone[-1] = Step(last.key, last.label, last.at, "now")
    passed = {step.key for step in gone}
    return [
        *gone,
        *(Step(key, label, None, "ahead") for key, label, _ in _WAY if key not in passed),
    ]


def shows_position(state: OrderState, distance_m: float, *, next_stop: bool) -> bool:
    """Whether the customer may see the driver: on the way to them and near, or to them next."""
    return state in CARRIED and (next_stop or distance_m < NEAR_M)


def failure_words(reason: str | None) -> str | None:
    """What a customer is told of a failed delivery; None for what is not theirs to read."""
    return _FAILURES.get(FailReason(reason)) if reason in set(FailReason) else None


def proof_words(proof: str | None) -> str | None:
    """How the delivery was confirmed."""
    return _PROOFS.get(Proof(proof)) if proof in set(Proof) else None


def area_around(lat: float, lon: float) -> tuple[float, float]:
    """The middle of the square of about half a kilometre that a point lies in, in degrees."""
    return tuple(  # type: ignore[return-value]
        round((value // _GRID_DEGREES + 0.5) * _GRID_DEGREES, 4) for value in (lat, lon)
    )


def first_name(name: str) -> str:
    """The first word of a name."""
    return name.split(maxsplit=1)[0] if name.split() else ""


def new_token() -> str:
    """A fresh token of 256 bits for a customer's link."""
    return secrets.token_urlsafe(32)
