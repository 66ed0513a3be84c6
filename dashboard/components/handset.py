"""A customer's phone, drawn small: their page of an order, and the messages that they received."""

from __future__ import annotations

from typing import Any

import reflex as rx


def handset(*content: rx.Component, label: str, bar: Any = "") -> rx.Component:
    """A phone with `content` on its screen, always light as the customers' page is."""
    return rx.el.div(
        rx.el.div(
            rx.el.div(bar, class_name="wp-handset-bar"),
            *content,
            class_name="wp-handset-screen",
            role="group",
            aria_label=label,
            tab_index=0,
        ),
        class_name="wp-handset",
    )


def customer_page(view: Any) -> rx.Component:
    """The customer's page as it is now; `view` is a `CustomerView`."""
    return handset(
        rx.el.div(
            rx.el.p(
                rx.el.i(aria_hidden="true", custom_attrs={"data-tone": view["tone"]}),
                rx.el.strong(view["headline"]),
                class_name="wp-handset-headline",
            ),
            rx.cond(view["detail"] != "", rx.el.p(view["detail"])),
            rx.cond(
                view["low"] != "",
                rx.el.p(
                    rx.el.b(view["low"]),
                    rx.cond(view["high"] != "", rx.fragment(" to ", rx.el.b(view["high"])), ""),
                    class_name="wp-handset-when",
                ),
            ),
            rx.cond(view["note"] != "", rx.el.p(view["note"])),
            rx.cond(view["proof"] != "", rx.el.p(view["proof"])),
            rx.cond(
                view["driver"] != "",
                rx.el.p(
                    rx.el.span(view["initial"], aria_hidden="true"),
                    rx.el.b(view["driver"]),
                    " is bringing it to you",
                    class_name="wp-handset-driver",
                ),
            ),
            class_name="wp-handset-card",
        ),
        rx.cond(
            view["position"] != "",
            rx.el.div(
                rx.icon("map-pin", size=14, aria_hidden="true"),
                view["position"],
                class_name="wp-handset-card wp-handset-near",
            ),
        ),
        rx.el.ol(
            rx.foreach(view["steps"].to(list[dict[str, str]]), _step),
            class_name="wp-handset-card wp-handset-steps",
        ),
        rx.el.p("Order ", rx.el.code(view["number"]), class_name="wp-handset-foot"),
        label="What the customer sees",
        bar="Waypost",
    )


def _step(step: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(
            step["label"],
            rx.el.span(", ", step["spoken"], class_name="wp-hidden-words"),
        ),
        rx.cond(step["at"] != "", rx.el.time(step["at"])),
        custom_attrs={"data-mark": step["mark"]},
    )
