"""The design tokens as Python sees them; their values are in assets/tokens.css."""

from __future__ import annotations

from typing import Any, Literal

Tone = Literal["critical", "warning", "info", "good", "off"]

GROUND = "var(--wp-ground)"
SURFACE = "var(--wp-surface)"
RAISED = "var(--wp-raised)"
LINE = "var(--wp-line)"
TEXT = "var(--wp-text)"
MUTED = "var(--wp-muted)"
ACCENT = "var(--wp-accent)"
CRITICAL = "var(--wp-critical)"
WARNING = "var(--wp-warning)"
INFO = "var(--wp-info)"
GOOD = "var(--wp-good)"
OFF = "var(--wp-off)"

STYLESHEETS = [
    "/tokens.css",
    "/console.css",
    "/lists.css",
    "/orders.css",
    "/payments.css",
    "/integrations.css",
    "/flags.css",
    "/incidents.css",
    "/support.css",
    "/case.css",
    "/scorecard.css",
]

SHAPES: dict[Tone, str] = {
    "critical": "diamond",
    "warning": "square",
    "info": "circle",
    "good": "circle",
    "off": "ring",
}
"""The shape that goes with each tone, so that no state is told by colour alone."""

_AXIS = {
    "gridcolor": LINE,
    "linecolor": LINE,
    "zerolinecolor": LINE,
    "tickfont": {"color": MUTED, "size": 11},
    "fixedrange": True,
    "automargin": True,
}
CHART_TEMPLATE: dict[str, Any] = {
    "layout": {
        "font": {"family": "Inter Variable, system-ui, sans-serif", "size": 12, "color": TEXT},
        "paper_bgcolor": SURFACE,
        "plot_bgcolor": SURFACE,
        "colorway": [ACCENT, GOOD, WARNING, CRITICAL, INFO, OFF],
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": RAISED, "bordercolor": LINE, "font": {"color": TEXT}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "bargap": 0.25,
        "xaxis": {**_AXIS, "showgrid": False},
        "yaxis": {**_AXIS, "rangemode": "tozero"},
    }
}
"""How every chart looks; the browser puts in what the tokens are in the theme of the moment."""
