"""The ledger's page: accounts, and the chosen one's lines beside them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.forms import field, filter_form, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.money_parts import ENTRY_HEADS, entry_line, money_tabs
from dashboard.components.tables import NUMBER, number, table, trouble, two_lines
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.ledger import LedgerState
from dashboard.states.money import LEDGER
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState

_chosen = LedgerState.chosen


@console_page(LEDGER, "Ledger", on_load=[LedgerState.load, ViewsState.load], regional=True)
def ledger() -> rx.Component:
    """Accounts and their entries."""
    return rx.el.div(
        money_tabs(LEDGER, ShellState.permissions),
        trouble(LedgerState.fault, LedgerState.load),
        _faults(),
        rx.cond(_chosen["id"] != "", _account()),
        rx.el.section(
            rx.el.div(rx.el.h2("Accounts"), _tools(), class_name="wp-panel-head"),
            listing(
                "accounts",
                [
                    "Account",
                    "Where",
                    ("Balance", NUMBER),
                    ("Held back", NUMBER),
                    ("Entries", NUMBER),
                ],
                LedgerState.rows,
                _row,
                state=LedgerState,
                label="Accounts",
                empty=("No accounts match", "Accounts open with the first transfer they are in."),
                momentary=("account", "at", "lines"),
                bones=12,
            ),
            class_name="wp-panel wp-cards",
        ),
        class_name="wp-page wp-page-wide",
    )


def _tools() -> rx.Component:
    asked = LedgerState.filters
    return rx.el.div(
        rx.el.span(
            shape(LedgerState.check["tone"]),
            rx.el.span(LedgerState.check["text"]),
            rx.cond(LedgerState.check["at"] != "", ago(at=LedgerState.check["at"])),
            class_name="wp-state wp-muted",
            aria_live="polite",
        ),
        rx.el.button(
            rx.cond(LedgerState.checking, "Checking", "Check all"),
            type="button",
            on_click=LedgerState.check_all,
            disabled=LedgerState.checking,
            class_name="wp-button",
        ),
        filter_form(
            text_input(
                "q", type="search", placeholder="Owner", aria_label="Owner",
                default_value=asked["q"],
            ),
            text_input(
                "kind", placeholder="Kind", aria_label="Kind", default_value=asked["kind"]
            ),
            on_submit=LedgerState.narrow,
            clear=LEDGER,
            key=LedgerState.filters_key,
        ),
        class_name="wp-row wp-row-end wp-grow",
    )  # fmt: skip


def _faults() -> rx.Component:
    return rx.cond(
        LedgerState.faults.length() > 0,
        rx.el.section(
            rx.foreach(
                LedgerState.faults,
                lambda fault: rx.el.div(
                    state_word("critical", fault["rule"].to(str)),
                    two_lines(fault["detail"], rx.el.code(fault["subject"])),
                    class_name="wp-need",
                ),
            ),
            class_name="wp-panel",
            role="alert",
        ),
    )


def _row(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            link(
                two_lines(row["kind"], row["owner"]),
                to=row["link"].to(str),
                class_name="wp-row-link",
            )
        ),
        rx.el.td(row["place"], class_name="wp-nowrap"),
        number(
            "balance",
            rx.el.span(
                rx.cond(row["tone"] == "critical", shape("critical")),
                row["balance"],
                class_name="wp-state wp-row-end",
            ),
        ),
        number("held back", row["held"]),
        number("entries", row["entries"]),
        custom_attrs={"aria-selected": rx.cond(row["id"] == _chosen["id"], "true", "false")},
    )


def _account() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.h2(_chosen["title"]),
                rx.el.span(_chosen["place"], ", ", _chosen["rules"], class_name="wp-muted"),
                class_name="wp-cell-two",
            ),
            rx.el.div(
                rx.el.a("CSV", href=_chosen["csv"], class_name="wp-button wp-button-small"),
                link(
                    rx.icon("x", size=14, aria_hidden="true"),
                    to=_chosen["close"],
                    class_name="wp-icon-button",
                    aria_label="Close this account",
                ),
                class_name="wp-row",
            ),
            class_name="wp-panel-head",
        ),
        rx.el.div(
            _balance("Balance", _chosen["balance"]),
            _balance("Held back", _chosen["held"]),
            _balance("Available", _chosen["available"]),
            rx.el.form(
                field(
                    "At the end of a day",
                    text_input("at", type="date", default_value=_chosen["at"], key=_chosen["at"]),
                ),
                rx.el.button("Look", type="submit", class_name="wp-button"),
                rx.cond(_chosen["then"] != "", rx.el.strong(_chosen["then"])),
                on_submit=LedgerState.look_at_time,
                class_name="wp-filters",
            ),
            rx.cond(LedgerState.may_correct, _correction()),
            class_name="wp-balances",
        ),
        table(
            ENTRY_HEADS,
            LedgerState.entries,
            entry_line,
            ready=LedgerState.ready,
            label="Entries",
            empty=("No entries yet", "The account is open and nothing has moved."),
        ),
        rx.cond(
            LedgerState.entries_next != "",
            rx.el.nav(
                link("Older", to=LedgerState.entries_next, class_name="wp-button wp-button-small"),
                class_name="wp-pager",
                aria_label="Older entries",
            ),
        ),
        class_name="wp-panel",
        aria_label="The chosen account",
    )


def _balance(name: str, value: Any) -> rx.Component:
    return rx.el.div(
        rx.el.span(name, class_name="wp-tile-name"),
        rx.el.strong(value),
        class_name="wp-balance",
    )


def _correction() -> rx.Component:
    return rx.el.details(
        rx.el.summary("Correct a transfer", class_name="wp-button wp-button-quiet"),
        rx.el.form(
            field("Transfer's id", text_input("transfer", required=True)),
            field("Why", text_input("reason", required=True, min_length=3)),
            rx.el.button("Take it back", type="submit", class_name="wp-button wp-button-risk"),
            on_submit=LedgerState.correct,
            class_name="wp-filters",
        ),
    )
