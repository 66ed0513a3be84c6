"""The refunds page: the list, and deciding what waits for a second person."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, state_word
from dashboard.components.forms import choice_input, field, filter_form, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.lists import BulkAction, pick
from dashboard.components.money_parts import money_tabs
from dashboard.components.outcomes import outcomes
from dashboard.components.tables import NUMBER, trouble, two_lines
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.money import REFUNDS
from dashboard.states.refunds import STATES, RefundsState
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState


@console_page(REFUNDS, "Refunds", on_load=[RefundsState.load, ViewsState.load], regional=True)
def refunds() -> rx.Component:
    """Every refund of the region."""
    return rx.el.div(
        money_tabs(REFUNDS, ShellState.permissions),
        trouble(RefundsState.fault, RefundsState.load),
        outcomes(RefundsState.outcome, RefundsState.outcome_words, RefundsState.close_outcome),
        rx.el.section(
            rx.el.div(
                rx.el.h2("Asked for"),
                filter_form(
                    field(
                        "Find",
                        text_input("q", type="search", default_value=RefundsState.filters["q"]),
                    ),
                    field(
                        "State",
                        choice_input("state", STATES, default_value=RefundsState.filters["state"]),
                    ),
                    on_submit=RefundsState.narrow,
                    clear=REFUNDS,
                    key=RefundsState.filters_key,
                ),
                class_name="wp-panel-head",
            ),
            listing(
                "refunds",
                ["Order", "State", ("Amount", NUMBER), "To", "Why", "Decided", "Where", "When"],
                RefundsState.rows,
                _refund,
                state=RefundsState,
                label="Refunds",
                empty=("No refunds match", "A refund is asked for on its payment's page."),
                csv=RefundsState.csv_link,
                actions=[
                    BulkAction("approve", "Approve"),
                    BulkAction("reject", "Turn down", "Turn the chosen refunds down?", risk=True),
                ],
                on_act=RefundsState.act,
                bones=10,
            ),
            class_name="wp-panel wp-cards",
        ),
        class_name="wp-page wp-page-wide",
    )


def _refund(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        pick("refunds", row["id"], "Choose the refund for " + row["order"].to(str)),
        rx.el.td(
            link(rx.el.code(row["order"]), to=row["link"].to(str), class_name="wp-row-link"),
            class_name="wp-nowrap",
        ),
        rx.el.td(state_word(row["tone"], row["state"].to(str))),
        rx.el.td(row["amount"], class_name=NUMBER),
        rx.el.td(row["to"], class_name="wp-nowrap"),
        rx.el.td(two_lines(row["reason"], row["asked_by"]), class_name="wp-wrap"),
        rx.el.td(row["decided"], class_name="wp-wrap"),
        rx.el.td(row["place"], class_name="wp-nowrap"),
        rx.el.td(ago(at=row["at"], zone=ShellState.region_zone), class_name="wp-nowrap"),
    )
