"""How the support desk's pages tell tickets, their priorities, states and clocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from backend.regions.service import place_words
from backend.support.schemas import EscalationFilter, EscalationRow
from dashboard.states.paging import iso, uuid_or_none

PATH = "/support"
SETTINGS = "/support/settings"
KIND_WORDS = {
    "payment": "Payment",
    "late": "Late",
    "otp": "Code",
    "damaged": "Damaged",
    "address": "Address",
    "driver": "Driver",
    "refund": "Refund",
    "other": "Other",
}
PRIORITY_WORDS = {"urgent": "Urgent", "high": "High", "normal": "Normal", "low": "Low"}
STATE_TONES = {"open": "info", "pending": "off", "solved": "good", "closed": "off"}
WAITING_WORDS = {"customer": "on the customer", "third_party": "on a third party"}
CLOCK_WORDS = {
    "met": "in time",
    "running": "in time so far",
    "soon": "due soon",
    "breached": "over time",
    "paused": "paused",
}
ENDED = ("solved", "closed")
ORIGIN_WORDS = {"customer": "by the customer", "agent": "by hand", "system": "by itself"}

KIND_CHOICES = (("", "Anything"), *KIND_WORDS.items())
PRIORITY_CHOICES = (("", "Any"), *PRIORITY_WORDS.items())
STATE_CHOICES = (
    ("", "Unsolved"),
    ("open", "Open"),
    ("pending", "Pending"),
    ("solved", "Solved"),
    ("closed", "Closed"),
    ("all", "Any state"),
)
SLA_CHOICES = (("", "Any"), *((key, word.capitalize()) for key, word in CLOCK_WORDS.items()))
WHOSE_CHOICES = (("", "Anyone's"), ("mine", "Mine"), ("nobody", "Nobody's"))
LOOK_CHOICES = (
    ("", "All"),
    ("waits", "Customer waits"),
    ("ready", "Ready to answer"),
)
SORT_CHOICES = (("", "Most pressing"), ("newest", "Newest first"))


class TicketRow(TypedDict):
    """One ticket of a list."""

    id: str
    number: str
    link: str
    subject: str
    under: str
    kind: str
    kind_word: str
    priority: str
    priority_word: str
    state: str
    tone: str
    note: str
    place: str
    order: str
    incident: str
    ready: bool
    waits: bool
    assignee: str
    last: str
    clock: str
    clock_word: str
    clock_due: str
    clock_left: int
    gone: bool


def ticket_row(each: EscalationRow, names: Mapping[str, str]) -> TicketRow:
    """A ticket as a list shows it."""
    place = place_words([each.region], names)
    ended = each.state in ENDED
    return {
        "id": str(each.id),
        "number": each.number,
        "link": f"{PATH}/{each.number}",
        "subject": each.subject,
        "under": ", ".join(filter(None, (each.order_number, place))),
        "kind": each.kind.value,
        "kind_word": KIND_WORDS[each.kind],
        "priority": each.priority.value,
        "priority_word": PRIORITY_WORDS[each.priority],
        "state": each.state.value,
        "tone": STATE_TONES[each.state],
        "note": state_note(each),
        "place": place,
        "order": each.order_number or "",
        "incident": each.incident_number or "",
        "ready": each.ready_to_answer,
        "waits": each.customer_waits and not ended,
        "assignee": each.assignee_name or "",
        "last": iso(each.last_at),
        "clock": each.sla.state.value,
        "clock_word": "" if ended else "answer" if each.sla.first_response_at is None else "solve",
        "clock_due": "" if ended else iso(each.sla.due),
        "clock_left": each.sla.paused_left_s or 0,
        "gone": False,
    }


def state_note(each: EscalationRow) -> str:
    """What else is to be known of a state: on whom it waits, that it came back."""
    notes = []
    if each.waiting_on and each.state == "pending":
        notes.append(f"waits {WAITING_WORDS[each.waiting_on]}")
    if each.reopened:
        notes.append("reopened" if each.reopened == 1 else f"reopened {each.reopened} times")
    return ", ".join(notes)


def wanted_of(filters: Mapping[str, str], place: str | None) -> EscalationFilter:
    """What the service is asked; what is not known does not narrow."""
    state, look = filters["state"], filters["look"]
    return EscalationFilter.model_validate(
        {
            "states": list(STATE_TONES) if state == "all" else _known(STATE_TONES, state),
            "kinds": _known(KIND_WORDS, filters["kind"]),
            "priorities": _known(PRIORITY_WORDS, filters["priority"]),
            "sla": next(iter(_known(CLOCK_WORDS, filters["sla"])), None),
            "region": place[:64] if place else None,
            "assignee": {"mine": "me", "nobody": "nobody"}.get(filters["whose"]),
            "incident_id": uuid_or_none(filters["incident"]),
            "order_number": _plain(filters["order"]) or None,
            "ready_to_answer": True if look == "ready" else None,
            "customer_waits": True if look == "waits" else None,
            "q": _plain(filters["q"]) or None,
            "sort": "newest" if filters["sort"] == "newest" else "due",
        }
    )


def _known(words: Mapping[str, str], text: str) -> list[str]:
    return [text] if text in words else []


def _plain(text: str) -> str:
    return text[:100].replace("\0", "")
