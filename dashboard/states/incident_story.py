"""The story of an incident: its timeline and the calls that failed, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from backend.incidents.on_call_schemas import PageOut
from backend.incidents.schemas import TimelineOut
from dashboard.states.paging import iso

_TONES = {
    "impact": "critical",
    "detected": "critical",
    "reopen": "critical",
    "relapse": "critical",
    "alert": "warning",
    "flapped": "warning",
    "lapse": "warning",
    "severity": "warning",
    "alert_cleared": "good",
    "mitigate": "good",
    "resolve": "good",
    "acknowledge": "info",
    "action": "info",
    "called": "info",
    "merged": "info",
    "split": "info",
}
"""The colour of what an entry tells; the others are told without one."""
_LOUD = ("acknowledge", "mitigate", "resolve", "close", "reopen", "detected", "action")

_DONE = {"mitigate": "Mitigated", "resolve": "Resolved", "reopen": "Reopened"}
"""What a person did whose entry holds nothing but their note."""


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
    loud: bool


def beat_of(each: TimelineOut) -> Beat:
    """One entry of the timeline."""
    note = each.kind == "note"
    late = (each.written_at - each.at).total_seconds() > 60
    by_person = each.actor.startswith("user:")
    head, text = ("Note", each.text) if note else (each.text, str(each.data.get("reason") or ""))
    done = _DONE.get(each.kind, "")
    if done and by_person and not each.text.startswith(done):
        head, text = f"{done}.", each.text
    return {
        "id": str(each.id),
        "at": iso(each.at),
        "kind": "note" if note else each.kind,
        "tone": _TONES.get(each.kind, "off"),
        "head": head,
        "text": text,
        "who": each.actor_name if note or (by_person and each.actor_name not in each.text) else "",
        "late": iso(each.written_at) if late else "",
        "trace": each.trace_id or "",
        "loud": each.kind in _LOUD,
    }


def failed_call(each: PageOut) -> Beat:
    """A call that did not reach somebody."""
    return {
        "id": str(each.id),
        "at": iso(each.sent_at or each.created_at),
        "kind": "call",
        "tone": "critical",
        "head": f"Could not reach {each.name} by {each.channel}",
        "text": "",
        "who": each.why or "",
        "late": "",
        "trace": "",
        "loud": False,
    }


def story_of(timeline: Iterable[TimelineOut], calls: Iterable[PageOut]) -> list[Beat]:
    """The timeline and the calls that failed, newest first; of one moment the last written."""
    told: list[tuple[datetime, datetime, Beat]] = [
        (each.at, each.written_at, beat_of(each)) for each in timeline
    ]
    told += [
        (each.sent_at or each.created_at, each.created_at, failed_call(each))
        for each in calls
        if each.state == "failed"
    ]
    newest_first = sorted(told, key=lambda entry: entry[:2], reverse=True)
    return [beat for _, _, beat in newest_first]
