"""How the pages say how a driver is: status, load, shift, documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from backend.dispatch.roster_schemas import DocumentOut, PlannedShift, RosterRow
from backend.platform.shares import percent
from dashboard.states.order_words import DRIVER_TONES, STATUS_WORDS, clock_words, weight_words
from dashboard.states.paging import iso

DOCUMENT_TONES = {"valid": "good", "expiring": "warning", "expired": "critical"}
_WORST_FIRST = ("expired", "expiring", "valid")
_LOW_BATTERY = 0.15


class DriverLine(TypedDict):
    """A driver as a line of the roster."""

    id: str
    code: str
    name: str
    link: str
    tone: str
    status: str
    vehicle: str
    place: str
    load: str
    load_share: str
    full: bool
    weight: str
    skills: str
    shift: str
    shift_ends: str
    zone: str
    battery: str
    low: bool
    documents_tone: str
    documents: str
    seen: str


def line_of(row: RosterRow, place: str, zone: str, now: datetime) -> DriverLine:
    """One driver in words, with times in the zone of their city."""
    driver, load, capacity = row.driver, row.load, row.capacity
    tone, documents = documents_words(row.documents)
    position = driver.position
    battery = position.battery if position else None
    return {
        "id": str(driver.id),
        "code": driver.code,
        "name": driver.name,
        "link": f"/drivers/{driver.id}",
        "tone": DRIVER_TONES[driver.status],
        "status": STATUS_WORDS[driver.status],
        "vehicle": driver.vehicle,
        "place": place,
        "load": f"{load.orders} / {capacity.most_orders}",
        "load_share": f"{min(100, round(100 * load.orders / capacity.most_orders))}%",
        "full": load.orders >= capacity.most_orders,
        "weight": f"{weight_words(load.weight_g)} of {weight_words(capacity.most_weight_g)}",
        "skills": ", ".join(capacity.skills),
        "shift": shift_words(row.shift, zone, now),
        "shift_ends": iso(row.shift.ends_at) if row.shift and row.shift.starts_at <= now else "",
        "zone": zone,
        "battery": "" if battery is None else percent(battery, 0),
        "low": battery is not None and battery <= _LOW_BATTERY,
        "documents_tone": tone,
        "documents": documents,
        "seen": iso(position.recorded_at) if position else "",
    }


def shift_words(shift: PlannedShift | None, zone: str, now: datetime) -> str:
    """The running or next shift in words."""
    if shift is None:
        return "none planned"
    if shift.starts_at <= now:
        return f"until {clock_words(shift.ends_at, zone, now)}"
    return f"from {clock_words(shift.starts_at, zone, now)}"


def documents_words(documents: Sequence[DocumentOut]) -> tuple[str, str]:
    """Tone and words of the documents: what is worst of them, by name."""
    if not documents:
        return "off", "none kept"
    worst = min((each.state for each in documents), key=_WORST_FIRST.index)
    if worst == "valid":
        return "good", f"{len(documents)} valid"
    named = ", ".join(each.kind for each in documents if each.state == worst)
    return DOCUMENT_TONES[worst], f"{named} {worst}"


class ShiftCell(TypedDict):
    """One shift in the calendar."""

    id: str
    driver: str
    words: str
    tone: str
    title: str
    may_cancel: bool


class Day(TypedDict):
    """One day of the calendar."""

    date: str
    number: str
    month: str
    today: bool
    past: bool
    shifts: list[ShiftCell]


def calendar(
    shifts: Sequence[PlannedShift], days: Sequence[datetime], zone: str, now: datetime
) -> list[Day]:
    """The days with their shifts; `days` are midnights in the zone."""
    there = ZoneInfo(zone)
    today = now.astimezone(there).date()
    found: list[Day] = []
    for midnight in days:
        day = midnight.date()
        found.append(
            {
                "date": day.isoformat(),
                "number": str(day.day),
                "month": f"{day:%b}" if day.day == 1 or midnight == days[0] else "",
                "today": day == today,
                "past": day < today,
                "shifts": [
                    _cell(shift, there, now)
                    for shift in sorted(shifts, key=lambda each: each.starts_at)
                    if shift.starts_at.astimezone(there).date() == day
                ],
            }
        )
    return found


def _cell(shift: PlannedShift, there: ZoneInfo, now: datetime) -> ShiftCell:
    begins, ends = shift.starts_at.astimezone(there), shift.ends_at.astimezone(there)
    if shift.cancelled_at:
        tone, state = "off", "cancelled"
    elif shift.ended_at:
        tone, state = "good", f"worked until {shift.ended_at.astimezone(there):%H:%M}"
    elif shift.begun_at:
        tone, state = "good", f"begun at {shift.begun_at.astimezone(there):%H:%M}"
    elif shift.starts_at < now:
        tone, state = "warning", "not begun"
    else:
        tone, state = "info", "planned"
    return {
        "id": str(shift.id),
        "driver": str(shift.driver_id),
        "words": f"{_hour(begins)} to {_hour(ends)}",
        "tone": tone,
        "title": f"{begins:%a} {begins.day} {begins:%b} {begins:%H:%M} to {ends:%H:%M}, {state}",
        "may_cancel": not (shift.cancelled_at or shift.ended_at or shift.begun_at)
        and shift.ends_at > now,
    }


def _hour(at: datetime) -> str:
    return f"{at:%H}" if at.minute == 0 else f"{at:%H:%M}"
