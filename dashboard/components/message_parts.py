"""The other tabs of messages: templates in every language, and the demo's phone."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link
from dashboard.components.frame_parts import ago
from dashboard.components.handset import handset
from dashboard.components.tables import empty_state, trouble


def templates_tab(state: Any) -> rx.Component:
    """The templates on the left, the chosen one in every language on the right."""
    return rx.fragment(
        trouble(state.fault, state.load),
        rx.el.div(
            rx.el.nav(
                rx.el.div(rx.el.h2("Templates"), class_name="wp-panel-head"),
                rx.foreach(state.templates, _template),
                class_name="wp-panel",
                aria_label="Templates",
            ),
            rx.el.section(
                rx.el.div(
                    rx.el.h2(state.word),
                    rx.cond(
                        state.params != "",
                        rx.el.span("filled with ", state.params, class_name="wp-muted"),
                    ),
                    class_name="wp-panel-head",
                ),
                rx.el.div(
                    rx.foreach(state.previews, _preview),
                    class_name="wp-previews",
                    custom_attrs={"aria-busy": rx.cond(state.ready, "false", "true")},
                ),
                class_name="wp-panel",
                aria_label="In every language",
            ),
            class_name="wp-side-list",
        ),
    )


def _template(row: Any) -> rx.Component:
    return link(
        rx.el.span(row["word"]),
        rx.el.span(row["note"], class_name="wp-fact-note"),
        to=row["link"].to(str),
        class_name="wp-case-row",
        custom_attrs={"aria-current": rx.cond(row["on"].to(bool), "true", "false")},
    )


def _preview(each: Any) -> rx.Component:
    return rx.el.article(
        rx.el.h3(each["language"], rx.el.span(each["code"], class_name="wp-code wp-muted")),
        rx.el.p(each["text"], lang=each["code"].to(str), class_name="wp-bubble"),
        class_name="wp-preview-card",
    )


def phone_tab(state: Any) -> rx.Component:
    """The phones that were written to, and one of them."""
    return rx.fragment(
        trouble(state.fault, state.load),
        rx.el.div(
            rx.el.nav(
                rx.el.form(
                    rx.el.input(
                        name="order",
                        placeholder="Number of an order",
                        aria_label="Number of an order",
                        class_name="wp-input",
                        auto_complete="off",
                    ),
                    rx.el.button("Show", type="submit", class_name="wp-button"),
                    on_submit=state.pick,
                    class_name="wp-row wp-phone-ask",
                ),
                rx.el.div(rx.foreach(state.phones, _phone), class_name="wp-phones"),
                class_name="wp-panel",
                aria_label="Phones that were written to",
            ),
            rx.el.section(
                rx.el.div(
                    rx.el.h2(
                        rx.cond(state.order != "", "The customer of ", "A customer's phone"),
                        rx.cond(
                            state.order != "",
                            link(state.order, to="/orders/" + state.order, class_name="wp-link"),
                        ),
                    ),
                    rx.el.span(
                        state.recipient,
                        rx.cond(state.language != "", ", written to in ", ""),
                        state.language,
                        class_name="wp-muted",
                    ),
                    class_name="wp-panel-head",
                ),
                rx.cond(
                    state.bubbles.length() > 0,
                    handset(
                        rx.el.ol(rx.foreach(state.bubbles, _bubble), class_name="wp-bubbles"),
                        label="What the customer received",
                        bar="Messages",
                    ),
                    rx.cond(
                        state.ready,
                        empty_state(
                            "Nothing was received yet",
                            "Choose an order on the left, or write to a customer from their order.",
                        ),
                    ),
                ),
                class_name="wp-panel wp-phone-panel",
                aria_label="Phone",
            ),
            class_name="wp-side-list",
        ),
    )


def _phone(row: Any) -> rx.Component:
    return link(
        rx.el.span(
            rx.el.span(row["order"], class_name="wp-code"),
            rx.el.span(ago(at=row["at"]), class_name="wp-muted"),
            class_name="wp-item-line",
        ),
        rx.el.span(row["what"], ", ", row["recipient"], class_name="wp-fact-note"),
        to=row["link"].to(str),
        class_name="wp-case-row",
        custom_attrs={"aria-current": rx.cond(row["on"].to(bool), "true", "false")},
    )


def _bubble(each: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(each["channel"], ", ", each["clock"], class_name="wp-bubble-head"),
        rx.el.p(each["text"], class_name="wp-bubble"),
        key=each["id"],
    )
