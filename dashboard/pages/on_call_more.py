"""The tab of heartbeats, and the drawer of a schedule's stand-ins."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import state_word
from dashboard.components.forms import choice_input, field, form_end, form_fault, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.tables import table, trouble, two_lines
from dashboard.components.work_parts import drawer
from dashboard.states.heartbeats import HeartbeatsState
from dashboard.states.incident_words import SEVERITIES
from dashboard.states.shell import ShellState
from dashboard.states.stand_ins import StandInsState


def heartbeats_tab() -> rx.Component:
    """What is expected to be heard, and expecting one more."""
    state = HeartbeatsState
    return rx.el.div(
        rx.el.section(
            trouble(state.fault, state.load),
            table(
                [
                    "State",
                    "Integration",
                    "Expected",
                    "Told as",
                    "Last heard",
                    ("Drop", "wp-silent"),
                ],
                state.rows,
                _heartbeat,
                ready=state.ready,
                label="Heartbeats",
                empty=("Nothing is expected", "Silence of what is listed here is an alert itself."),
            ),
            class_name="wp-panel",
            aria_label="List of heartbeats",
        ),
        rx.cond(state.may_configure, _heartbeat_form()),
        class_name="wp-split",
    )


def _heartbeat(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(state_word(row["tone"], row["state"].to(str))),
        rx.el.td(two_lines(row["integration"], row["place"]), class_name="wp-wrap"),
        rx.el.td(row["every"], class_name="wp-nowrap"),
        rx.el.td(row["told_as"], class_name="wp-nowrap"),
        rx.el.td(ago(at=row["heard"].to(str)), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(
                HeartbeatsState.may_configure,
                rx.el.button(
                    "Drop",
                    type="button",
                    on_click=HeartbeatsState.remove(row["integration"]),
                    aria_label="Drop " + row["integration"].to(str),
                    class_name="wp-button wp-button-small",
                ),
            ),
            class_name="wp-right",
        ),
    )


def _heartbeat_form() -> rx.Component:
    state = HeartbeatsState
    severities = [(each, each) for each in SEVERITIES]
    return rx.el.aside(
        rx.el.div(rx.el.h2("Expect a heartbeat"), class_name="wp-panel-head"),
        rx.el.form(
            field(
                "Integration",
                text_input(
                    "integration", required=True, max_length=80,
                    placeholder="alertmanager/ and its token's name",
                ),
            ),
            rx.el.div(
                field("Within minutes", text_input("minutes", required=True, default_value="5",
                                                   input_mode="numeric")),
                field("Where", choice_input("region", ShellState.region_choices)),
                field("Service", text_input("service", placeholder="monitoring")),
                field("Severity", choice_input("severity", severities, default_value="SEV2")),
                class_name="wp-two-cols",
            ),
            form_fault(state.form_fault),
            rx.el.div(
                rx.el.button(
                    "Expect it", type="submit", disabled=state.working,
                    class_name="wp-button wp-button-main",
                ),
                class_name="wp-form-end",
            ),
            on_submit=state.save,
            key=state.serial.to(str),
            class_name="wp-item",
        ),
        class_name="wp-panel",
        aria_label="Expect a heartbeat",
    )  # fmt: skip


def stand_ins() -> rx.Component:
    """The drawer in which somebody is asked to stand in."""
    state = StandInsState
    return drawer(
        rx.el.div(
            rx.cond(
                state.rows.length() > 0,
                rx.el.ul(rx.foreach(state.rows, _stand_in), class_name="wp-stand-ins"),
                rx.el.p("Nobody stands in.", class_name="wp-muted"),
            ),
            rx.el.form(
                field(
                    "Who stands in",
                    rx.el.select(
                        rx.foreach(
                            state.people,
                            lambda each: rx.el.option(each["name"], value=each["id"]),
                        ),
                        name="person", class_name="wp-input",
                    ),
                ),
                rx.el.div(
                    field("From, UTC", _moment("since", state.since)),
                    field("Until, UTC", _moment("until", state.until)),
                    class_name="wp-two-cols",
                ),
                form_fault(state.fault),
                form_end("Stand in", state.leave, state.working),
                on_submit=state.add,
                key=state.serial.to(str),
                class_name="wp-stand-in-form",
            ),
            class_name="wp-drawer-form",
        ),
        open=state.open,
        label="Stand-ins of " + state.title,
        on_leave=state.leave,
    )  # fmt: skip


def _moment(name: str, value: rx.Var[str]) -> rx.Component:
    return rx.el.input(
        type="datetime-local", name=name, required=True, default_value=value, class_name="wp-input"
    )


def _stand_in(row: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.span(
            rx.el.strong(row["name"]),
            rx.el.span(
                ago(at=row["since"].to(str)), " until ", ago(at=row["until"].to(str)),
                class_name="wp-muted",
            ),
            class_name="wp-cell-two wp-grow",
        ),
        rx.el.button(
            "Remove",
            type="button",
            disabled=StandInsState.working,
            on_click=StandInsState.remove(row["key"]),
            aria_label="Remove the stand-in of " + row["name"].to(str),
            class_name="wp-button wp-button-small",
        ),
        class_name="wp-row",
    )  # fmt: skip
