"""How the pages say what an order is: its state, lateness, money, times and places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from backend.dispatch.schemas import OrderOut

TONES = {
    "created": "off",
    "ready": "info",
    "assigned": "info",
    "accepted": "info",
    "at_pickup": "info",
    "picked_up": "info",
    "in_transit": "info",
    "arrived": "info",
    "delivered": "good",
    "failed": "critical",
    "returning": "warning",
    "returned": "off",
    "cancelled": "off",
    "on_hold": "warning",
}
GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("waiting", "Waiting", ("created", "ready")),
    ("assigned", "Assigned", ("assigned", "accepted", "at_pickup")),
    ("on_board", "On board", ("picked_up", "in_transit", "arrived")),
    ("held", "On hold", ("on_hold",)),
    ("failed", "Failed", ("failed", "returning")),
    ("delivered", "Delivered", ("delivered",)),
    ("ended", "Ended", ("returned", "cancelled")),
)
"""The states as the list groups them: the group's name in the address, its word, its states."""
OPEN_GROUPS = ("waiting", "assigned", "on_board", "held", "failed")
TERMS = {"prepaid": "prepaid", "wallet": "wallet", "cod": "cash"}
SERVICES = {"standard": "standard", "express": "express"}
DRIVER_TONES = {"live": "good", "stale": "warning", "offline": "critical", "off_shift": "off"}
STATUS_WORDS = {"live": "live", "stale": "stale", "offline": "offline", "off_shift": "off shift"}
_UNFIT = {
    "not_heard": "not heard of",
    "vehicle": "wrong vehicle",
    "skills": "lacks a skill",
    "orders_full": "full",
    "weight_full": "too heavy",
    "volume_full": "too large",
    "shift_ends": "shift ends too soon",
    "cooling_down": "refused it before",
    "offered_enough": "has offers enough",
}
_TELLING = 10
_ENDED = ("delivered", "returned", "cancelled")


def state_word(state: str) -> str:
    """A state as a person says it."""
    return state.replace("_", " ")


def span_words(seconds: float) -> str:
    """A span of time in one or two units: `40 s`, `12 min`, `1 h 20 min`, `3 d`."""
    whole = int(abs(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} d"


def clock_words(moment: datetime, zone: str, now: datetime) -> str:
    """A moment as clock time in a zone; with the day when it is another one than today."""
    there = ZoneInfo(zone)
    local, today = moment.astimezone(there), now.astimezone(there)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b} {local:%H:%M}"


def weight_words(grams: int) -> str:
    """A weight in the unit that a person would take: `900 g`, `1.4 kg`."""
    return f"{grams} g" if grams < 1000 else f"{grams / 1000:,.1f} kg"


def lateness_words(order: OrderOut, now: datetime) -> tuple[str, str]:
    """Tone and words on whether the order keeps its promise; empty words where nobody asks."""
    if order.state in _ENDED:
        if order.state != "delivered" or order.ended_at is None:
            return "off", ""
        over = (order.ended_at - order.promised_at).total_seconds()
        return ("warning", f"{span_words(over)} late") if over > 0 else ("good", "in time")
    over = (now - order.promised_at).total_seconds()
    if over > 0:
        return "critical", f"{span_words(over)} late"
    if order.lateness in ("late", "at_risk"):
        late_by = (order.eta.at - order.promised_at).total_seconds() if order.eta else 0.0
        words = f"ETA +{span_words(late_by)}" if late_by >= 60 else "at risk"
        return "warning", words
    return "good", "in time"


def street(place: Mapping[str, Any]) -> str:
    """The beginning of an address that tells a local where it is: a bare house number is not."""
    parts = [part.strip() for part in str(place.get("address", "")).split(",")]
    told = parts[0]
    for part in parts[1:]:
        if len(told) >= _TELLING:
            break
        told = f"{told}, {part}"
    return told


def distance_words(metres: float) -> str:
    """A distance in metres or kilometres: `240 m`, `3.4 km`."""
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.1f} km"


def unfit_words(reasons: Iterable[str]) -> list[str]:
    """Why a driver cannot take an order, in words."""
    return [_UNFIT.get(reason, state_word(reason)) for reason in reasons]
