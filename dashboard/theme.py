"""The design tokens as Python sees them; their values are in assets/tokens.css."""

from __future__ import annotations

from typing import Literal

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

STYLESHEETS = ["/tokens.css", "/console.css", "/payments.css"]

SHAPES: dict[Tone, str] = {
    "critical": "diamond",
    "warning": "square",
    "info": "circle",
    "good": "circle",
    "off": "ring",
}
"""The shape that goes with each tone, so that no state is told by colour alone."""
