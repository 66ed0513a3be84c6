"""Counts and figures that lead to their rows, and the chip that shows what came since."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, shape


def count_link(each: rx.Var, name: rx.Component) -> rx.Component:
    """A count of `each`, with its tone, value, note and link; `name` says of what."""
    return link(
        name,
        rx.el.span(each["value"], class_name="wp-tile-value"),
        rx.el.span(each["note"], class_name="wp-muted"),
        to=each["link"].to(str),
        class_name="wp-count",
        custom_attrs={
            "data-tone": each["tone"],
            "data-some": rx.cond(each["some"].to(bool), "true", "false"),
            "aria-current": rx.cond(each["on"].to(bool), "true", "false"),
        },
    )


def figure(tile: rx.Var[Any]) -> rx.Component:
    """A tile of a figure with its tone, note and link."""
    return figure_over(tile)


def figure_over(tile: rx.Var[Any], *below: rx.Component) -> rx.Component:
    """The same with more drawn below; `rx.foreach` takes a second argument for the index."""
    return link(
        rx.el.span(tile["name"], class_name="wp-tile-name"),
        rx.el.span(tile["value"], class_name="wp-tile-value"),
        rx.el.span(
            rx.cond(tile["tone"] != "off", shape(tile["tone"])),
            rx.el.span(tile["note"], class_name="wp-clip"),
            class_name="wp-tile-note",
            title=tile["note"],
        ),
        *below,
        to=tile["link"].to(str),
        class_name="wp-tile",
    )


def count_bones(many: int) -> rx.Component:
    """Counts that are not known yet."""
    return rx.fragment(
        *[
            rx.el.div(
                rx.el.span(class_name="wp-bone wp-bone-small"),
                rx.el.span(class_name="wp-bone wp-bone-large"),
                class_name="wp-count",
                aria_hidden="true",
            )
            for _ in range(many)
        ]
    )


def newer_chip(newer: rx.Var[int], on_show: Any, class_name: str = "wp-newer") -> rx.Component:
    """How many rows came since the list was shown; pressed, `on_show` shows them."""
    return rx.el.div(
        rx.cond(
            newer > 0,
            rx.el.button(
                newer, " new: show", type="button", on_click=on_show,
                class_name="wp-chip wp-chip-new",
            ),
        ),
        class_name=class_name,
        aria_live="polite",
    )  # fmt: skip
