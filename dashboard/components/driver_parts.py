"""Pieces of the page of one driver: stops, figures, days, documents, and the forms."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.frame_parts import ago

_KINDS = (("licence", "Licence"), ("insurance", "Insurance"), ("permit", "Permit"))


def tour_stop(stop: rx.Var) -> rx.Component:
    """One stop of the tour."""
    return rx.el.li(
        rx.el.span(
            stop["mark"], class_name="wp-stop-mark", custom_attrs={"data-kind": stop["kind"]}
        ),
        rx.el.span(
            rx.el.span(stop["address"], class_name="wp-clip"),
            rx.el.span(
                stop["kind"],
                " of ",
                link(stop["number"], to=stop["link"].to(str), class_name="wp-link wp-code"),
                rx.cond(stop["pinned"].to(bool), ", pinned", ""),
            ),
            class_name="wp-cell-two wp-grow",
        ),
        rx.el.span(
            rx.el.span(stop["arrive"]),
            rx.el.span(shape(stop["tone"].to(str)), " ", stop["late"]),
            class_name="wp-cell-two wp-right",
        ),
        class_name="wp-tour-stop",
    )


def figure(each: rx.Var) -> rx.Component:
    """One figure of the performance."""
    return rx.el.div(
        rx.el.dt(each["name"]),
        rx.el.dd(each["value"]),
        rx.el.dd(each["note"]),
        class_name="wp-figure",
    )


def latest_order(order: rx.Var) -> rx.Component:
    """One of the newest orders."""
    return rx.el.li(
        state_word(order["tone"].to(str), order["state"].to(str)),
        rx.el.span(
            link(order["number"], to=order["link"].to(str), class_name="wp-link wp-code"),
            rx.el.span(order["drop"], class_name="wp-clip"),
            class_name="wp-cell-two",
        ),
        rx.el.span(
            rx.cond(
                order["late"] != "",
                state_word(order["late_tone"].to(str), order["late"].to(str)),
                rx.el.span(),
            ),
            ago(at=order["at"].to(str), zone=order["zone"].to(str)),
            class_name="wp-cell-two wp-right",
        ),
        class_name="wp-latest-order",
    )


def day(each: rx.Var) -> rx.Component:
    """One day of the calendar with its shifts."""
    return rx.el.div(
        rx.el.span(each["number"], " ", each["month"], class_name="wp-day-number"),
        rx.foreach(
            each["shifts"].to(list[dict[str, str]]),
            lambda shift: rx.el.span(
                shape(shift["tone"].to(str)),
                rx.el.span(shift["words"]),
                title=shift["title"].to(str),
                class_name="wp-day-shift",
            ),
        ),
        class_name="wp-day",
        custom_attrs={
            "data-today": rx.cond(each["today"].to(bool), "true", "false"),
            "data-past": rx.cond(each["past"].to(bool), "true", "false"),
        },
    )


def planned_shift(shift: rx.Var, cancel: Any) -> rx.Component:
    """A shift that may still be called off; `cancel` is what its button does."""
    return rx.el.div(
        shape(shift["tone"].to(str)),
        rx.el.span(shift["title"].to(str), class_name="wp-grow"),
        rx.el.button(
            "Cancel",
            type="button",
            on_click=cancel,
            aria_label="Cancel the shift " + shift["title"].to(str),
            class_name="wp-button wp-button-small",
        ),
        class_name="wp-item wp-row",
    )


def capacity_form(found: Any, may_write: Any, on_keep: Any) -> rx.Component:
    """What the driver can carry, to be changed by whom that is allowed."""

    def field(name: str, label: str, given: Any, **props: Any) -> rx.Component:
        return rx.el.label(
            rx.el.span(label),
            rx.el.input(
                name=name, default_value=given, disabled=~may_write, class_name="wp-input", **props
            ),
            class_name="wp-field",
        )

    return rx.el.form(
        rx.el.div(
            field("orders", "Orders", found["most_orders"], type="number", min=1, max=500),
            field("weight_kg", "Kilograms", found["most_weight_kg"], input_mode="decimal"),
            field("volume_l", "Litres", found["most_volume_l"], input_mode="decimal"),
            class_name="wp-three",
        ),
        field(
            "skills", "Skills, with commas between", found["skills"], placeholder="cold, fragile"
        ),
        rx.cond(
            may_write,
            rx.el.div(
                rx.el.button("Keep", type="submit", class_name="wp-button wp-button-small"),
                class_name="wp-form-end",
            ),
        ),
        on_submit=on_keep,
        key=found["most_orders"].to(str)
        + found["most_weight_kg"].to(str)
        + found["skills"].to(str),
        class_name="wp-stack wp-panel-body",
    )


def document(each: rx.Var) -> rx.Component:
    """One document and its end."""
    return rx.el.li(
        state_word(each["tone"].to(str), each["state"].to(str)),
        rx.el.span(each["kind"], " ", rx.el.code(each["number"]), class_name="wp-clip"),
        rx.el.span(
            rx.cond(each["expires"] != "", each["expires"], "no end"),
            title=each["checked"].to(str),
            class_name="wp-right wp-nowrap wp-muted",
        ),
        class_name="wp-document",
    )


def document_form(on_keep: Any) -> rx.Component:
    """A document that was looked at, to be kept."""
    return rx.el.form(
        rx.el.div(
            rx.el.label(
                rx.el.span("Kind"),
                rx.el.select(
                    *[rx.el.option(word, value=value) for value, word in _KINDS],
                    name="kind",
                    class_name="wp-input",
                ),
                class_name="wp-field",
            ),
            rx.el.label(
                rx.el.span("Number"),
                rx.el.input(name="number", required=True, max_length=60, class_name="wp-input"),
                class_name="wp-field",
            ),
            rx.el.label(
                rx.el.span("Expires"),
                rx.el.input(name="expires", type="date", class_name="wp-input"),
                class_name="wp-field",
            ),
            rx.el.button("Keep document", type="submit", class_name="wp-button"),
            class_name="wp-two",
        ),
        on_submit=on_keep,
        reset_on_submit=True,
        class_name="wp-stack wp-panel-body wp-document-form",
    )
