"""Small pieces of the support desk's pages: a priority, a kind, a clock, who takes tickets."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import shape
from dashboard.components.support_parts import due

_ICONS = {
    "payment": "credit-card",
    "late": "clock",
    "otp": "key-round",
    "damaged": "package-x",
    "address": "map-pin",
    "driver": "bike",
    "refund": "undo-2",
}


def priority_mark(level: Any, word: Any) -> rx.Component:
    """A priority as bars and word: told by their number, never by colour alone."""
    return rx.el.span(
        rx.el.span(
            rx.el.i(), rx.el.i(), rx.el.i(), class_name="wp-bars", aria_hidden="true"
        ),
        rx.el.span(word),
        class_name="wp-priority",
        custom_attrs={"data-level": level},
    )  # fmt: skip


def kind_mark(kind: Any, word: Any) -> rx.Component:
    """What a ticket is about, as picture and word."""
    return rx.el.span(
        rx.match(
            kind,
            *[
                (key, rx.icon(icon, size=14, aria_hidden="true"))
                for key, icon in _ICONS.items()
            ],
            rx.icon("message-circle", size=14, aria_hidden="true"),
        ),
        rx.el.span(word),
        class_name="wp-kind",
    )  # fmt: skip


def clock_of(row: rx.Var, zone: rx.Var[str]) -> rx.Component:
    """The clock that somebody has to keep next."""
    return due(
        state=row["clock"].to(str),
        due=row["clock_due"].to(str),
        left=row["clock_left"].to(int),
        word=row["clock_word"].to(str),
        zone=zone,
    )


def availability(available: rx.Var[bool], turn: Any) -> rx.Component:
    """Whether new tickets come to the person; `turn` takes what it shall be."""
    return rx.el.button(
        shape(rx.cond(available, "good", "off")),
        rx.cond(available, "You take tickets", "You are away"),
        type="button",
        role="switch",
        on_click=turn(~available),
        aria_checked=rx.cond(available, "true", "false"),
        title="Whether new tickets of your regions come to you",
        class_name="wp-button",
    )
