"""What the page of one order shows beside its timeline: facts, actions, map, parcels, decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from backend.dispatch.matching_schemas import Candidate as Considered
from backend.dispatch.matching_schemas import Decision, RouteOut
from backend.dispatch.schemas import OrderOut
from backend.payments.formats import with_code
from dashboard.states.order_words import (
    TERMS,
    TONES,
    clock_words,
    distance_words,
    lateness_words,
    span_words,
    state_word,
    unfit_words,
    weight_words,
)
from dashboard.states.paging import address, iso

_ASKS = {
    "assign": "dispatch:write",
    "reassign": "dispatch:write",
    "unassign": "dispatch:write",
    "cancel": "orders:cancel",
}
_ON_BOARD = ("picked_up", "in_transit", "arrived", "failed", "returning")
_ENDED = ("delivered", "returned", "cancelled")
ACTIONS: tuple[tuple[str, str, str], ...] = (
    ("assign", "Assign driver", "it does not wait for one"),
    ("reassign", "Assign another driver", "no driver has it"),
    ("unassign", "Take from driver", "no driver has it"),
    ("hold", "Hold", "it is held or has ended"),
    ("release", "Release", "it is not on hold"),
    ("fail", "Fail delivery", "it is not on board"),
    ("send_back", "Send back", "it has not failed"),
    ("give_back", "Give back to sender", "it is not on the way back"),
    ("cancel", "Cancel order", "it is on board or has ended"),
)
"""What can be done by hand, what the button says, and why not where it cannot be done."""


class Shown(TypedDict):
    """The order as its page tells it."""

    id: str
    number: str
    reference: str
    merchant: str
    merchant_link: str
    tone: str
    state: str
    late_tone: str
    late: str
    flagged: str
    region: str
    hub: str
    zone: str
    service: str
    tags: str
    skills: str
    created: str
    promised: str
    promised_clock: str
    eta: str
    eta_span: str
    eta_note: str
    driver: str
    driver_id: str
    driver_link: str
    pickup_name: str
    pickup_phone: str
    pickup_address: str
    pickup_window: str
    drop_name: str
    drop_phone: str
    drop_address: str
    drop_window: str
    terms: str
    amount: str
    pays: str
    parcels: str
    track_since: str
    track_until: str
    tracking_url: str
    traces_url: str


class ActionRow(TypedDict):
    """Something that may be done, or why it may not."""

    key: str
    word: str
    ok: bool
    why: str
    risk: bool


class ParcelRow(TypedDict):
    """One parcel."""

    barcode: str
    weight: str
    tone: str
    state: str


class ConsideredRow(TypedDict):
    """A driver whom a decision weighed."""

    code: str
    chosen: bool
    cost: str
    parts: str
    where: str
    unfit: str


class DecisionRow(TypedDict):
    """One decision and whom it weighed."""

    id: str
    clock: str
    what: str
    left_out: str
    considered: list[ConsideredRow]


def shown(
    order: OrderOut,
    *,
    driver: str,
    merchant: str,
    zone: str,
    city: str,
    hub: str,
    now: datetime,
    track: tuple[datetime | None, datetime | None],
    traces: str,
) -> Shown:
    """The order in words; names and phone numbers stay masked.

    `traces` is the address that finds an order's traces, with `{number}` in it, or nothing.
    """
    late_tone, late = lateness_words(order, now)
    eta, eta_span, eta_note = eta_words(order, zone, now)
    amount = order.payment.amount
    weight = sum(int(parcel["weight_g"]) for parcel in order.parcels)
    return {
        "id": str(order.id),
        "number": order.number,
        "reference": order.reference,
        "merchant": merchant,
        "merchant_link": address("/orders", {"merchant": order.merchant}),
        "tone": TONES[order.state],
        "state": state_word(order.state),
        "late_tone": late_tone,
        "late": late,
        "flagged": order.flagged or "",
        "region": city,
        "hub": hub,
        "zone": zone,
        "service": order.service,
        "tags": ", ".join(order.tags),
        "skills": ", ".join(order.skills),
        "created": iso(order.created_at),
        "promised": iso(order.promised_at),
        "promised_clock": clock_words(order.promised_at, zone, now),
        "eta": eta,
        "eta_span": eta_span,
        "eta_note": eta_note,
        "driver": driver,
        "driver_id": str(order.driver_id or ""),
        "driver_link": f"/drivers/{order.driver_id}" if order.driver_id else "",
        "pickup_name": str(order.pickup["name"]),
        "pickup_phone": str(order.pickup["phone"] or ""),
        "pickup_address": str(order.pickup["address"]),
        "pickup_window": _window(order.pickup.get("window"), zone, now),
        "drop_name": str(order.drop["name"]),
        "drop_phone": str(order.drop["phone"] or ""),
        "drop_address": str(order.drop["address"]),
        "drop_window": _window(order.drop.get("window"), zone, now),
        "terms": TERMS[order.payment.terms],
        "amount": with_code(amount.minor, amount.currency),
        "pays": _pays(order),
        "parcels": f"{len(order.parcels)}, {weight_words(weight)}",
        "track_since": iso(track[0]),
        "track_until": iso(track[1]),
        "tracking_url": order.tracking_url or "",
        "traces_url": traces.replace("{number}", order.number),
    }  # fmt: skip


def eta_words(order: OrderOut, zone: str, now: datetime) -> tuple[str, str, str]:
    """When the order is expected, the span of that, and how sure it is."""
    if order.state in _ENDED:
        return "", "", ""
    if order.eta is None:
        waits = order.driver_id is None
        return "", "", "not known while no driver has it" if waits else "not known yet"
    eta = order.eta
    spread = (eta.high - eta.low).total_seconds()
    passed = " It has passed without word of the delivery." if eta.high < now else ""
    return (
        clock_words(eta.at, zone, now),
        f"{clock_words(eta.low, zone, now)} to {clock_words(eta.high, zone, now)}",
        f"Four of five come within {span_words(spread)}.{passed}",
    )


def _window(window: Sequence[datetime] | None, zone: str, now: datetime) -> str:
    if not window:
        return "any time"
    return f"{clock_words(window[0], zone, now)} to {clock_words(window[1], zone, now)}"


def _pays(order: OrderOut) -> str:
    """Who pays when, and through what."""
    how = {
        "prepaid": "paid to the marketplace",
        "wallet": "from the customer's wallet",
        "cod": "to be collected at the door",
    }[order.payment.terms]
    return ", ".join(filter(None, (how, order.payment.method, order.payment.gateway)))


def action_rows(state: str, possible: frozenset[str], permitted: frozenset[str]) -> list[ActionRow]:
    """All manual actions, those that cannot be done with why; none for whoever may only look."""
    if not permitted & {"orders:write", "orders:cancel", "dispatch:write"}:
        return []
    rows: list[ActionRow] = []
    # Giving to a driver and giving to another one are never both possible: one stands for both.
    spare = "reassign" if "assign" in possible else "assign"
    for key, word, usual in ACTIONS:
        if key == spare:
            continue
        asks = _ASKS.get(key, "orders:write")
        on_board = key in ("reassign", "unassign") and state in _ON_BOARD
        lacks = "" if asks in permitted else f"your roles lack {asks}"
        why_not = lacks or ("the parcels are on board" if on_board else usual)
        ok = key in possible and not lacks
        rows.append(
            {"key": key, "word": word, "ok": ok, "why": "" if ok else why_not,
             "risk": key == "cancel"}
        )  # fmt: skip
    return rows


def parcel_rows(order: OrderOut) -> list[ParcelRow]:
    """The parcels and how far each has come."""
    rows: list[ParcelRow] = []
    for parcel in order.parcels:
        delivered, taken = parcel.get("delivered_at"), parcel.get("picked_up_at")
        rows.append(
            {
                "barcode": str(parcel["barcode"]),
                "weight": weight_words(int(parcel["weight_g"])),
                "tone": "good" if delivered else "info" if taken else "off",
                "state": "delivered" if delivered else "scanned" if taken else "not scanned",
            }
        )
    return rows


def map_stops(order: OrderOut) -> list[dict[str, object]]:
    """The two ends of the order for the map."""
    taken = order.state not in ("created", "ready", "assigned", "accepted", "at_pickup")
    ends = (("pickup", order.pickup, taken), ("drop", order.drop, order.state == "delivered"))
    return [
        {
            "kind": kind,
            "lat": place["lat"],
            "lon": place["lon"],
            "label": f"{kind}: {place['address']}",
            "mark": kind[0].upper(),
            "done": done,
        }
        for kind, place, done in ends
    ]


def planned_lines(order: OrderOut, route: RouteOut | None) -> list[list[list[float]]]:
    """The way that is planned to the drop; a straight line where there is no tour."""
    if order.state in _ENDED:
        return []
    stops = route.stops if route else []
    last = max((n for n, stop in enumerate(stops) if stop.order_id == order.id), default=None)
    if last is None:
        ends = (order.pickup, order.drop)
        return [[[float(end["lon"]), float(end["lat"])] for end in ends]]
    return [[[lon, lat] for lon, lat in stop.line] for stop in stops[: last + 1]]


def decision_rows(
    decisions: Sequence[Decision], codes: Mapping[str, str], zone: str, now: datetime
) -> list[DecisionRow]:
    """Who was considered when, at which cost, and who could not take the order."""
    rows: list[DecisionRow] = []
    for each in decisions:
        named = {str(one.driver_id): one.code for one in each.candidates} | dict(codes)
        who = named.get(str(each.chosen), "nobody") if each.chosen else "nobody"
        left = [
            f"{count} {words}"
            for (reason, count) in sorted(each.unfit.items(), key=lambda pair: -pair[1])
            for words in unfit_words([reason])
        ]
        rows.append(
            {
                "id": str(each.id),
                "clock": clock_words(each.at, zone, now),
                "what": f"{who}, best of {each.considered}" if each.chosen else "nobody fits",
                "left_out": ", ".join(left),
                "considered": [_considered(one, each) for one in each.candidates],
            }
        )
    return rows


def _considered(one: Considered, decision: Decision) -> ConsideredRow:
    costs = one.costs
    parts = [("way", costs.travel), ("lateness", costs.lateness), ("fairness", costs.fairness),
             ("battery", costs.battery)]  # fmt: skip
    return {
        "code": one.code,
        "chosen": one.driver_id == decision.chosen,
        "cost": f"{costs.total / 60:.1f}",
        "parts": ", ".join(f"{name} {part / 60:.1f}" for name, part in parts if part),
        "where": f"{distance_words(one.distance_m)}, {span_words(one.travel_s)}, "
        f"has {one.orders} of {one.most_orders}",
        "unfit": ", ".join(unfit_words(one.unfit)),
    }
