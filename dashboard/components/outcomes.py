"""What became of each row of a bulk action."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx

from dashboard.components.basics import state_word


class OutcomeRow(TypedDict):
    """One row: its name, whether it was done, and why not."""

    name: str
    tone: str
    word: str
    detail: str


def outcomes(rows: rx.Var[list[Any]], summary: rx.Var[str], on_close: Any) -> rx.Component:
    """A panel with one line for each row; nothing while there are none."""
    return rx.cond(
        rows.length() > 0,
        rx.el.section(
            rx.el.div(
                rx.el.h2(summary),
                rx.el.button(
                    "Done", type="button", on_click=on_close, class_name="wp-button wp-button-small"
                ),
                class_name="wp-panel-head",
            ),
            rx.el.div(
                rx.foreach(
                    rows,
                    lambda row: rx.el.div(
                        rx.el.code(row["name"]),
                        state_word(row["tone"], row["word"]),
                        rx.el.span(row["detail"], class_name="wp-muted"),
                        class_name="wp-outcome",
                    ),
                ),
                class_name="wp-outcomes",
            ),
            class_name="wp-panel",
            aria_label="What became of each",
            aria_live="polite",
        ),
    )
