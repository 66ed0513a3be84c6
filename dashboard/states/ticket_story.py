"""The timeline of a ticket: what was done with it, said and noted, newest first."""

from __future__ import annotations

from backend.support.schemas import EntryOut, EscalationDetail
from dashboard.states.incident_story import Beat
from dashboard.states.paging import iso

_TONES = {
    "breached": "critical",
    "soon": "warning",
    "reopened": "warning",
    "said": "info",
    "replied": "good",
    "reply": "good",
    "solved": "good",
    "linked": "info",
    "ready": "good",
}
"""The colour of what an entry tells; the others are told without one."""


def story_of(found: EscalationDetail) -> list[Beat]:
    """All entries, newest first."""
    return [beat_of(each) for each in sorted(found.timeline, key=_when, reverse=True)]


def beat_of(each: EntryOut) -> Beat:
    """One entry of the timeline."""
    note = each.kind == "note"
    return {
        "id": str(each.id),
        "at": iso(each.at),
        "kind": each.kind,
        "tone": _TONES.get(each.kind, "off"),
        "head": each.text,
        "text": each.text if note else str(each.data.get("reason") or ""),
        "who": each.actor_name,
        "late": "",
        "trace": "",
        "loud": False,
    }


def _when(each: EntryOut) -> tuple[str, str]:
    return iso(each.at), str(each.id)
