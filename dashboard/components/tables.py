"""Lists: a table with its loading, empty and error states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx

NUMBER = "wp-number"
Head = str | tuple[str | rx.Component, str]


def table(
    heads: Sequence[Head],
    rows: rx.Var[list[Any]],
    draw: Callable[[Any], rx.Component],
    *,
    ready: rx.Var[bool],
    label: str,
    empty: tuple[str, str],
    bones: int = 6,
) -> rx.Component:
    """A table of `rows`; a head is a word, or a word or part and the class of its column.

    `empty` is what is shown instead of no rows: what that means and what to do.
    """
    return rx.el.div(
        rx.el.table(
            rx.el.thead(rx.el.tr(*[_head(head) for head in heads])),
            rx.el.tbody(
                rx.cond(ready, rx.foreach(rows, draw), _bones(len(heads), bones)),
            ),
            class_name="wp-table",
            custom_attrs={"aria-label": label, "aria-busy": rx.cond(ready, "false", "true")},
        ),
        rx.cond(ready & (rows.length() == 0), empty_state(*empty)),
        class_name="wp-table-box",
        tab_index=0,
        role="region",
        aria_label=label,
    )


def empty_state(what: str, do: str) -> rx.Component:
    """Tells that there is nothing, and what to do about it."""
    return rx.el.div(rx.el.strong(what), rx.el.span(do), class_name="wp-empty")


def trouble(text: rx.Var[str], retry: Any) -> rx.Component:
    """Tells that loading failed and offers to try again; nothing when `text` is empty."""
    return rx.cond(
        text != "",
        rx.el.div(
            rx.el.span(class_name="wp-shape", custom_attrs={"data-tone": "critical"}),
            rx.el.span(text, class_name="wp-grow"),
            rx.el.button(
                "Try again", type="button", on_click=retry, class_name="wp-button wp-button-small"
            ),
            class_name="wp-trouble",
            role="alert",
        ),
    )


def two_lines(first: Any, second: Any) -> rx.Component:
    """A cell with a second, quieter line."""
    return rx.el.div(rx.el.span(first), rx.el.span(second), class_name="wp-cell-two")


def number(word: str, value: rx.Var | rx.Component) -> rx.Component:
    """A cell with a figure; `word` says which it is where rows stand as cards, without heads."""
    return rx.el.td(value, class_name=NUMBER, custom_attrs={"data-word": word})


def pager(previous: rx.Var[str], following: rx.Var[str]) -> rx.Component:
    """Links to the first and the next page of a list; hidden where there is no such page."""
    from dashboard.components.basics import link

    return rx.el.nav(
        rx.cond(
            previous != "",
            link("Newest", to=previous, class_name="wp-button wp-button-small"),
        ),
        rx.cond(
            following != "",
            link("Older", to=following, class_name="wp-button wp-button-small"),
        ),
        class_name="wp-pager",
        aria_label="Pages of this list",
    )


def _head(head: Head) -> rx.Component:
    word, kind = head if isinstance(head, tuple) else (head, "")
    content = rx.el.span(word, class_name="wp-hidden-words") if kind == "wp-silent" else word
    return rx.el.th(content, scope="col", class_name=kind)


def _bones(columns: int, rows: int) -> rx.Component:
    cells = [rx.el.td(rx.el.span(class_name="wp-bone")) for _ in range(columns)]
    return rx.fragment(*[rx.el.tr(*cells) for _ in range(rows)])
