"""What the customer of an order sees on their phone, as the page of the order repeats it."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from backend.dispatch.customer_schemas import Tracking
from dashboard.states.order_words import span_words

_SPOKEN = {"done": "done", "now": "now", "ahead": "still to come", "failed": "ended here"}
_WAITS_FOR_NO_TIME = ("arrived", "failed", "returning")


class StepRow(TypedDict):
    """One step of the way, as the customer reads it."""

    label: str
    mark: str
    spoken: str
    at: str


class CustomerView(TypedDict):
    """The customer's page in words; what they are not shown is empty."""

    headline: str
    detail: str
    tone: str
    low: str
    high: str
    note: str
    proof: str
    driver: str
    initial: str
    position: str
    number: str
    place: str
    steps: list[StepRow]


def customer_view(told: Tracking, now: datetime) -> CustomerView:
    """What `follow_order` tells the customer, times in the zone that they are told in."""
    zone = ZoneInfo(told.time_zone)
    low, high, note = when_words(told, now)
    gone = told.proof is not None
    return {
        "headline": told.headline,
        "detail": told.detail or "",
        "tone": told.tone,
        "low": low,
        "high": high,
        "note": note,
        "proof": (told.proof.by or "") if told.proof else "",
        "driver": "" if gone else told.driver or "",
        "initial": "" if gone or not told.driver else told.driver[:1],
        "position": position_words(told, now),
        "number": told.number,
        "place": told.time_zone.rpartition("/")[2].replace("_", " "),
        "steps": [
            {
                "label": step.label,
                "mark": step.mark,
                "spoken": _SPOKEN[step.mark],
                "at": day_clock(step.at, zone, now) if step.at else "",
            }
            for step in told.steps
        ],
    }


def when_words(told: Tracking, now: datetime) -> tuple[str, str, str]:
    """The large time, the second one where there is a span, and the sentence below."""
    zone = ZoneInfo(told.time_zone)
    if told.proof is not None:
        return _clock(told.proof.at, zone), "", _day(told.proof.at, zone, now)
    if told.ended_at is not None:
        return "", "", day_clock(told.ended_at, zone, now)
    if told.eta is None:
        if told.state in _WAITS_FOR_NO_TIME:
            return "", "", ""
        longer = " It is taking longer than planned." if told.late else ""
        planned = day_clock(told.promised_at, zone, now)
        return "", "", f"Planned for {planned} at the latest.{longer}"
    if told.eta.high < now:
        return "", "", "Any moment now; it is taking longer than expected."
    late = f" Later than planned ({_clock(told.promised_at, zone)})." if told.late else ""
    return (
        _clock(told.eta.low, zone),
        _clock(told.eta.high, zone),
        f"Expected {_day(told.eta.at, zone, now)}.{late}",
    )


def position_words(told: Tracking, now: datetime) -> str:
    """Whether the customer sees the driver on a map, and how old that is."""
    if told.position is None:
        return ""
    age_s = max(0.0, (now - told.position.recorded_at).total_seconds())
    return f"A map shows the driver, seen {span_words(age_s)} ago"


def day_clock(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """A clock time, with the day where it is another one than today."""
    day, at = _day(moment, zone, now), _clock(moment, zone)
    return at if day == "today" else f"{day.removeprefix('on ')}, {at}"


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%H:%M}"


def _day(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    local = moment.astimezone(zone)
    days = (local.date() - now.astimezone(zone).date()).days
    return {0: "today", 1: "tomorrow", -1: "yesterday"}.get(
        days, f"on {local:%A}, {local.day} {local:%B}"
    )
