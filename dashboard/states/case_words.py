"""How the case of an order is said: its moments, messages, flags, tickets and incidents as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from backend.notifications.service import CHANNEL_WORDS
from backend.support.case_schemas import Case, CaseAction, CaseEscalation, CaseIncident, CaseMessage
from backend.support.case_schemas import Moment as CaseMoment
from dashboard.states.incident_words import SEVERITY_TONES
from dashboard.states.message_words import PATH as MESSAGES
from dashboard.states.message_words import STATES, TEMPLATES
from dashboard.states.order_timeline import Moment
from dashboard.states.order_words import clock_words, state_word
from dashboard.states.paging import address, iso
from dashboard.states.support_words import CLOCK_WORDS, ENDED
from dashboard.states.support_words import PATH as SUPPORT

OF_THE_ORDER = "dispatch"
"""The source whose moments the order's own timeline tells at more length."""
SLA_TONES = {
    "met": "good",
    "running": "info",
    "soon": "warning",
    "breached": "critical",
    "paused": "off",
}
_PRIORITY_TONES = {"urgent": "critical", "high": "warning", "normal": "info", "low": "off"}
_FLAG_REASONS = {
    "TARGETING_MATCH": "by its rules",
    "TARGETING_KEY_MISSING": "depends on the person",
    "STATIC": "for everybody",
    "DEFAULT": "by default",
    "SPLIT": "by lot",
    "DISABLED": "turned off",
}
_RISKY = ("cancel",)


class ActRow(TypedDict):
    """Something that can be done about the order, or why it cannot be now."""

    kind: str
    word: str
    ok: bool
    why: str
    risk: bool


class MessageRow(TypedDict):
    """A message about the order."""

    id: str
    tone: str
    state: str
    what: str
    to: str
    why: str
    at: str


class FlagRow(TypedDict):
    """A flag in force, and why this variant."""

    key: str
    variant: str
    reason: str
    description: str
    link: str


class TicketRow(TypedDict):
    """A ticket about the order."""

    number: str
    subject: str
    tone: str
    state: str
    sla_tone: str
    sla: str
    at: str
    open: bool
    link: str


class IncidentLine(TypedDict):
    """An incident that touched the order."""

    number: str
    title: str
    tone: str
    severity: str
    state: str
    touched: str
    link: str


def other_moments(case: Case, zone: str, now: datetime) -> list[Moment]:
    """The moments that the order's own timeline does not tell, as its lines."""
    outbox = address(MESSAGES, {"order": case.order.number})
    return [
        _moment(each, outbox if each.source == "message" else each.link or "", zone, now)
        for each in case.moments
        if each.source != OF_THE_ORDER
    ]


def _moment(each: CaseMoment, link: str, zone: str, now: datetime) -> Moment:
    until = f"until {clock_words(each.until, zone, now)}" if each.until else ""
    return {
        "id": each.id,
        "kind": each.source,
        "at": iso(each.at),
        "clock": clock_words(each.at, zone, now),
        "tone": each.tone,
        "what": each.words,
        "who": each.by or "",
        "why": ", ".join(filter(None, (until, each.detail))),
        "device": "",
        "place": "",
        "photo": "",
        "link": link,
        "by_people": False,
    }


def act_rows(actions: Sequence[CaseAction]) -> list[ActRow]:
    """What can be done, and below it what cannot be now, each with why."""
    possible_first = sorted(actions, key=lambda each: not each.allowed)
    return [
        {
            "kind": each.kind,
            "word": each.label,
            "ok": each.allowed,
            "why": "" if each.allowed else each.why_not or "not now",
            "risk": each.kind in _RISKY,
        }
        for each in possible_first
    ]


def message_rows(messages: Sequence[CaseMessage]) -> list[MessageRow]:
    """The order's messages, the newest first."""
    newest_first = sorted(messages, key=lambda each: each.at, reverse=True)
    return [
        {
            "id": str(each.id),
            "tone": STATES[each.state][0],
            "state": STATES[each.state][1],
            "what": TEMPLATES.get(each.template or "note", "Message"),
            "to": ", ".join(filter(None, (f"to the {each.to}", _way(each), each.by))),
            "why": each.why or "",
            "at": iso(each.at),
        }
        for each in newest_first
    ]


def _way(message: CaseMessage) -> str:
    return CHANNEL_WORDS[message.channel] if message.channel else ""


def flag_rows(case: Case, *, may_open: bool) -> list[FlagRow]:
    """The flags in force where the customer is."""
    return [
        {
            "key": each.key,
            "variant": each.variant,
            "reason": _FLAG_REASONS.get(each.reason, state_word(each.reason.lower())),
            "description": each.description,
            "link": f"/flags/{each.key}" if may_open else "",
        }
        for each in case.flags
    ]


def ticket_rows(escalations: Sequence[CaseEscalation]) -> list[TicketRow]:
    """The tickets about the order, the open ones first."""
    open_first = sorted(
        escalations, key=lambda each: (each.state in ENDED, -each.opened_at.timestamp())
    )
    return [
        {
            "number": each.number,
            "subject": each.subject,
            "tone": "off" if each.state in ENDED else _PRIORITY_TONES.get(each.priority, "info"),
            "state": state_word(each.state),
            "sla_tone": SLA_TONES.get(each.sla, "off"),
            "sla": CLOCK_WORDS.get(each.sla, each.sla),
            "at": iso(each.opened_at),
            "open": each.state not in ENDED,
            "link": f"{SUPPORT}/{each.number}",
        }
        for each in open_first
    ]


def incident_lines(incidents: Sequence[CaseIncident]) -> list[IncidentLine]:
    """The incidents that touched the order, the open ones first."""
    open_first = sorted(incidents, key=lambda each: each.ended_at is not None)
    return [
        {
            "number": each.number,
            "title": each.title,
            "tone": "off" if each.ended_at else SEVERITY_TONES[each.severity],
            "severity": each.severity,
            "state": state_word(each.state),
            "touched": ", ".join(filter(None, ("linked" if each.linked else None, each.how))),
            "link": f"/incidents/{each.number}",
        }
        for each in open_first
    ]
