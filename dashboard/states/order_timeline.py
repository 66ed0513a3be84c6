"""The timeline of an order: its history, offers and proof as sentences, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from backend.dispatch.doorstep_schemas import EvidenceOut
from backend.dispatch.matching_schemas import OfferOut
from backend.dispatch.schemas import OrderEventOut
from dashboard.states.order_words import clock_words, distance_words, span_words, state_word
from dashboard.states.paging import iso

TABS = (
    ("", "Everything"),
    ("steps", "Steps"),
    ("offers", "Offers"),
    ("proof", "Proof"),
    ("position", "Positions"),
    ("payment", "Payment"),
    ("message", "Messages"),
    ("support", "Support"),
    ("incident", "Incidents"),
    ("flag", "Flags"),
    ("people", "By people"),
)
"""What the address calls a part of the timeline, and its word."""
_TONES = {
    "order.created": "off",
    "order.ready": "off",
    "order.delivered": "good",
    "order.picked_up": "good",
    "order.failed": "critical",
    "order.cancelled": "critical",
    "order.held": "warning",
    "order.flagged": "warning",
    "order.unassigned": "warning",
    "order.returning": "warning",
}
_SENTENCES = {
    "order.created": "Created",
    "order.ready": "Ready for a driver",
    "order.assigned": "Assigned to {driver}",
    "order.accepted": "Accepted by {driver}",
    "order.reassigned": "Given from {former} to {driver}",
    "order.unassigned": "Taken from {former}",
    "order.at_pickup": "At the pickup",
    "order.picked_up": "Picked up",
    "order.in_transit": "On the way to the recipient",
    "order.arrived": "At the drop",
    "order.delivered": "Delivered",
    "order.failed": "Delivery failed",
    "order.returning": "On the way back",
    "order.returned": "Given back to the sender",
    "order.held": "Put on hold",
    "order.released": "Released from hold",
    "order.cancelled": "Cancelled",
    "order.changed": "Details changed",
    "order.flagged": "Flagged",
    "order.flag_settled": "Flag settled",
    "order.link_replaced": "Tracking link replaced",
}
_TOLD_ELSEWHERE = frozenset(
    {"driver_id", "former_driver_id", "order_id", "number", "reference", "merchant", "region",
     "offer_id", "decision_id", "event_id", "terms", "amount", "weight_g", "promised_at",
     "wallet_id", "method", "gateway"}
)  # fmt: skip
_DEVICE_APART_S = 5.0
_OFFER_WORDS = {
    "open": ("info", "no answer yet"),
    "accepted": ("good", "accepted after {after}"),
    "rejected": ("warning", "refused after {after}"),
    "expired": ("off", "no answer in {after}"),
    "withdrawn": ("off", "withdrawn"),
}


class Moment(TypedDict):
    """One line of the timeline."""

    id: str
    kind: str
    at: str
    clock: str
    tone: str
    what: str
    who: str
    why: str
    device: str
    place: str
    photo: str
    link: str
    by_people: bool


def timeline(
    history: Sequence[OrderEventOut],
    offers: Sequence[OfferOut],
    proof: Sequence[EvidenceOut],
    *,
    codes: Mapping[str, str],
    zone: str,
    now: datetime,
    photo_of: Mapping[str, str],
) -> list[Moment]:
    """Everything that happened to an order, newest first; `codes` names drivers by id."""
    found = [(step.at, _step(step, codes, zone, now)) for step in history]
    found += [(offer.offered_at, _offer(offer, codes, zone, now)) for offer in offers]
    found += [
        (each.received_at, _proof(each, zone, now, photo_of.get(str(each.id), "")))
        for each in proof
    ]
    return [moment for _, moment in sorted(found, key=lambda each: each[0], reverse=True)]


def _step(step: OrderEventOut, codes: Mapping[str, str], zone: str, now: datetime) -> Moment:
    known = {
        "driver": codes.get(str(step.data.get("driver_id")), "the driver"),
        "former": codes.get(str(step.data.get("former_driver_id")), "the driver"),
    }
    fallback = step.type.removeprefix("order.").replace("_", " ").capitalize()
    what = _SENTENCES.get(step.type, fallback).format(**known)
    return {
        "id": str(step.id),
        "kind": "steps",
        "at": iso(step.at),
        "clock": clock_words(step.at, zone, now),
        "tone": _TONES.get(step.type, "info"),
        "what": what,
        "who": step.actor_name,
        "why": ". ".join(filter(None, (step.reason, *_details(step.data)))),
        "device": _device(step, zone, now),
        "place": f"{step.lat:.5f}, {step.lon:.5f}" if step.lat and step.lon else "",
        "photo": "",
        "link": "",
        "by_people": step.actor.startswith("user:"),
    }


def _details(data: Mapping[str, Any]) -> list[str]:
    """What a step tells beyond its driver, in a few words each."""
    told = []
    for name, value in data.items():
        if name in _TOLD_ELSEWHERE or value in (None, "", [], {}):
            continue
        if name == "distance_m":
            told.append(f"{distance_words(float(value))} from the place")
        elif isinstance(value, (str, int, float, bool)):
            told.append(f"{state_word(name)}: {value}")
        elif isinstance(value, list):
            told.append(f"{state_word(name)}: {', '.join(map(str, value))}")
    return told


def _device(step: OrderEventOut, zone: str, now: datetime) -> str:
    """When the phone says that it was, where the server heard of it noticeably later."""
    if step.device_at is None:
        return ""
    apart = (step.at - step.device_at).total_seconds()
    if abs(apart) < _DEVICE_APART_S:
        return ""
    when = clock_words(step.device_at, zone, now)
    return f"the phone says {when}, {span_words(apart)} {'before' if apart > 0 else 'after'}"


def _offer(offer: OfferOut, codes: Mapping[str, str], zone: str, now: datetime) -> Moment:
    tone, words = _OFFER_WORDS[offer.state]
    end = offer.answered_at or offer.expires_at
    after = span_words((end - offer.offered_at).total_seconds())
    driver = codes.get(str(offer.driver_id), "a driver")
    return {
        "id": str(offer.id),
        "kind": "offers",
        "at": iso(offer.offered_at),
        "clock": clock_words(offer.offered_at, zone, now),
        "tone": tone,
        "what": f"Offered to {driver}, {words.format(after=after)}",
        "who": "",
        "why": offer.reason or "",
        "device": "",
        "place": "",
        "photo": "",
        "link": "",
        "by_people": False,
    }


def _proof(each: EvidenceOut, zone: str, now: datetime, photo: str) -> Moment:
    far = f"{distance_words(each.distance_m)} from the place" if each.distance_m else ""
    flags = ", ".join(state_word(flag) for flag in each.flags)
    return {
        "id": str(each.id),
        "kind": "proof",
        "at": iso(each.received_at),
        "clock": clock_words(each.received_at, zone, now),
        "tone": "warning" if each.flags else "good",
        "what": f"{state_word(each.kind).capitalize()} at the {state_word(each.step)}",
        "who": "",
        "why": ", ".join(filter(None, (each.text or "", far, flags))),
        "device": "",
        "place": "" if each.lat is None else f"{each.lat:.5f}, {each.lon:.5f}",
        "photo": photo,
        "link": "",
        "by_people": each.actor.startswith("user:"),
    }
