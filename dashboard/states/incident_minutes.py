"""The chart of what failed in each minute around an incident."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backend.insights.service import Minutes
from dashboard import theme
from dashboard.states.paging import iso

# Told apart by colour and by dash, for whoever does not see the one.
_STYLES = (
    (theme.CRITICAL, "solid"), (theme.WARNING, "dash"),
    (theme.ACCENT, "dot"), (theme.MUTED, "dashdot"),
)  # fmt: skip


def failures_chart(found: Minutes, began: datetime) -> dict[str, Any]:
    """Lines of failures by minute, and a dashed one where the impact began."""
    minutes = [iso(at) for at in found.at]
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
            "yaxis": {"rangemode": "tozero", "tickformat": "d"},
            "shapes": [
                {
                    "type": "line",
                    "x0": iso(began),
                    "x1": iso(began),
                    "yref": "paper",
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": theme.CRITICAL, "dash": "dot", "width": 1},
                }
            ],
        },
    }
