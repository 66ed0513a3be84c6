"""What became of each row of a bulk action."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypedDict
from uuid import UUID

import reflex as rx

from dashboard.components.basics import state_word


class OutcomeRow(TypedDict):
    """One row: its name, whether it was done, and why not."""

    name: str
    tone: str
    word: str
    detail: str


class Result(Protocol):
    """What a service says of one row."""

    @property
    def id(self) -> UUID: ...
    @property
    def status(self) -> str: ...
    @property
    def number(self) -> str | None: ...
    @property
    def detail(self) -> str | None: ...


def outcome_rows(
    results: Sequence[Result], names: Mapping[str, str], word: str
) -> list[OutcomeRow]:
    """One line for each result, the refused first; `word` tells what was done."""
    refused_first = sorted(results, key=lambda each: each.status == "done")
    return [
        {
            "name": each.number or names.get(str(each.id), str(each.id)[:8]),
            "tone": "good" if each.status == "done" else "critical",
            "word": word if each.status == "done" else "refused",
            "detail": each.detail or "",
        }
        for each in refused_first
    ]


def outcome_list(
    rows: rx.Var[list[Any]], named: Callable[[rx.Var[Any]], rx.Component]
) -> rx.Component:
    """What became of each row: what it is `named`, whether it was done, and why not."""
    return rx.el.ul(
        rx.foreach(
            rows,
            lambda row: rx.el.li(
                named(row),
                state_word(row["tone"].to(str), row["word"].to(str)),
                rx.cond(row["detail"] != "", rx.el.span(row["detail"], class_name="wp-muted")),
                class_name="wp-outcome",
            ),
        ),
        class_name="wp-outcomes",
    )


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
            outcome_list(rows, lambda row: rx.el.code(row["name"])),
            class_name="wp-panel",
            aria_label="What became of each",
            aria_live="polite",
        ),
    )
