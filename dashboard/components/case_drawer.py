"""The drawer of one action on an order: what it asks, why, and what the customer would read."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.forms import choice_input, field, form_end, form_fault, text_input
from dashboard.components.order_drawer import drivers_to_choose
from dashboard.components.work_parts import drawer

_WHERE = (("source", "The way that it was paid"), ("wallet", "The customer's wallet"))


def case_drawer(acts: Any, own: str) -> rx.Component:
    """The drawer of `acts`, a state with the vars and handlers of `CaseActsState`.

    `own` is the value that stands for words of one's own where a template may be chosen.
    """
    return drawer(
        rx.el.form(
            rx.cond(acts.hint != "", rx.el.p(acts.hint, class_name="wp-muted")),
            *_controls(acts, own),
            rx.el.label(
                rx.el.span("Why"),
                rx.el.textarea(
                    name="reason",
                    rows=2,
                    max_length=300,
                    class_name="wp-input wp-textarea",
                    placeholder="Kept in the order's history",
                ),
                class_name="wp-field",
            ),
            rx.cond(
                acts.asks["driver_id"],
                rx.el.label(
                    rx.el.input(type="checkbox", name="force"),
                    rx.el.span("Even if the driver is full or the shift ends soon; say why above"),
                    class_name="wp-check",
                ),
            ),
            form_fault(acts.fault),
            form_end(rx.cond(acts.working, "Working", acts.title), acts.leave, acts.working),
            on_submit=acts.act,
            key=acts.key,
            class_name="wp-drawer-form",
        ),
        open=acts.open,
        label=acts.title,
        on_leave=acts.leave,
    )


def _controls(acts: Any, own: str) -> list[rx.Component]:
    """The controls of what the action needs and may be told."""
    asks, filled = acts.asks, acts.filled
    return [
        rx.cond(asks["driver_id"], drivers_to_choose(acts)),
        rx.cond(asks["incident"], _incident(acts)),
        rx.cond(asks["payment_id"], _pick(acts, "payment_id", "Payment")),
        rx.cond(
            asks["amount"],
            field(
                rx.fragment("Amount, ", filled["currency"]),
                text_input(
                    "amount",
                    required=True,
                    input_mode="decimal",
                    default_value=filled["amount"],
                ),
            ),
        ),
        rx.cond(asks["destination"], field("To", choice_input("destination", _WHERE))),
        rx.cond(
            asks["wallet_id"],
            field("Wallet", text_input("wallet_id", placeholder="Its id", max_length=36)),
        ),
        rx.cond(
            asks["address"],
            field(
                "Drop address",
                text_input("address", default_value=filled["address"], max_length=400),
            ),
        ),
        rx.cond(asks["point"], _point(filled)),
        rx.cond(asks["window"], _window(filled)),
        rx.cond(asks["text"] | asks["template"], _words(acts, own)),
        rx.cond(asks["channel"], _channel(acts)),
        rx.cond(
            asks["urgent"],
            rx.el.label(
                rx.el.input(type="checkbox", name="urgent"),
                rx.el.span("Also at night: it cannot wait for the morning"),
                class_name="wp-check",
            ),
        ),
    ]


def _options(acts: Any, name: str) -> rx.Component:
    return rx.foreach(
        acts.choices[name], lambda each: rx.el.option(each["word"], value=each["value"])
    )


def _pick(acts: Any, name: str, label: str) -> rx.Component:
    return field(label, rx.el.select(_options(acts, name), name=name, class_name="wp-input"))


def _incident(acts: Any) -> rx.Component:
    """One of those around the order, or any other by its number."""
    return rx.cond(
        acts.choices["incident"].length() > 0,
        _pick(acts, "incident", "Incident"),
        field("Incident", text_input("incident", placeholder="INC-", max_length=80)),
    )


def _point(filled: Any) -> rx.Component:
    return rx.el.div(
        field("Latitude", text_input("lat", default_value=filled["lat"], input_mode="decimal")),
        field("Longitude", text_input("lon", default_value=filled["lon"], input_mode="decimal")),
        class_name="wp-two-cols",
    )


def _window(filled: Any) -> rx.Component:
    return rx.fragment(
        rx.el.div(
            field(
                "From",
                text_input(
                    "window_from", type="datetime-local", default_value=filled["window_from"]
                ),
            ),
            field(
                "Until",
                text_input(
                    "window_until", type="datetime-local", default_value=filled["window_until"]
                ),
            ),
            class_name="wp-two-cols",
        ),
        rx.el.p("Times are in ", filled["zone"], " time.", class_name="wp-muted"),
    )


def _words(acts: Any, own: str) -> rx.Component:
    return rx.fragment(
        rx.cond(
            acts.asks["template"],
            field(
                "What to say",
                rx.el.select(
                    rx.el.option("Words of my own", value=own),
                    _options(acts, "template"),
                    name="template",
                    value=acts.template,
                    on_change=acts.choose_template,
                    class_name="wp-input",
                ),
            ),
        ),
        rx.cond(
            acts.template == own,
            rx.el.label(
                rx.el.span("Text"),
                rx.el.textarea(
                    name="text", rows=5, max_length=2000, class_name="wp-input wp-textarea"
                ),
                class_name="wp-field",
            ),
            rx.el.div(
                rx.el.span("In their language, with examples for figures", class_name="wp-label"),
                rx.el.blockquote(
                    rx.cond(acts.preview != "", acts.preview, "Loading"), class_name="wp-preview"
                ),
                class_name="wp-field",
            ),
        ),
    )


def _channel(acts: Any) -> rx.Component:
    return field(
        "By",
        rx.el.select(
            rx.el.option("the way they prefer", value=""),
            _options(acts, "channel"),
            name="channel",
            class_name="wp-input",
        ),
    )
