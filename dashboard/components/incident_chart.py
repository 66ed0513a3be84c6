"""The panel of what failed in each minute around an incident."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.work_parts import chart


def failures(figure: rx.Var[dict[str, Any]], title: rx.Var[str], note: rx.Var[str]) -> rx.Component:
    """The chart under its title; `note` tells what its lines are."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2(title),
            rx.el.span(note, class_name="wp-muted"),
            class_name="wp-panel-head",
        ),
        rx.el.div(chart(figure, title), class_name="wp-panel-body wp-inc-chart"),
        class_name="wp-panel",
        aria_label=title,
    )
