"""The chart of what failed in each minute around an incident."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from backend.insights.service import Minutes
from dashboard import theme

# Told apart by colour and by dash, for whoever does not see the one.
_STYLES = (
    (theme.CRITICAL, "solid"), (theme.WARNING, "dash"),
    (theme.ACCENT, "dot"), (theme.MUTED, "dashdot"),
)  # fmt: skip
_MOST_STEPS = 4


def failures_chart(found: Minutes, began: datetime, zone: str = "UTC") -> dict[str, Any]:
    """Lines of failures by minute, and a dashed one where the impact began, by a zone's clock."""
    there = ZoneInfo(zone)

    def local(at: datetime) -> str:
        # Plotly leaves times as they stand and knows no zones.
        return at.astimezone(there).strftime("%Y-%m-%dT%H:%M:%S")

    minutes = [local(at) for at in found.at]
    most = max((count for line in found.lines for count in line.failed), default=0)
    single = len(found.lines) == 1
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "name": line.name or "failed",
                "x": minutes,
                "y": line.failed,
                "line": {"color": color, "dash": dash, "width": 2},
                **({"fill": "tozeroy"} if single else {}),
            }
            for line, (color, dash) in zip(found.lines, _STYLES, strict=False)
        ],
        "layout": {
            "showlegend": not single,
            "yaxis": {"range": [0, max(most, 1) * 1.1], "dtick": max(1, ceil(most / _MOST_STEPS))},
            "shapes": [
                {
                    "type": "line",
                    "x0": local(began),
                    "x1": local(began),
                    "yref": "paper",
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": theme.CRITICAL, "dash": "dot", "width": 1},
                }
            ],
        },
    }
