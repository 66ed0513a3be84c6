"""What an order's customer is told of, and when they may see their driver: pure decisions."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from backend.dispatch.rules import OrderState

S = OrderState
Tone = Literal["info", "good", "warning", "critical", "off"]
Mark = Literal["done", "now", "ahead", "failed"]

NEAR_M = 3000.0
CARRIED = frozenset({S.PICKED_UP, S.IN_TRANSIT, S.ARRIVED})
"""The driver is on the way to the customer with the parcel."""
_GRID_DEGREES = 0.005
AREA_RADIUS_M = 400

TONES: dict[OrderState, Tone] = {
    **dict.fromkeys(S, "info"),
    S.ARRIVED: "good",
    S.DELIVERED: "good",
    S.FAILED: "warning",
    S.RETURNING: "warning",
    S.ON_HOLD: "warning",
    S.RETURNED: "off",
    S.CANCELLED: "off",
}
"""How good the news is that a state means to the customer."""

_WAY = (
    ("ordered", "order.created"),
    ("collected", "order.picked_up"),
    ("on_the_way", "order.in_transit"),
    ("arrived", "order.arrived"),
    ("delivered", "order.delivered"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way as it is shown."""

    key: str
    at: datetime | None
    mark: Mark


def steps_of(state: OrderState, reached: Mapping[str, datetime]) -> list[Step]:
    """The way of an order; `reached` tells when each type of event happened last.

    What an order that failed or was cancelled did not reach is left out, and how it ended is said.
    """
    gone = [Step(key, reached[kind], "done") for key, kind in _WAY if kind in reached]
    if state is S.CANCELLED:
        return [*gone, Step("cancelled", reached.get("order.cancelled"), "failed")]
    if state in (S.FAILED, S.RETURNING, S.RETURNED):
        back_at = reached.get("order.returned")
        mark: Mark = "now" if state is S.RETURNING else "done" if back_at else "ahead"
        return [
            *gone,
            Step("failed", reached.get("order.failed"), "failed"),
            Step("returned", back_at, mark),
        ]
    if state is not S.DELIVERED and gone:
        last = gone[-1]
        gone[-1] = Step(last.key, last.at, "now")
    passed = {step.key for step in gone}
    return [
        *gone,
        *(Step(key, None, "ahead") for key, _ in _WAY if key not in passed),
    ]


def shows_position(state: OrderState, distance_m: float, *, next_stop: bool) -> bool:
    """Whether the customer may see the driver: on the way to them and near, or to them next."""
    return state in CARRIED and (next_stop or distance_m < NEAR_M)


def area_around(lat: float, lon: float) -> tuple[float, float]:
    """The middle of the square of about half a kilometre that a point lies in, in degrees."""
    return tuple(  # type: ignore[return-value]
        round((value // _GRID_DEGREES + 0.5) * _GRID_DEGREES, 4) for value in (lat, lon)
    )


def first_name(name: str) -> str:
    """The part of a name that a customer is shown: its first word, empty for none."""
    return name.split(maxsplit=1)[0] if name.split() else ""


def leads_until(
    ended_at: datetime | None,
    promised_at: datetime,
    renewed_at: datetime | None,
    *,
    after_end: timedelta,
    unfinished: timedelta,
) -> datetime:
    """When a customer's link is over: so long after the order ended.

    An order that has not ended counts from its promise, or from its link's renewal if that is
    later, so that no link stands open for ever.
    """
    if ended_at is not None:
        return ended_at + after_end
    return max(promised_at, renewed_at or promised_at) + unfinished


def new_token() -> str:
    """A fresh token of 256 bits for a customer's link."""
    return secrets.token_urlsafe(32)
