"""What the page of one ticket shows of it, as rows of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from backend.dispatch.schemas import OrderOut
from backend.notifications.message_schemas import MessageOut
from backend.notifications.service import CHANNEL_WORDS
from backend.payments.formats import with_code
from backend.platform import clock
from backend.support.schemas import EscalationDetail, EscalationRow, PauseOut, SaidOut
from backend.support.settings_schemas import MacroOut
from dashboard.states.message_words import STATES
from dashboard.states.order_facts import eta_words
from dashboard.states.order_words import (
    TERMS,
    TONES,
    clock_words,
    lateness_words,
    span_words,
    street,
)
from dashboard.states.order_words import state_word as spoken
from dashboard.states.paging import iso
from dashboard.states.support_words import ORIGIN_WORDS, TicketRow, ticket_row


class TicketClock(TypedDict):
    """One of the two clocks, and what else is to be said of it."""

    name: str
    state: str
    due: str
    left: int
    note: str


class Said(TypedDict):
    """One word of the conversation, or a note between them; `ours` stands on our side."""

    id: str
    at: str
    who: str
    initials: str
    text: str
    kind: str
    ours: bool
    tone: str
    came: str


class Beside(TypedDict):
    """The order beside the ticket; the name and the phone are masked."""

    number: str
    link: str
    state: str
    tone: str
    late: str
    late_tone: str
    promised: str
    eta: str
    driver: str
    driver_link: str
    customer: str
    phone: str
    street: str
    pays: str
    merchant: str


class Choice(TypedDict):
    """One thing to choose."""

    value: str
    word: str


class Here(TypedDict):
    """A colleague who has the ticket before them."""

    name: str
    initials: str
    typing: bool


class MacroChoice(TypedDict):
    """A macro as the composer offers it."""

    id: str
    title: str
    text: str
    then: str


class TicketFacts(TicketRow):
    """The head and the properties of the page."""

    opened: str
    opened_by: str
    agent_id: str
    waiting: str
    incident_id: str
    zone: str


NOTHING: TicketFacts = {
    "id": "", "number": "", "link": "", "subject": "", "under": "", "kind": "", "kind_word": "",
    "priority": "", "priority_word": "", "state": "", "tone": "", "note": "", "place": "",
    "order": "", "incident": "", "ready": False, "waits": False, "assignee": "", "last": "",
    "clock": "", "clock_word": "", "clock_due": "", "clock_left": 0, "gone": False, "opened": "",
    "opened_by": "", "agent_id": "", "waiting": "", "incident_id": "", "zone": "UTC",
}  # fmt: skip


def facts_of(
    found: EscalationDetail, names: Mapping[str, str], zones: Mapping[str, str]
) -> TicketFacts:
    """The head and the properties of a ticket."""
    by = f", {found.opened_by_name}" if found.origin == "agent" else ""
    return {
        **ticket_row(found, names),
        "opened": iso(found.opened_at),
        "opened_by": ORIGIN_WORDS[found.origin] + by,
        "agent_id": found.assignee or "",
        "waiting": found.waiting_on.value if found.waiting_on else "",
        "incident_id": str(found.incident_id or ""),
        "zone": zones.get(found.region, "UTC"),
    }


def clocks_of(found: EscalationDetail) -> list[TicketClock]:
    """Both clocks: the first answer never pauses, the solution does while the customer is asked."""
    sla = found.sla
    answered = sla.first_response_at
    took = span_words((answered - found.opened_at).total_seconds()) if answered else ""
    solved = found.solved_at
    lasted = span_words((solved - found.opened_at).total_seconds()) if solved else ""
    return [
        {
            "name": "First answer",
            "state": sla.first_response.value,
            "due": "" if answered else iso(sla.first_response_due),
            "left": 0,
            "note": f"after {took}" if took else "never pauses",
        },
        {
            "name": "Solution",
            "state": sla.resolution.value,
            "due": "" if solved else iso(sla.resolution_due),
            "left": sla.paused_left_s or 0,
            "note": f"after {lasted}" if lasted else pause_words(found.pauses),
        },
    ]


def pause_words(pauses: Sequence[PauseOut]) -> str:
    """How often and how long the clock stood still."""
    if not pauses:
        return "not paused yet"
    now = clock.now()
    whole = sum(((each.ended_at or now) - each.began_at).total_seconds() for each in pauses)
    times = "once" if len(pauses) == 1 else f"{len(pauses)} times"
    return f"paused {times}, {span_words(whole)} in all"


def talk_of(
    found: EscalationDetail, messages: Mapping[str, MessageOut], customer: str = ""
) -> list[Said]:
    """The conversation with the notes between, oldest first; `customer` is their masked name."""
    notes = [
        _said(str(each.id), each.at, each.actor_name, each.text, "note")
        for each in found.timeline
        if each.kind == "note"
    ]
    words = [_word(each, messages) for each in found.conversation]
    first = next(iter(customer.split()), "")
    for each in words if first else ():
        each["text"] = each["text"].replace("{customer}", first)
    return sorted([*words, *notes], key=lambda each: (each["at"], each["id"]))


def _word(each: SaidOut, messages: Mapping[str, MessageOut]) -> Said:
    name = "The customer" if each.author == "customer" else each.name or "Waypost"
    row = _said(str(each.id), each.at, name, each.text, each.author)
    message = messages.get(str(each.message_id))
    if message is not None:
        row["tone"], word = STATES[message.state]
        row["came"] = f"{word} by {CHANNEL_WORDS[message.channel]}" if message.channel else word
    return row


def _said(key: str, at: datetime, who: str, text: str, kind: str) -> Said:
    return {
        "id": key,
        "at": iso(at),
        "who": who,
        "initials": "C" if kind == "customer" else initials(who),
        "text": text,
        "kind": kind,
        "ours": kind != "customer",
        "tone": "",
        "came": "",
    }


def initials(name: str) -> str:
    """The first letters of a name's first two words."""
    return "".join(word[0] for word in name.split()[:2]).upper() or "?"


def last_word(found: EscalationDetail, person: str) -> tuple[str, str]:
    """The newest word that is not the person's own, and who said it."""
    actors = {each.id: each.actor for each in found.timeline}
    others = [each for each in found.conversation if actors.get(each.id) != person]
    if not others:
        return "", ""
    newest = max(others, key=lambda each: each.at)
    return str(newest.id), "The customer" if newest.author == "customer" else newest.name


def beside_of(order: OrderOut, *, driver: str, zone: str, merchant: str = "") -> Beside:
    """The order as far as whoever answers has to know it."""
    now = clock.now()
    late_tone, late = lateness_words(order, now)
    eta, span, note = eta_words(order, zone, now)
    amount = order.payment.amount
    return {
        "number": order.number,
        "link": f"/orders/{order.number}",
        "state": spoken(order.state),
        "tone": TONES[order.state],
        "late": late,
        "late_tone": late_tone,
        "promised": clock_words(order.promised_at, zone, now),
        "eta": f"{eta} ({span})" if eta else note,
        "driver": driver,
        "driver_link": f"/drivers/{order.driver_id}" if order.driver_id else "",
        "customer": str(order.drop["name"]),
        "phone": str(order.drop["phone"] or ""),
        "street": street(order.drop),
        "pays": f"{with_code(amount.minor, amount.currency)}, {TERMS[order.payment.terms]}",
        "merchant": merchant or order.reference,
    }


def others_of(rows: Sequence[EscalationRow], own: str, names: Mapping[str, str]) -> list[TicketRow]:
    """The other tickets of the same order."""
    return [ticket_row(each, names) for each in rows if str(each.id) != own]


def becomes(macro: MacroOut) -> str:
    """The state that a ticket gets with a macro, of a pending one with whom it waits on."""
    if macro.then is None:
        return ""
    on = (macro.waiting_on or "customer") if macro.then == "pending" else ""
    return f"{macro.then} {on}".strip()


def macro_choices(macros: Sequence[MacroOut], filled: Mapping[str, str]) -> list[MacroChoice]:
    """Macros with what is known filled in; the rest is filled in as the answer goes out."""
    choices: list[MacroChoice] = []
    for each in macros:
        text = each.text
        for name, value in filled.items():
            text = text.replace(f"{{{name}}}", value) if value else text
        choices.append(
            {"id": str(each.id), "title": each.name, "text": text, "then": becomes(each)}
        )
    return choices
