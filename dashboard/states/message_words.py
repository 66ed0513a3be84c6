"""How messages to customers and drivers are said: states, channels, templates, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict, get_args

from backend.notifications import service as notifications
from backend.notifications.message_schemas import (
    Channel,
    Kind,
    Language,
    MessageOut,
    MessageState,
    Preferences,
    To,
    Tried,
)
from dashboard.states.order_words import clock_words, span_words
from dashboard.states.paging import iso

PATH = "/messages"
STATES: dict[str, tuple[str, str]] = {
    "waiting": ("off", "waiting"),
    "queued": ("info", "queued"),
    "sent": ("info", "sent"),
    "delivered": ("good", "delivered"),
    "failed": ("warning", "to be retried"),
    "given_up": ("critical", "given up"),
    "cancelled": ("off", "cancelled"),
    "suppressed": ("off", "not sent"),
}
"""Tone and word of each state."""
CHANNELS = {
    str(way): word[:1].upper() + word[1:] for way, word in notifications.CHANNEL_WORDS.items()
}
"""The ways as they stand alone."""
TEMPLATES = {
    "order_received": "Order received",
    "on_its_way": "On its way",
    "arrived": "At the door",
    "delivered": "Delivered",
    "failed": "Not delivered",
    "delayed": "Delayed",
    "otp": "One-time code",
    "incident_notice": "Incident notice",
    "support_reply": "Support's reply",
    "refunded": "Refunded",
    "note": "Words of one's own",
}
READERS = {"customer": "customer", "driver": "driver", "sender": "sender"}
STATE_CHOICES = (("", "Any state"), *((each.value, STATES[each][1]) for each in MessageState))
CHANNEL_CHOICES = (("", "Any channel"), *((each.value, CHANNELS[each]) for each in Channel))
TEMPLATE_CHOICES = (("", "Anything"), *((each.value, TEMPLATES[each]) for each in Kind))
TO_CHOICES = (("", "Anybody"), *((each, READERS[each].capitalize()) for each in get_args(To)))
LANGUAGES: tuple[str, ...] = get_args(Language)
UNSENT = ("waiting", "queued", "failed")
RETRIED = ("given_up", "failed")
_OUTCOMES = {
    "sent": ("info", "sent"),
    "delivered": ("good", "delivered"),
    "failed": ("warning", "failed"),
    "refused": ("critical", "refused"),
    "cut_off": ("warning", "cut off"),
}


class MessageLine(TypedDict):
    """A message as its line of the outbox; `gone` says that it no longer matches."""

    id: str
    order: str
    order_link: str
    tone: str
    state: str
    what: str
    language: str
    recipient: str
    to: str
    channel: str
    why: str
    attempts: str
    region: str
    by: str
    at: str
    may_retry: bool
    may_cancel: bool
    gone: bool


class TriedRow(TypedDict):
    """One attempt or receipt."""

    clock: str
    tone: str
    word: str
    way: str
    why: str


def message_line(message: MessageOut, place: str = "") -> MessageLine:
    """One message, in a place by its name; whom it goes to is masked."""
    tone, word = STATES[message.state]
    return {
        "id": str(message.id),
        "order": message.order or "",
        "order_link": f"/orders/{message.order}?show=message" if message.order else "",
        "tone": tone,
        "state": word,
        "what": TEMPLATES[message.template],
        "language": notifications.languages().get(message.language, message.language),
        "recipient": message.recipient,
        "to": READERS[message.to],
        "channel": channel_words(message),
        "why": why_words(message),
        "attempts": attempt_words(message.attempts),
        "region": place or message.region,
        "by": message.by,
        "at": iso(message.queued_at),
        "may_retry": message.state in RETRIED,
        "may_cancel": message.state in UNSENT,
        "gone": False,
    }


def channel_words(message: MessageOut) -> str:
    """The way it takes, with what carries it where that is another thing."""
    if message.channel is None:
        return "no way yet"
    word = CHANNELS[message.channel]
    return f"{word}, {message.via}" if message.via and message.via != message.channel else word


def why_words(message: MessageOut) -> str:
    """What holds it or what became of it, and whether it may have come twice."""
    twice = "may have come twice" if message.repeated else ""
    return ", ".join(filter(None, (message.why, twice)))


def attempt_words(attempts: int) -> str:
    """How often it was tried."""
    return {0: "", 1: "1 try"}.get(attempts, f"{attempts} tries")


def timing(message: MessageOut, zone: str, now: datetime) -> list[tuple[str, str]]:
    """When it was queued, is due, went and arrived: names and words of what is known."""
    told = [("Queued", clock_words(message.queued_at, zone, now))]
    if message.next_at is not None and message.state in UNSENT:
        told.append(("Next try", clock_words(message.next_at, zone, now)))
    if message.sent_at is not None:
        took = span_words((message.sent_at - message.queued_at).total_seconds())
        told.append(("Sent", f"{clock_words(message.sent_at, zone, now)}, after {took}"))
    if message.delivered_at is not None:
        told.append(("Delivered", clock_words(message.delivered_at, zone, now)))
    return told


def tried_rows(tried: list[Tried], zone: str, now: datetime) -> list[TriedRow]:
    """The attempts and receipts, the newest first."""
    return [
        {
            "clock": clock_words(each.at, zone, now),
            "tone": _OUTCOMES[each.outcome][0],
            "word": _OUTCOMES[each.outcome][1],
            "way": f"{CHANNELS[each.channel]} by {each.via}",
            "why": ", ".join(filter(None, (each.why, "a repeat" if each.repeat else ""))),
        }
        for each in reversed(tried)
    ]


def state_counts(by_state: Mapping[MessageState, int], most: int) -> dict[str, str]:
    """How many are in each state, as words."""
    return {
        state.value: f"{count:,}+" if count >= most else f"{count:,}"
        for state, count in by_state.items()
    }


def preference_words(prefers: Preferences, language: str) -> str:
    """How a customer is written to, in a line; `language` is that language's own name."""
    ways = ", then ".join(notifications.CHANNEL_WORDS[each] for each in prefers.channels)
    quiet = prefers.quiet
    told = [
        f"In {language}" + (", as they chose" if prefers.language_chosen else ""),
        f"by {ways}" if ways else "",
        f"not from {quiet.begins:%H:%M} to {quiet.ends:%H:%M}"
        if quiet.begins != quiet.ends
        else "at any hour",
        f"without {', '.join(TEMPLATES[each].lower() for each in prefers.muted)}"
        if prefers.muted
        else "",
    ]
    return ", ".join(filter(None, told)) + "."
