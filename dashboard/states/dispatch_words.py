"""How the dispatcher's board words loads, needs, windows and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from backend.dispatch.matching_schemas import Candidate
from backend.dispatch.schemas import OrderOut

_ADDRESS_AT_MOST = 80
_UNFIT = {
    "off_shift": "off shift",
    "not_heard": "not heard of lately",
    "vehicle": "another vehicle",
    "skills": "lacks a skill",
    "orders_full": "full",
    "weight_full": "no room for the weight",
    "volume_full": "no room for the volume",
    "shift_ends": "shift ends too soon",
    "cooling_down": "refused it lately",
    "offered_enough": "has offers enough",
    "out_of_reach": "out of reach",
}
_MATCHING_ONLY = frozenset({"cooling_down", "offered_enough", "out_of_reach"})
"""What keeps matching from asking a driver, and a dispatcher from nothing."""
DONE = {
    "assign": "assigned",
    "reassign": "reassigned",
    "unassign": "taken back",
    "hold": "put on hold",
    "release": "released",
    "cancel": "cancelled",
    "redispatch": "matched anew",
}


def cut(address: str) -> str:
    """An address short enough for a row."""
    if len(address) <= _ADDRESS_AT_MOST:
        return address
    return address[: _ADDRESS_AT_MOST - 1].rstrip() + "…"


def load_words(order: OrderOut) -> str:
    """`2 parcels, 1.8 kg`."""
    count = len(order.parcels)
    weight = sum(parcel["weight_g"] for parcel in order.parcels) / 1000
    return f"{count} {'parcel' if count == 1 else 'parcels'}, {weight:.1f} kg"


def needs_words(order: OrderOut) -> str:
    """The vehicle and skills that the order asks for; empty for any."""
    return ", ".join([*([order.vehicle] if order.vehicle else []), *order.skills])


def window_words(order: OrderOut, zone: str) -> str:
    """When parcels may be taken and brought, in the city's time; empty for any time."""
    said = []
    for end, word in (("pickup", "pick up"), ("drop", "deliver")):
        window = getattr(order, end)["window"]
        if window:
            opens, closes = (each.astimezone(ZoneInfo(zone)) for each in window)
            said.append(f"{word} {opens:%H:%M} to {closes:%H:%M}")
    return ", ".join(said)


def unfit_words(candidate: Candidate) -> str:
    """Why a driver cannot take the order; empty for one who can."""
    return _words(candidate, [reason.value for reason in candidate.unfit])


def hindrances(candidate: Candidate) -> tuple[str, str]:
    """Why a dispatcher cannot give the driver the order, and what else they may want to know."""
    reasons = [reason.value for reason in candidate.unfit]
    hard = [reason for reason in reasons if reason not in _MATCHING_ONLY]
    soft = [reason for reason in reasons if reason in _MATCHING_ONLY]
    return _words(candidate, hard), _words(candidate, soft)


def _words(candidate: Candidate, reasons: Sequence[str]) -> str:
    words = [_UNFIT[reason] for reason in reasons]
    if words == ["full"]:
        return f"full, {candidate.orders} of {candidate.most_orders}"
    return ", ".join(words)
