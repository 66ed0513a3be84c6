"""The tabs of maintenance windows and of costs."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import state_word
from dashboard.components.forms import choice_input, field, form_fault, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.tables import NUMBER, empty_state, table, trouble, two_lines
from dashboard.states.costs import KIND_CHOICES, CostsState
from dashboard.states.maintenance import LENGTHS, STARTS, MaintenanceState
from dashboard.states.shell import ShellState


def maintenance_tab() -> rx.Component:
    """Windows, and adding one."""
    state = MaintenanceState
    return rx.el.div(
        rx.el.section(
            trouble(state.fault, state.load),
            table(
                ["State", "What for", "Where", "From", "To", "Alerts", ("End", "wp-silent")],
                state.rows,
                _window,
                ready=state.ready,
                label="Maintenance windows",
                empty=("No window", "Add one before work that would raise alerts."),
            ),
            class_name="wp-panel",
            aria_label="List of windows",
        ),
        rx.cond(
            state.may_write,
            rx.el.aside(
                rx.el.div(rx.el.h2("Add a window"), class_name="wp-panel-head"),
                rx.el.form(
                    field("What for", text_input("reason", required=True, max_length=300)),
                    rx.el.div(
                        field("Where", choice_input("region", ShellState.region_choices)),
                        field("Services", text_input("services", placeholder="all")),
                        field("Begins", choice_input("start", STARTS)),
                        field("Lasts", choice_input("lasts", LENGTHS, default_value="60")),
                        class_name="wp-two-cols",
                    ),
                    form_fault(state.form_fault),
                    rx.el.div(
                        rx.el.button(
                            "Add the window",
                            type="submit",
                            disabled=state.working,
                            class_name="wp-button wp-button-main",
                        ),
                        class_name="wp-form-end",
                    ),
                    on_submit=state.add,
                    key=state.serial.to(str),
                    class_name="wp-item",
                ),
                class_name="wp-panel",
                aria_label="Add a window",
            ),
        ),
        class_name="wp-split",
    )


def _window(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(state_word(row["tone"], row["state"].to(str))),
        rx.el.td(two_lines(row["reason"], row["by"]), class_name="wp-wrap"),
        rx.el.td(two_lines(row["place"], row["services"]), class_name="wp-nowrap"),
        rx.el.td(ago(at=row["since"].to(str)), class_name="wp-nowrap"),
        rx.el.td(ago(at=row["until"].to(str)), class_name="wp-nowrap"),
        rx.el.td(row["silenced"], class_name="wp-nowrap wp-muted"),
        rx.el.td(
            rx.cond(
                row["running"].to(bool) & MaintenanceState.may_write,
                rx.el.button(
                    "End now",
                    type="button",
                    on_click=MaintenanceState.end(row["id"]),
                    aria_label="End now: " + row["reason"].to(str),
                    class_name="wp-button wp-button-small",
                ),
            ),
            class_name="wp-right",
        ),
    )


def costs_tab() -> rx.Component:
    """Costs by month and kind, and keeping one."""
    state = CostsState
    return rx.cond(
        state.ready & ~state.may_read,
        rx.el.section(
            empty_state("Costs are the whole company's", "Your roles see single regions."),
            class_name="wp-panel",
        ),
        rx.el.div(
            rx.el.section(
                trouble(state.fault, state.load),
                table(
                    ["Month", "Kind", ("Amount", NUMBER), "Note", "Kept by", ("Drop", "wp-silent")],
                    state.rows,
                    _cost,
                    ready=state.ready,
                    label="Costs",
                    empty=("No cost is kept", "The cost of 1,000 deliveries needs them."),
                ),
                class_name="wp-panel",
                aria_label="List of costs",
            ),
            rx.el.div(
                rx.cond(state.may_write, _cost_form()),
                rx.cond(state.months.length() > 0, _months()),
                class_name="wp-stack",
            ),
            class_name="wp-split",
        ),
    )


def _cost(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(row["month"], class_name="wp-nowrap"),
        rx.el.td(row["kind"]),
        rx.el.td(row["amount"], class_name=NUMBER + " wp-nowrap"),
        rx.el.td(row["note"], class_name="wp-wrap"),
        rx.el.td(two_lines(row["changed"], ago(at=row["at"].to(str))), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(
                CostsState.may_write,
                rx.el.button(
                    "Drop",
                    type="button",
                    on_click=CostsState.remove(row["id"]),
                    aria_label="Drop " + row["kind"].to(str) + " of " + row["month"].to(str),
                    class_name="wp-button wp-button-small",
                ),
            ),
            class_name="wp-right",
        ),
    )


def _cost_form() -> rx.Component:
    state = CostsState
    return rx.el.section(
        rx.el.div(rx.el.h2("Keep a cost"), class_name="wp-panel-head"),
        rx.el.form(
            rx.el.div(
                field(
                    "Month",
                    rx.el.input(
                        type="month", name="month", required=True, default_value=state.this_month,
                        class_name="wp-input",
                    ),
                ),
                field("Kind", choice_input("kind", KIND_CHOICES)),
                field("USD", text_input("amount", required=True, input_mode="decimal")),
                field("Note", text_input("note", max_length=300)),
                class_name="wp-two-cols",
            ),
            rx.el.p("What a month and kind had before is replaced.", class_name="wp-muted"),
            form_fault(state.form_fault),
            rx.el.div(
                rx.el.button(
                    "Keep", type="submit", disabled=state.working,
                    class_name="wp-button wp-button-main",
                ),
                class_name="wp-form-end",
            ),
            on_submit=state.save,
            key=state.this_month + state.serial.to(str),
            class_name="wp-item",
        ),
        class_name="wp-panel",
        aria_label="Keep a cost",
    )  # fmt: skip


def _months() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("By month"), class_name="wp-panel-head"),
        rx.el.div(
            rx.foreach(
                CostsState.months,
                lambda each: rx.el.div(
                    rx.el.span(each["month"], class_name="wp-nowrap"),
                    rx.el.span(rx.el.span(style={"width": each["width"]}), class_name="wp-meter"),
                    rx.el.span(each["total"], class_name="wp-nowrap wp-right"),
                    class_name="wp-month",
                ),
            ),
            class_name="wp-months",
        ),
        class_name="wp-panel",
        aria_label="By month",
    )
