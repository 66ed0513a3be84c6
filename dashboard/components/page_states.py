"""A page of one thing while it loads, and when it cannot be shown."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link
from dashboard.components.tables import empty_state


def thing_bones(label: str) -> rx.Component:
    """Three columns of lines to come."""
    return rx.el.div(
        *[_box(lines) for lines in (12, 14, 9)],
        class_name="wp-order",
        aria_busy="true",
        aria_label=label,
        role="status",
    )


def _box(lines: int) -> rx.Component:
    widths = [f"{88 - 9 * (number % 5)}%" for number in range(lines)]
    return rx.el.div(
        *[rx.el.span(class_name="wp-bone wp-bone-line", style={"width": each}) for each in widths],
        class_name="wp-panel wp-bone-box",
    )


def thing_missing(what: str, do: str, back: tuple[str, str]) -> rx.Component:
    """Tells that the thing is not there to be shown, and where to go; `back` is words and path."""
    return rx.el.div(
        empty_state(what, do),
        rx.el.p(link(back[0], to=back[1], class_name="wp-button"), class_name="wp-center"),
        class_name="wp-panel wp-bone-box",
    )
