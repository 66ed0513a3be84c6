"""How the pages on incidents tell severities, states, places and lengths of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from backend.incidents.schemas import AlertOut, IncidentRow
from backend.platform import clock
from backend.regions.service import place_words
from dashboard.drawing import spoken_seconds
from dashboard.states.paging import address, iso

PATH = "/incidents"
SEVERITIES = ("SEV1", "SEV2", "SEV3", "SEV4")
SEVERITY_TONES = {"SEV1": "critical", "SEV2": "warning", "SEV3": "info", "SEV4": "off"}
SEVERITY_WORDS = {
    "SEV1": "customers or money hurt widely",
    "SEV2": "a city or a journey hurt",
    "SEV3": "degraded, work goes on",
    "SEV4": "to look at in hours",
}
STATE_TONES = {
    "triggered": "critical",
    "acknowledged": "info",
    "mitigated": "good",
    "resolved": "good",
    "closed": "off",
    "merged": "off",
}
OPEN_STATES = ("triggered", "acknowledged", "mitigated")
_BARE_DAY_S = 86_400


class Row(TypedDict):
    """One incident of a list."""

    id: str
    number: str
    link: str
    title: str
    under: str
    severity: str
    tone: str
    state: str
    state_tone: str
    note: str
    place: str
    service: str
    commander: str
    alerts: str
    firing: bool
    since: str
    until: str
    detected: str


class AlertRow(TypedDict):
    """One alert of a list; `left` and `width` place its bar on the span of its incident."""

    id: str
    title: str
    key: str
    severity: str
    tone: str
    status: str
    status_tone: str
    service: str
    place: str
    integration: str
    started: str
    ended: str
    seen: str
    count: str
    incident: str
    event: str
    url: str
    trace: str
    value: str
    labels: str
    bar: dict[str, str]


def incident_row(each: IncidentRow, names: Mapping[str, str]) -> Row:
    """An incident as the list shows it."""
    return {
        "id": str(each.id),
        "number": each.number,
        "link": f"{PATH}/{each.number}",
        "title": each.title,
        "under": ", ".join(filter(None, (*each.services, place_words(each.regions, names)))),
        "severity": each.severity,
        "tone": SEVERITY_TONES[each.severity],
        "state": each.state,
        "state_tone": STATE_TONES[each.state],
        "note": state_note(each),
        "place": place_words(each.regions, names),
        "service": ", ".join(each.services),
        "commander": each.commander or "",
        "alerts": alerts_words(each.firing, each.alerts_count),
        "firing": each.firing > 0,
        "since": iso(each.impact_started_at),
        "until": iso(each.resolved_at),
        "detected": iso(each.detected_at),
    }


def alerts_words(firing: int, count: int) -> str:
    """How many of its alerts fire."""
    if not count:
        return "none"
    return f"{firing:,} of {count:,} firing" if firing else f"{count:,} quiet"


def state_note(each: IncidentRow) -> str:
    """What else is to be known of a state: snoozed, lapsing, reopened, a test."""
    now = clock.now()
    notes = []
    if each.kind != "real":
        notes.append(each.kind.replace("_", " "))
    if each.snoozed_until and each.snoozed_until > now:
        notes.append(f"snoozed for {ahead(each.snoozed_until)}")
    lapses = each.acknowledgement_lapses_at
    if each.state == "acknowledged" and lapses and lapses > now:
        notes.append(f"lapses in {ahead(lapses)}")
    if each.reopened:
        notes.append("reopened" if each.reopened == 1 else f"reopened {each.reopened} times")
    return ", ".join(notes)


def ahead(moment: datetime) -> str:
    """How long it is until a moment."""
    return spoken_seconds(max(0.0, round((moment - clock.now()).total_seconds())))


def alert_row(
    each: AlertOut, names: Mapping[str, str], span: tuple[datetime, datetime] | None = None
) -> AlertRow:
    """An alert as the list shows it, its bar within `span`."""
    labels = " ".join(f"{name}={value}" for name, value in sorted(each.labels.items()))
    return {
        "id": str(each.id),
        "title": each.title,
        "key": each.key,
        "severity": each.severity,
        "tone": SEVERITY_TONES[each.severity],
        "status": _status(each),
        "status_tone": "off" if each.silenced_by else "critical" if _fires(each) else "good",
        "service": each.service,
        "place": place_words([each.region], names),
        "integration": each.integration,
        "started": iso(each.started_at),
        "ended": iso(each.ended_at),
        "seen": iso(each.seen_at),
        "count": _told(each),
        "incident": f"{PATH}/{each.incident_id}" if each.incident_id else "",
        "event": str(each.event_id) if each.event_id else "",
        "url": each.url or "",
        "trace": each.trace_id or "",
        "value": "" if each.value is None else f"{each.value:,.4g}",
        "labels": labels[:400],
        "bar": _bar(each, span) if span else {},
    }


def _fires(each: AlertOut) -> bool:
    return each.status == "firing"


def _status(each: AlertOut) -> str:
    if each.silenced_by:
        return "in maintenance"
    if each.snoozed_until and each.snoozed_until > clock.now():
        return "snoozed"
    if _fires(each) and each.clears_at:
        return "clearing"
    return each.status


def _told(each: AlertOut) -> str:
    words = [f"told {each.deliveries:,} times" if each.deliveries > 1 else "told once"]
    if each.flaps:
        words.append(f"flapped {each.flaps:,} times")
    if each.acknowledged_by_name:
        words.append(f"taken by {each.acknowledged_by_name}")
    return ", ".join(words)


def _bar(each: AlertOut, span: tuple[datetime, datetime]) -> dict[str, str]:
    """Where in the span it fired, in percent."""
    since, until = span
    whole = max((until - since).total_seconds(), 1)
    begin = min(max((each.started_at - since).total_seconds() / whole, 0), 1)
    end = min(max(((each.ended_at or until) - since).total_seconds() / whole, begin), 1)
    return {"left": f"{begin:.2%}", "width": f"{max(end - begin, 0.012):.2%}"}


def spent(seconds: float | None) -> str:
    """A length of time as clocks of incidents tell it: `+ 48 s`, `+ 1 min 32 s`, `+ 2 h 5 min`."""
    if seconds is None:
        return ""
    whole = round(max(seconds, 0))
    if whole < 60:
        return f"+ {whole} s"
    if whole < 3600:
        return f"+ {whole // 60} min {whole % 60} s" if whole % 60 else f"+ {whole // 60} min"
    if whole < _BARE_DAY_S:
        return f"+ {whole // 3600} h {whole % 3600 // 60} min"
    return f"+ {whole // _BARE_DAY_S} d {whole % _BARE_DAY_S // 3600} h"


def list_link(**asked: str) -> str:
    """The address of the list with those filters."""
    return address(PATH, asked)
