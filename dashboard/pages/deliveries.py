"""The delivery log of the integrations page, and the chosen delivery beside it."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.counts import newer_chip
from dashboard.components.forms import choice_input, filter_form, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.lists import BulkAction, pick
from dashboard.components.tables import NUMBER, number, trouble, two_lines
from dashboard.listing import listing
from dashboard.states.deliveries import STATES, TYPES, DeliveriesState
from dashboard.states.integrations import PATH, IntegrationsState

NAME = "deliveries"
_HEADS = ("State", "Event", "Order", "Endpoint", "Happened", "Answer", ("Tries", NUMBER), "Next")


def log() -> rx.Component:
    """Filters, the list, and the chosen delivery."""
    chosen = DeliveriesState.chosen["id"] != ""
    return rx.el.div(
        trouble(DeliveriesState.fault, DeliveriesState.load),
        rx.el.div(
            rx.el.section(
                rx.el.div(
                    rx.el.h2("Deliveries"),
                    newer_chip(DeliveriesState.newer, DeliveriesState.load, "wp-grow"),
                    _filters(),
                    class_name="wp-panel-head",
                ),
                listing(
                    NAME,
                    _HEADS,
                    DeliveriesState.rows,
                    _row,
                    state=DeliveriesState,
                    label="Deliveries",
                    empty=(
                        "Nothing was sent",
                        "Clear the filters, or send a test event to an endpoint.",
                    ),
                    csv=DeliveriesState.csv_link,
                    momentary=("delivery",),
                    actions=[BulkAction("replay", "Send again")],
                    on_act=DeliveriesState.replay_chosen,
                    bones=8,
                ),
                class_name=rx.cond(
                    IntegrationsState.may_write,
                    "wp-panel wp-dense wp-cards",
                    "wp-panel wp-dense wp-cards wp-readonly",
                ),
            ),
            rx.cond(chosen, _chosen()),
            class_name=rx.cond(chosen, "wp-split", ""),
        ),
        class_name="wp-stack",
    )


def _filters() -> rx.Component:
    given = DeliveriesState.filters
    return filter_form(
        choice_input("state", STATES, aria_label="State", default_value=given["state"]),
        choice_input("type", TYPES, aria_label="Event", default_value=given["type"]),
        text_input(
            "order", placeholder="WP-…", aria_label="Order number", default_value=given["order"]
        ),
        on_submit=DeliveriesState.narrow,
        clear=PATH,
        key=DeliveriesState.filters_key,
    )


def _row(row: rx.Var) -> rx.Component:
    words = row["type"].to(str) + " " + row["order"].to(str)
    return rx.el.tr(
        pick(NAME, row["id"].to(str), "Choose " + words),
        rx.el.td(
            link(
                state_word(row["tone"].to(str), row["state"].to(str)),
                to=row["link"].to(str),
                class_name="wp-row-link",
                aria_label=row["state"].to(str) + ": " + words,
            ),
            rx.cond(
                row["result"] != "",
                rx.el.span(
                    shape(row["result_tone"].to(str)), row["result"], class_name="wp-row-result"
                ),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(rx.el.code(row["type"]), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(
                row["order"] != "",
                link(
                    row["order"],
                    to="/orders/" + row["order"].to(str),
                    class_name="wp-code wp-link",
                ),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(two_lines(row["merchant"], row["url"]), class_name="wp-endpoint-cell"),
        rx.el.td(ago(at=row["at"].to(str)), class_name="wp-nowrap"),
        rx.el.td(row["answer"], class_name="wp-wrap"),
        number("tries", row["attempts"]),
        rx.el.td(ago(at=row["next_at"].to(str), empty=""), class_name="wp-nowrap"),
        custom_attrs={"aria-selected": rx.cond(row["chosen"].to(bool), "true", "false")},
    )


def _fact(name: str, value: rx.Var | rx.Component, when: rx.Var | bool = True) -> rx.Component:
    return rx.cond(when, rx.fragment(rx.el.dt(name), rx.el.dd(value)))


def _chosen() -> rx.Component:
    chosen = DeliveriesState.chosen
    return rx.el.aside(
        rx.el.div(
            rx.el.h2(rx.el.code(chosen["type"])),
            rx.el.div(
                rx.cond(
                    IntegrationsState.may_write,
                    rx.el.button(
                        "Send again",
                        type="button",
                        on_click=DeliveriesState.replay_chosen("replay", [chosen["id"]]),
                        disabled=DeliveriesState.replaying,
                        class_name="wp-button wp-button-small",
                    ),
                ),
                link(
                    rx.icon("x", size=14, aria_hidden="true"),
                    to=DeliveriesState.close_link,
                    class_name="wp-icon-button",
                    aria_label="Close this delivery",
                ),
                class_name="wp-row",
            ),
            class_name="wp-panel-head",
        ),
        rx.el.dl(
            _fact("State", state_word(chosen["tone"], chosen["state"])),
            _fact("Order", rx.el.code(chosen["order"]), chosen["order"] != ""),
            _fact("Happened", ago(at=chosen["at"])),
            _fact("Message", rx.el.code(chosen["event_id"])),
            _fact("To", rx.el.code(chosen["url"])),
            _fact("Tries", chosen["attempts"]),
            _fact("Last try", ago(at=chosen["attempted_at"]), chosen["attempted_at"] != ""),
            _fact("Next try", ago(at=chosen["next_at"]), chosen["next_at"] != ""),
            class_name="wp-facts wp-panel-body",
        ),
        _part("Request", chosen["sent"], chosen["payload"]),
        rx.cond(
            chosen["attempted_at"] != "",
            _part(
                "Answer",
                chosen["answered"],
                chosen["excerpt"],
                rx.el.p(
                    rx.cond(chosen["status"] != "", rx.el.strong(chosen["status"])),
                    " ",
                    chosen["why"],
                    rx.cond(
                        chosen["took"] != "",
                        rx.el.span(" after ", chosen["took"], class_name="wp-muted"),
                    ),
                ),
            ),
        ),
        class_name="wp-panel wp-chosen",
        aria_label="The chosen delivery",
    )


def _part(title: str, headers: rx.Var, body: rx.Var, *first: rx.Component) -> rx.Component:
    """One side of the exchange: headers and body, as they went."""
    return rx.el.section(
        rx.el.h3(title),
        *first,
        rx.cond(
            headers.length() > 0,
            rx.el.dl(
                rx.foreach(
                    headers.to(list[dict[str, str]]),
                    lambda header: rx.fragment(rx.el.dt(header["name"]), rx.el.dd(header["value"])),
                ),
                class_name="wp-headers",
            ),
        ),
        rx.cond(
            body != "",
            rx.el.pre(body, class_name="wp-body", tab_index=0, aria_label=f"{title}, body"),
        ),
        class_name="wp-item wp-exchange",
        aria_label=title,
    )
