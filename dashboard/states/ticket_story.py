"""The timeline of a ticket: what was done with it, newest first; its words stand in the talk."""

from __future__ import annotations

from backend.support.schemas import EntryOut, EscalationDetail
from dashboard.states.incident_story import Beat
from dashboard.states.paging import iso

_TONES = {
    "customer": "info",
    "reply": "good",
    "ready": "good",
    "breached": "critical",
    "soon": "warning",
    "more": "warning",
}
"""The colour of what an entry tells; the others are told without one."""
_WORDS = {
    "customer": "The customer wrote",
    "reply": "Answered",
    "told": "The customer was told",
    "note": "Noted",
}
"""What is said of the entries whose text stands in the conversation."""


def story_of(found: EscalationDetail) -> list[Beat]:
    """All entries, newest first."""
    return [beat_of(each) for each in sorted(found.timeline, key=_when, reverse=True)]


def beat_of(each: EntryOut) -> Beat:
    """One entry of the timeline."""
    return {
        "id": str(each.id),
        "at": iso(each.at),
        "kind": each.kind if each.kind != "note" else "noted",
        "tone": _TONES.get(each.kind, "off"),
        "head": _WORDS.get(each.kind, each.text),
        "text": str(each.data.get("reason") or ""),
        "who": "" if each.kind == "customer" else each.actor_name,
        "late": "",
        "trace": "",
        "loud": False,
    }


def _when(each: EntryOut) -> tuple[str, str]:
    return iso(each.at), str(each.id)
