"""How a driver did, as figures and as a chart of days."""

from __future__ import annotations

from typing import Any, TypedDict

from backend.dispatch.roster_schemas import Performance
from backend.platform.shares import percent
from dashboard import theme


class Figure(TypedDict):
    """One figure and what it is made of."""

    name: str
    value: str
    note: str


def figures(found: Performance) -> list[Figure]:
    """The figures of the last days; what cannot be told yet says so."""
    offers = found.offers_taken + found.offers_refused + found.offers_missed
    share = found.on_time_share
    taken = percent(found.offers_taken / offers, 0) if offers else "none yet"
    per_stop = found.minutes_per_stop
    return [
        {"name": "Delivered", "value": f"{found.delivered:,}", "note": f"in {found.days} days"},
        {
            "name": "In time",
            "value": "none yet" if share is None else percent(share, 0),
            "note": f"{found.on_time:,} of {found.delivered:,}",
        },
        {
            "name": "Failed",
            "value": f"{found.failed:,}",
            "note": f"{found.returned:,} brought back",
        },
        {
            "name": "Offers taken",
            "value": taken,
            "note": f"{found.offers_refused} refused, {found.offers_missed} unanswered",
        },
        {
            "name": "At a stop",
            "value": "none yet" if per_stop is None else f"{per_stop:.1f} min",
            "note": "from arriving to leaving",
        },
    ]


def performance_chart(found: Performance) -> dict[str, Any]:
    """Bars of each day: delivered in time, delivered late, failed; told apart by pattern too."""
    days = [each.day.isoformat() for each in found.by_day]

    def bars(name: str, values: list[int], color: str, pattern: str) -> dict[str, Any]:
        return {
            "type": "bar",
            "name": name,
            "x": days,
            "y": values,
            "marker": {
                "color": color,
                "pattern": {
                    "shape": pattern,
                    "fgcolor": theme.SURFACE,
                    "solidity": 0.25,
                    "size": 5,
                },
            },
        }

    return {
        "data": [
            bars("in time", [each.on_time for each in found.by_day], theme.GOOD, ""),
            bars(
                "late", [each.delivered - each.on_time for each in found.by_day],
                theme.WARNING, "/",
            ),
            bars("failed", [each.failed for each in found.by_day], theme.CRITICAL, "x"),
        ],
        "layout": {"barmode": "stack"},
    }  # fmt: skip
