"""The tabs of targets and of macros."""

from __future__ import annotations

import reflex as rx

from dashboard.components.forms import choice_input, field, form_end, form_fault, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.tables import table, trouble, two_lines
from dashboard.components.work_parts import drawer
from dashboard.states.macros import PLACEHOLDERS, THEN_CHOICES, MacrosState
from dashboard.states.shell import ShellState
from dashboard.states.support_settings import SupportSettingsState
from dashboard.states.support_words import KIND_CHOICES


def targets_tab() -> rx.Component:
    """How soon each priority is answered and solved, and how the queue runs itself."""
    state = SupportSettingsState
    return rx.el.form(
        rx.el.section(
            rx.el.div(
                rx.el.h2("Minutes of business time in ", state.place),
                rx.cond(
                    state.policy["by"] != "",
                    rx.el.span(
                        "kept for ", state.policy["where"], " by ", state.policy["by"], " ",
                        ago(at=state.policy["at"]),
                        class_name="wp-muted",
                    ),
                    rx.el.span("as they came", class_name="wp-muted"),
                ),
                class_name="wp-panel-head",
            ),
            rx.el.div(
                rx.el.div(
                    rx.el.span("Priority"),
                    rx.el.span("First answer"),
                    rx.el.span("Solution"),
                    rx.el.span("Day and night"),
                    class_name="wp-target wp-target-head",
                    aria_hidden="true",
                ),
                rx.foreach(state.targets, _target),
                class_name="wp-targets",
            ),
            class_name="wp-panel",
            aria_label="Targets",
        ),
        rx.el.section(
            rx.el.div(rx.el.h2("The queue by itself"), class_name="wp-panel-head"),
            rx.el.div(
                rx.el.label(
                    rx.el.input(
                        type="checkbox", name="round_robin", default_checked=state.round_robin,
                        disabled=~state.may_configure,
                    ),
                    rx.el.span("New tickets go in turn to those who take tickets"),
                    class_name="wp-check",
                ),
                rx.el.div(
                    _number("Close what is solved after hours", "close", state.policy["close"]),
                    _number("Open one for orders late by minutes", "late", state.policy["late"]),
                    class_name="wp-two-cols",
                ),
                class_name="wp-item",
            ),
            class_name="wp-panel",
            aria_label="The queue by itself",
        ),
        form_fault(state.form_fault),
        rx.cond(
            state.may_configure,
            rx.el.div(
                rx.el.button(
                    "Keep the targets", type="submit", disabled=state.working,
                    class_name="wp-button wp-button-main",
                ),
                class_name="wp-form-end",
            ),
        ),
        on_submit=state.save_policy,
        key=state.policy_key,
        class_name="wp-stack wp-policy",
    )  # fmt: skip


def _number(label: str, name: str, value: rx.Var) -> rx.Component:
    return field(
        label,
        text_input(
            name, input_mode="numeric", required=True, default_value=value,
            disabled=~SupportSettingsState.may_configure,
        ),
    )  # fmt: skip


def _target(each: rx.Var) -> rx.Component:
    off = ~SupportSettingsState.may_configure
    key, word = each["priority"].to(str), each["word"].to(str)
    return rx.el.div(
        rx.el.strong(word),
        rx.el.input(
            name="answer-" + key, default_value=each["answer"].to(str), input_mode="numeric",
            required=True, disabled=off, aria_label=word + ", minutes to the first answer",
            class_name="wp-input",
        ),
        rx.el.input(
            name="solve-" + key, default_value=each["solve"].to(str), input_mode="numeric",
            required=True, disabled=off, aria_label=word + ", minutes to the solution",
            class_name="wp-input",
        ),
        rx.el.label(
            rx.el.input(
                type="checkbox", name="all-" + key, default_checked=each["all_hours"].to(bool),
                disabled=off, aria_label=word + " runs day and night",
            ),
            rx.el.span("at all hours"),
            class_name="wp-check",
        ),
        class_name="wp-target",
    )  # fmt: skip


def macros_tab() -> rx.Component:
    """The macros, and the form of one."""
    state = MacrosState
    return rx.fragment(
        trouble(state.fault, state.load),
        rx.el.section(
            table(
                ["Macro", "Text", "About", "Where", "The ticket then", "Changed",
                 ("Acts", "wp-silent")],
                state.rows,
                _macro,
                ready=state.ready,
                label="Macros",
                empty=("No macro is kept", "Add the answers that agents write again and again."),
            ),
            class_name="wp-panel",
            aria_label="List of macros",
        ),
        _form(),
    )  # fmt: skip


def _macro(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(rx.el.strong(row["name"]), class_name="wp-nowrap"),
        rx.el.td(rx.el.span(row["text"], class_name="wp-macro-text")),
        rx.el.td(row["about"], class_name="wp-nowrap"),
        rx.el.td(row["place"], class_name="wp-nowrap"),
        rx.el.td(row["then"], class_name="wp-nowrap"),
        rx.el.td(two_lines(row["changed"], ago(at=row["at"].to(str))), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(
                MacrosState.may_configure,
                rx.el.div(
                    rx.el.button(
                        "Change", type="button", on_click=MacrosState.begin(row["id"]),
                        aria_label="Change " + row["name"].to(str),
                        class_name="wp-button wp-button-small",
                    ),
                    rx.el.button(
                        "Remove", type="button", on_click=MacrosState.remove(row["id"]),
                        aria_label="Remove " + row["name"].to(str),
                        class_name="wp-button wp-button-small wp-button-quiet",
                    ),
                    class_name="wp-row wp-row-end",
                ),
            ),
            class_name="wp-right",
        ),
        key=row["id"].to(str),
    )  # fmt: skip


def _form() -> rx.Component:
    state = MacrosState
    return drawer(
        rx.el.form(
            field(
                "Name",
                text_input(
                    "name", required=True, max_length=200, default_value=state.form["name"]
                ),
            ),
            field(
                "What the customer reads",
                rx.el.textarea(
                    name="text", rows=8, required=True, max_length=4000,
                    default_value=state.form["text"], class_name="wp-input wp-textarea",
                ),
            ),
            rx.el.p(
                "Filled in as it goes out: ",
                *[rx.el.code(each, class_name="wp-chip") for each in PLACEHOLDERS],
                class_name="wp-muted wp-chips",
            ),
            rx.el.div(
                field(
                    "About",
                    choice_input("kind", KIND_CHOICES, default_value=state.form["kind"]),
                ),
                field(
                    "The ticket then",
                    choice_input("then", THEN_CHOICES, default_value=state.form["then"]),
                ),
                field(
                    "Where",
                    choice_input(
                        "region", ShellState.region_choices, default_value=state.form["region"]
                    ),
                ),
                class_name="wp-two-cols",
            ),
            form_fault(state.form_fault),
            form_end("Keep the macro", state.leave, state.working),
            on_submit=state.save,
            key=state.form_id,
            class_name="wp-drawer-form",
        ),
        open=state.open,
        label=rx.cond(state.form_id != "", "Change the macro", "New macro"),
        on_leave=state.leave,
    )  # fmt: skip
