"""The payments page: figures, why payments fail, and the list."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.counts import figure
from dashboard.components.forms import choice_input, field, filter_form, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.lists import BulkAction, pick
from dashboard.components.money_parts import money_tabs
from dashboard.components.outcomes import outcomes
from dashboard.components.tables import NUMBER, number, trouble, two_lines
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.money import PAYMENTS
from dashboard.states.payments import (
    GATEWAYS,
    LATENESS,
    STATES,
    TERMS_CHOICES,
    PaymentsState,
)
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState


@console_page(
    PAYMENTS,
    "Payments",
    on_load=[PaymentsState.load, ViewsState.load],
    regional=True,
    keys=[("x", "Choose the row"), ("j / k", "Next, previous row")],
)
def payments() -> rx.Component:
    """Every payment of the region."""
    return rx.el.div(
        money_tabs(PAYMENTS, ShellState.permissions),
        trouble(PaymentsState.fault, PaymentsState.load),
        rx.el.section(
            rx.foreach(PaymentsState.figures, figure),
            class_name="wp-tiles wp-tiles-plain",
            aria_label="Figures of the last day",
        ),
        rx.cond(PaymentsState.groups.length() > 0, _failures()),
        outcomes(PaymentsState.outcome, PaymentsState.outcome_words, PaymentsState.close_outcome),
        rx.el.section(_filters(), class_name="wp-panel wp-filter-panel", aria_label="Filters"),
        rx.el.section(
            listing(
                "payments",
                [
                    "Order",
                    "State",
                    ("Amount", NUMBER),
                    ("Refunded", NUMBER),
                    "Through",
                    "Why",
                    "Where",
                    "When",
                ],
                PaymentsState.rows,
                _payment,
                state=PaymentsState,
                label="Payments",
                empty=("No payments match", "Widen the filters or choose another region."),
                csv=PaymentsState.csv_link,
                actions=[BulkAction("retry", "Try again")],
                on_act=PaymentsState.act,
                bones=12,
            ),
            class_name="wp-panel wp-list-first wp-cards",
        ),
        class_name="wp-page wp-page-wide",
    )


def _failures() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("Why payments fail"), class_name="wp-panel-head"),
        rx.el.div(
            rx.foreach(
                PaymentsState.groups,
                lambda group: link(
                    state_word("critical", group["count"].to(str)),
                    rx.el.span(
                        rx.el.span(group["gateway"], ": ", group["reason"]),
                        rx.el.span(group["amounts"]),
                        class_name="wp-cell-two",
                    ),
                    rx.el.span("oldest ", group["oldest"], class_name="wp-muted wp-nowrap"),
                    to=group["link"].to(str),
                    class_name="wp-need",
                ),
            ),
            class_name="wp-needs",
        ),
        class_name="wp-panel",
        aria_label="Why payments fail",
    )


def _filters() -> rx.Component:
    asked = PaymentsState.filters
    return filter_form(
        field(
            "Find",
            text_input(
                "q", type="search", placeholder="Order, gateway id", default_value=asked["q"]
            ),
        ),
        field("State", choice_input("state", STATES, default_value=asked["state"])),
        field("Terms", choice_input("terms", TERMS_CHOICES, default_value=asked["terms"])),
        field("Gateway", choice_input("gateway", GATEWAYS, default_value=asked["gateway"])),
        field("Late", choice_input("late", LATENESS, default_value=asked["late"])),
        rx.el.input(type="hidden", name="code", default_value=asked["code"]),
        field("From", text_input("from", type="date", default_value=asked["from"])),
        field("To", text_input("to", type="date", default_value=asked["to"])),
        on_submit=PaymentsState.narrow,
        clear=PAYMENTS,
        key=PaymentsState.filters_key,
    )


def _payment(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        pick("payments", row["id"], "Choose the payment of " + row["order"].to(str)),
        rx.el.td(
            link(
                rx.cond(row["order"] != "", rx.el.code(row["order"]), "top-up"),
                to=row["link"].to(str),
                class_name="wp-row-link",
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(
            rx.el.span(
                state_word(row["tone"], row["state"].to(str)),
                rx.cond(row["late"], rx.el.span(shape("warning"), "late", class_name="wp-state")),
                class_name="wp-row",
            )
        ),
        rx.el.td(row["amount"], class_name=NUMBER),
        number("refunded", row["refunded"]),
        rx.el.td(two_lines(row["gateway"], row["terms"]), class_name="wp-nowrap"),
        rx.el.td(row["reason"], class_name="wp-wrap"),
        rx.el.td(row["place"], class_name="wp-nowrap"),
        rx.el.td(ago(at=row["at"], zone=ShellState.region_zone), class_name="wp-nowrap"),
    )
