"""The page of reconciliation: comparing a gateway's report, and settling what differs."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, state_word
from dashboard.components.forms import choice_input, field, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.money_parts import money_tabs
from dashboard.components.tables import NUMBER, pager, table, trouble, two_lines
from dashboard.shell import console_page
from dashboard.states.money import RECONCILIATION
from dashboard.states.reconciliation import GATEWAYS, ReconciliationState
from dashboard.states.shell import ShellState


@console_page(RECONCILIATION, "Reconciliation", on_load=[ReconciliationState.load], regional=True)
def reconciliation() -> rx.Component:
    """Gateways' reports beside the payments of the region."""
    return rx.el.div(
        money_tabs(RECONCILIATION, ShellState.permissions),
        trouble(ReconciliationState.fault, ReconciliationState.load),
        rx.cond(ReconciliationState.chosen != "", _differences()),
        rx.el.div(
            rx.el.section(
                rx.el.div(rx.el.h2("Reports"), class_name="wp-panel-head"),
                table(
                    [
                        "Day",
                        "Report",
                        ("Lines", NUMBER),
                        ("Match", NUMBER),
                        "Open",
                        ("Theirs / ours", NUMBER),
                        "When",
                    ],
                    ReconciliationState.rows,
                    _report,
                    ready=ReconciliationState.ready,
                    label="Reports",
                    empty=("No report yet", "Paste a gateway's settlement report beside."),
                ),
                pager(ReconciliationState.first_page, ReconciliationState.next_page),
                class_name="wp-panel",
            ),
            rx.cond(ShellState.permissions.contains("reconciliation:write"), _new()),
            class_name="wp-split",
        ),
        class_name="wp-page wp-page-wide",
    )


def _report(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            link(row["day"], to=row["link"].to(str), class_name="wp-row-link"),
            class_name="wp-nowrap",
        ),
        rx.el.td(two_lines(row["gateway"], row["name"]), class_name="wp-wrap"),
        rx.el.td(row["lines"], class_name=NUMBER),
        rx.el.td(row["matched"], class_name=NUMBER),
        rx.el.td(state_word(row["tone"], row["open"].to(str))),
        rx.el.td(row["totals"], class_name=NUMBER),
        rx.el.td(two_lines(ago(at=row["at"]), row["who"]), class_name="wp-nowrap"),
        custom_attrs={
            "aria-selected": rx.cond(row["id"] == ReconciliationState.chosen, "true", "false")
        },
    )


def _new() -> rx.Component:
    return rx.el.aside(
        rx.el.div(rx.el.h2("Compare a report"), class_name="wp-panel-head"),
        rx.el.form(
            rx.el.div(
                field("Gateway", choice_input("gateway", GATEWAYS)),
                field("Day", text_input("day", type="date", required=True)),
                class_name="wp-form",
            ),
            field("Name", text_input("name", placeholder="settlement.csv", max_length=200)),
            field(
                "Lines: reference, kind, amount, currency",
                rx.el.textarea(
                    name="content",
                    required=True,
                    rows=10,
                    placeholder="reference,kind,amount,currency\npi_123,payment,125.00,THB",
                    class_name="wp-input wp-area wp-mono",
                    spell_check=False,
                ),
            ),
            rx.el.div(
                rx.el.span("of ", ShellState.region_path, class_name="wp-muted wp-grow"),
                rx.el.button(
                    "Compare",
                    type="submit",
                    disabled=ReconciliationState.busy,
                    class_name="wp-button wp-button-main",
                ),
                class_name="wp-form-end",
            ),
            on_submit=ReconciliationState.compare,
            class_name="wp-item",
        ),
        class_name="wp-panel",
        aria_label="Compare a report",
    )


def _differences() -> rx.Component:
    state = ReconciliationState
    return rx.el.section(
        rx.el.div(
            rx.el.h2(state.chosen_words),
            rx.el.div(
                rx.el.a("CSV", href=state.chosen_csv, class_name="wp-button wp-button-small"),
                link(
                    rx.icon("x", size=14, aria_hidden="true"),
                    to=RECONCILIATION,
                    class_name="wp-icon-button",
                    aria_label="Close this report",
                ),
                class_name="wp-row",
            ),
            class_name="wp-panel-head",
        ),
        table(
            [
                "Difference",
                ("Line", NUMBER),
                "Gateway's id",
                "Order",
                ("Theirs", NUMBER),
                ("Ours", NUMBER),
                "What it is",
                "Settled",
            ],
            state.differences,
            _difference,
            ready=state.ready,
            label="Differences",
            empty=("Nothing differs", "Every line of the report is a payment or refund here."),
        ),
        class_name="wp-panel",
        aria_label="Differences",
    )


def _difference(row: rx.Var) -> rx.Component:
    state = ReconciliationState
    return rx.fragment(
        rx.el.tr(
            rx.el.td(state_word(row["tone"], row["kind"].to(str))),
            rx.el.td(row["line"], class_name=NUMBER),
            rx.el.td(rx.el.code(row["ref"])),
            rx.el.td(
                rx.cond(
                    row["link"] != "",
                    link(rx.el.code(row["order"]), to=row["link"].to(str), class_name="wp-link"),
                )
            ),
            rx.el.td(row["theirs"], class_name=NUMBER),
            rx.el.td(row["ours"], class_name=NUMBER),
            rx.el.td(row["detail"], class_name="wp-wrap"),
            rx.el.td(
                rx.cond(
                    row["settled"] != "",
                    row["settled"],
                    rx.cond(
                        ShellState.permissions.contains("reconciliation:write"),
                        rx.el.button(
                            "Settle",
                            type="button",
                            on_click=state.ask(row["id"]),
                            class_name="wp-button wp-button-small",
                            custom_attrs={
                                "aria-expanded": rx.cond(
                                    state.settling == row["id"], "true", "false"
                                )
                            },
                        ),
                    ),
                ),
                class_name="wp-wrap",
            ),
        ),
        rx.cond(
            state.settling == row["id"],
            rx.el.tr(
                rx.el.td(
                    rx.el.form(
                        field("What was found out", text_input("reason", required=True)),
                        rx.el.button("Keep", type="submit", class_name="wp-button wp-button-main"),
                        on_submit=state.settle,
                        class_name="wp-filters wp-hand-over",
                    ),
                    col_span=8,
                )
            ),
        ),
    )
