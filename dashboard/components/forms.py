"""Form pieces: labelled inputs and selects, filters, the end of a form, a secret shown once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import reflex as rx

from dashboard.components.basics import shape


def field(label: str | rx.Component, control: rx.Component) -> rx.Component:
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


def form_end(
    word: str | rx.Var[str] | rx.Component, leave: Any, working: rx.Var[bool]
) -> rx.Component:
    """The end of a drawer's form: leave it, or do what `word` says, not twice while it works."""
    return rx.el.div(
        rx.el.button("Leave it", type="button", on_click=leave, class_name="wp-button"),
        rx.el.button(
            word, type="submit", disabled=working, class_name="wp-button wp-button-main"
        ),
        class_name="wp-form-end",
    )  # fmt: skip


def form_fault(words: rx.Var[str]) -> rx.Component:
    """Why a drawer's form was refused, said aloud when it comes; nothing while it is empty."""
    return rx.el.div(
        rx.cond(
            words != "",
            rx.el.span(shape("critical"), words, class_name="wp-state wp-form-fault"),
        ),
        role="alert",
    )


def secret_once(
    field_id: str, what: str, made_name: Any, *, shown: rx.Var[bool], on_done: Any
) -> rx.Component:
    """A secret that is shown once, with a button that copies it.

    Always there, so that the secret can be put into it without passing through the state.
    """
    return rx.el.div(
        rx.el.div(
            rx.el.strong(f"Copy the {what} of ", made_name, " now."), " It is shown this once."
        ),
        rx.el.input(
            id=field_id,
            read_only=True,
            class_name="wp-input wp-mono",
            aria_label=f"The new {what}",
        ),
        rx.el.button(
            "Copy",
            type="button",
            class_name="wp-button",
            custom_attrs={"data-wp-action": "copy", "data-wp-from": field_id},
        ),
        rx.el.button("Done", type="button", class_name="wp-button", on_click=on_done),
        class_name="wp-secret",
        hidden=~shown,
    )
