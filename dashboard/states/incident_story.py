"""The story of an incident: its timeline and the calls that went out, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from backend.incidents.on_call_schemas import PageOut
from backend.incidents.schemas import TimelineOut
from dashboard.states.paging import iso

_TONES = {
    "detected": "critical",
    "opened": "critical",
    "triggered": "critical",
    "reopened": "critical",
    "alert": "warning",
    "alert_firing": "warning",
    "alert_attached": "warning",
    "alert_resolved": "good",
    "acknowledged": "info",
    "mitigated": "good",
    "resolved": "good",
    "action": "info",
    "lapsed": "warning",
    "acknowledgement_lapsed": "warning",
    "severity": "warning",
}
_CALLED = {"sent": "info", "pending": "off", "failed": "critical", "dropped": "off"}


class Beat(TypedDict):
    """One entry of the story; `late` is filled where it was told later than it happened."""

    id: str
    at: str
    kind: str
    tone: str
    head: str
    text: str
    who: str
    late: str
    trace: str


def beat_of(each: TimelineOut) -> Beat:
    """One entry of the timeline."""
    note = each.kind == "note"
    late = (each.written_at - each.at).total_seconds() > 60
    by_person = each.actor.startswith("user:")
    return {
        "id": str(each.id),
        "at": iso(each.at),
        "kind": "note" if note else each.kind,
        "tone": _TONES.get(each.kind, "off"),
        "head": "Note" if note else each.text,
        "text": each.text if note else "",
        "who": each.actor_name if by_person or note else "",
        "late": iso(each.written_at) if late else "",
        "trace": each.trace_id or "",
    }


def call_of(each: PageOut) -> Beat:
    """One call to somebody on call."""
    done = {"sent": "Called", "pending": "Calling", "failed": "Could not reach", "dropped": ""}
    head = f"{done[each.state] or 'Did not call'} {each.name} by {each.channel}"
    return {
        "id": str(each.id),
        "at": iso(each.sent_at or each.created_at),
        "kind": "call",
        "tone": _CALLED[each.state],
        "head": head,
        "text": "",
        "who": "",
        "late": "",
        "trace": "",
    }


def story_of(timeline: Iterable[TimelineOut], calls: Iterable[PageOut]) -> list[Beat]:
    """All of it, newest first; a call once, though the timeline tells of it too."""
    told: list[tuple[datetime, Beat]] = [
        (each.at, beat_of(each)) for each in timeline if each.kind not in ("page", "paged", "call")
    ]
    told += [(each.sent_at or each.created_at, call_of(each)) for each in calls]
    return [beat for _, beat in sorted(told, key=lambda pair: pair[0], reverse=True)]
