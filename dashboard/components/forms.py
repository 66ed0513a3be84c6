"""Form pieces: labelled inputs and selects, and a button that asks before it acts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import reflex as rx


def field(label: str, control: rx.Component) -> rx.Component:
    """A control under its label."""
    return rx.el.label(rx.el.span(label), control, class_name="wp-field")


def text_input(name: str, **props: Any) -> rx.Component:
    """A single-line input."""
    return rx.el.input(name=name, class_name="wp-input", auto_complete="off", **props)


def choice_input(
    name: str, choices: Sequence[tuple[str, str]] | rx.Var[list[Any]], **props: Any
) -> rx.Component:
    """A select over (value, words) pairs, or over a var of region choices."""
    if isinstance(choices, rx.Var):
        options: list[rx.Component] = [
            rx.foreach(choices, lambda each: rx.el.option(each["path"], value=each["code"]))
        ]
    else:
        options = [rx.el.option(words, value=value) for value, words in choices]
    return rx.el.select(*options, name=name, class_name="wp-input", **props)


def chip(*content: Any, **props: Any) -> rx.Component:
    """A small rounded label."""
    return rx.el.span(*content, class_name="wp-chip", **props)


def filter_form(*fields: rx.Component, on_submit: Any, clear: str, **props: Any) -> rx.Component:
    """Filters that end up in the address; `clear` is the address without any."""
    from dashboard.components.basics import link

    return rx.el.form(
        *fields,
        rx.el.button("Filter", type="submit", class_name="wp-button"),
        link("Clear", to=clear, class_name="wp-button wp-button-quiet"),
        on_submit=on_submit,
        class_name="wp-filters",
        role="search",
        **props,
    )
