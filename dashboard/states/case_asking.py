"""What an action of the case asks of the person, with what it is filled, and what is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from backend.notifications import service as notifications
from backend.payments.formats import amount as written
from backend.payments.formats import read_amount
from backend.platform.errors import Invalid
from backend.support.case_schemas import Case, CaseAction
from dashboard.states.message_words import CHANNELS, TEMPLATES
from dashboard.states.money import money, spoken
from dashboard.states.order_deeds import local, moment
from dashboard.states.paging import form_text, uuid_or_none

ASKS = (
    "driver_id", "address", "point", "window", "payment_id", "amount", "destination", "wallet_id",
    "text", "template", "channel", "urgent", "incident",
)  # fmt: skip
"""The fields of an action that this drawer has a control for."""
HINTS = {
    "hold": "Matching and the driver leave it alone until it is released.",
    "cancel": "It ends here. What was paid is given back by the rules of payments.",
    "resend_otp": "The code before no longer works. Attempts that were used stay used.",
    "refund": "Above your limit it waits for a second person.",
    "credit_wallet": "Goes to the customer's wallet at once.",
    "message_customer": "In their language and by the way that they prefer, unless said otherwise.",
    "message_driver": "Appears in the driver's app.",
    "link_incident": "Its tickets are answered together when the incident resolves.",
}
_MAY = {
    "refund": ("destination",),
    "message_customer": ("template", "channel", "urgent"),
    "message_driver": ("urgent",),
}
"""What an action may be told beyond what it needs."""
_KNOWN = frozenset({"number", "link", "driver", "by", "eta"})
"""What an order tells a template by itself; one that asks for more is not offered."""
OWN_WORDS = "own"


class Choice(TypedDict):
    """One thing to choose."""

    value: str
    word: str


class Filled(TypedDict):
    """What the drawer's fields hold when it opens."""

    address: str
    lat: str
    lon: str
    window_from: str
    window_until: str
    zone: str
    amount: str
    currency: str


def asks_of(action: CaseAction | None) -> dict[str, bool]:
    """Which controls the drawer has for this action: what it needs, and what else it may say."""
    asked = {*action.needs, *_MAY.get(action.kind, ())} if action else set()
    return {name: name in asked for name in ASKS}


def filled_from(case: Case | None, zone: str, kind: str = "") -> Filled:
    """The order as it stands, for the fields that change it; a refund is all that is left."""
    if case is None:
        empty = ("address", "lat", "lon", "window_from", "window_until", "amount", "currency")
        return {**dict.fromkeys(empty, ""), "zone": zone}  # type: ignore[typeddict-item]
    drop, there = case.order.drop, ZoneInfo(zone)
    window: Sequence[datetime | str | None] = drop.get("window") or (None, None)
    return {
        "address": str(drop["address"]),
        "lat": str(drop["lat"]),
        "lon": str(drop["lon"]),
        "window_from": local(window[0], there),
        "window_until": local(window[1], there),
        "zone": zone,
        "amount": _left(case) if kind == "refund" else "",
        "currency": case.order.payment.amount.currency,
    }


def _left(case: Case) -> str:
    """What can still be given back of the first payment that has something left."""
    paid = case.payments.payments if case.payments else ()
    left = next((each.refundable for each in paid if each.refundable.minor > 0), None)
    return written(left.minor, left.currency) if left else ""


def nothing_to_choose() -> dict[str, list[Choice]]:
    """Every field, open to whatever is typed."""
    return {name: [] for name in ASKS}


def choices_of(case: Case, action: CaseAction) -> dict[str, list[Choice]]:
    """What each field of the action may be, in words; empty where that is open."""
    around = [*case.incidents, *case.incidents_nearby]
    titles = {each.number: each.title for each in around}
    paid = {str(each.id): each for each in case.payments.payments} if case.payments else {}

    def word(field: str, value: str) -> str:
        if field == "payment_id" and value in paid:
            each = paid[value]
            left = money(each.refundable)
            return f"{money(each.amount)}, {spoken(each.state)}, {left} can be given back"
        if field == "incident" and value in titles:
            return f"{value} {titles[value]}"
        return value

    chosen = nothing_to_choose()
    for field, values in action.choices.items():
        chosen[field] = [{"value": value, "word": word(field, value)} for value in values]
    if action.kind == "message_customer":
        chosen["template"] = templates()
        chosen["channel"] = [{"value": key, "word": name} for key, name in CHANNELS.items()]
    return chosen


def templates() -> list[Choice]:
    """The templates that an order fills by itself."""
    return [
        {"value": each.key.value, "word": TEMPLATES[each.key]}
        for each in notifications.list_templates()
        if _KNOWN.issuperset(each.params)
    ]


def sent_of(
    kind: str, asks: Mapping[str, bool], form: Mapping[str, Any], case: Case, zone: str
) -> dict[str, Any]:
    """What the form says, as the fields of `CaseActionIn`; raises Invalid for what is no amount."""
    sent: dict[str, Any] = {"kind": kind, "reason": form_text(form, "reason")}
    if case.seen_version and kind not in ("message_customer", "message_driver"):
        sent["seen_version"] = case.seen_version
    if asks["driver_id"]:
        sent |= {"driver_id": _id(form, "driver"), "force": bool(form.get("force"))}
    if asks["address"] and (address := form_text(form, "address")):
        sent["address"] = address
    if asks["point"] and (form_text(form, "lat") or form_text(form, "lon")):
        sent["point"] = (form_text(form, "lat"), form_text(form, "lon"))
    if asks["window"]:
        sent["window"] = _window(form, ZoneInfo(zone))
    if asks["payment_id"]:
        sent["payment_id"] = _id(form, "payment_id")
    if asks["wallet_id"] and form_text(form, "wallet_id"):
        sent["wallet_id"] = _id(form, "wallet_id")
    if asks["amount"]:
        sent["amount"] = read_amount(form_text(form, "amount"), _currency(case, form))
    if asks["destination"] and form_text(form, "destination"):
        sent["destination"] = form_text(form, "destination")
    if asks["incident"]:
        sent["incident"] = form_text(form, "incident") or None
    return sent | _message(asks, form)


def _message(asks: Mapping[str, bool], form: Mapping[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    template = form_text(form, "template") if asks["template"] else ""
    if template and template != OWN_WORDS:
        sent["template"] = template
    elif asks["text"]:
        sent["text"] = form_text(form, "text") or None
    if asks["channel"] and form_text(form, "channel"):
        sent["channel"] = form_text(form, "channel")
    if asks["urgent"] and form.get("urgent"):
        sent["urgent"] = True
    return sent


def _id(form: Mapping[str, Any], name: str) -> UUID | None:
    return uuid_or_none(form_text(form, name))


def _window(form: Mapping[str, Any], zone: ZoneInfo) -> tuple[datetime, datetime]:
    begins = moment(form_text(form, "window_from"), zone)
    ends = moment(form_text(form, "window_until"), zone)
    if begins is None or ends is None:
        raise Invalid("Say from when and until when.")
    return begins, ends


def _currency(case: Case, form: Mapping[str, Any]) -> str:
    """That of the payment that is named, else the order's."""
    named = form_text(form, "payment_id")
    for each in case.payments.payments if case.payments else ():
        if str(each.id) == named:
            return each.amount.currency
    return case.order.payment.amount.currency
