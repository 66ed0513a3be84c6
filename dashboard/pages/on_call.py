"""On call: schedules and their escalation steps, maintenance windows, and what it costs."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import tab_link
from dashboard.components.forms import choice_input, field, form_end, form_fault, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.tables import empty_state, trouble
from dashboard.components.work_parts import drawer
from dashboard.pages.on_call_more import heartbeats_tab, stand_ins
from dashboard.pages.on_call_tabs import costs_tab, maintenance_tab
from dashboard.shell import console_page
from dashboard.states.costs import CostsState
from dashboard.states.heartbeats import HeartbeatsState
from dashboard.states.maintenance import MaintenanceState
from dashboard.states.on_call import CHANNELS, PATH, TURNS, WHOM, OnCallState
from dashboard.states.shell import ShellState
from dashboard.states.stand_ins import StandInsState

_TABS = (
    ("", "Schedules"),
    ("maintenance", "Maintenance"),
    ("heartbeats", "Heartbeats"),
    ("costs", "Costs"),
)


@console_page(
    PATH,
    "On call",
    on_load=[
        OnCallState.load,
        OnCallState.leave,
        StandInsState.leave,
        MaintenanceState.load,
        HeartbeatsState.load,
        CostsState.load,
    ],
)
def on_call() -> rx.Component:
    """The tab that the address asks for."""
    return rx.el.div(
        trouble(OnCallState.fault, OnCallState.load),
        rx.el.div(
            rx.el.nav(
                *[tab_link(word, PATH, name, OnCallState.tab) for name, word in _TABS],
                class_name="wp-row wp-grow",
                aria_label="On call",
            ),
            rx.cond(
                OnCallState.may_configure & (OnCallState.tab == ""),
                rx.el.button(
                    "New schedule",
                    type="button",
                    on_click=OnCallState.begin(""),
                    class_name="wp-button wp-button-small",
                ),
            ),
            class_name="wp-tabs-row",
        ),
        rx.match(
            OnCallState.tab,
            ("maintenance", maintenance_tab()),
            ("heartbeats", heartbeats_tab()),
            ("costs", costs_tab()),
            _schedules(),
        ),
        _form(),
        stand_ins(),
        class_name="wp-page",
        custom_attrs={"aria-busy": rx.cond(OnCallState.ready, "false", "true")},
    )


def _schedules() -> rx.Component:
    return rx.cond(
        OnCallState.ready & (OnCallState.rows.length() == 0),
        rx.el.section(
            empty_state(
                "Nobody is on call",
                "Make a schedule: without one, alerts only show in the console.",
            ),
            class_name="wp-panel",
        ),
        rx.el.div(rx.foreach(OnCallState.rows, _schedule), class_name="wp-schedules"),
    )


def _schedule(each: rx.Var) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.h2(each["name"]),
                rx.el.span(each["place"], ", ", each["services"], class_name="wp-muted"),
            ),
            rx.cond(
                OnCallState.may_configure,
                rx.el.div(
                    rx.el.button(
                        "Stand-ins",
                        type="button",
                        on_click=StandInsState.begin(each["id"]),
                        aria_label="Stand-ins of " + each["name"].to(str),
                        class_name="wp-button wp-button-small",
                    ),
                    rx.el.button(
                        "Change",
                        type="button",
                        on_click=OnCallState.begin(each["id"]),
                        aria_label="Change " + each["name"].to(str),
                        class_name="wp-button wp-button-small",
                    ),
                    class_name="wp-row",
                ),
            ),
            class_name="wp-panel-head",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.span("On call now", class_name="wp-label"),
                rx.el.strong(each["on_call"], class_name="wp-on-call"),
                rx.el.span("the turn ends ", ago(at=each["until"].to(str)), class_name="wp-muted"),
                rx.el.div(
                    rx.foreach(each["people"].to(list[dict[str, str]]), _turn),
                    class_name="wp-turns",
                    aria_label=each["turn"].to(str),
                ),
                rx.el.span(each["turn"], ", ", each["changed"], class_name="wp-muted"),
                rx.cond(
                    each["stand_ins"] != "",
                    rx.el.span(each["stand_ins"], class_name="wp-muted"),
                ),
                class_name="wp-schedule-now",
            ),
            rx.el.div(
                rx.el.ol(
                    rx.foreach(each["rungs"].to(list[dict[str, str]]), _rung),
                    class_name="wp-ladder",
                ),
                rx.el.p(each["lapse"], class_name="wp-muted"),
            ),
            class_name="wp-schedule-in",
        ),
        class_name="wp-panel",
        aria_label=each["name"].to(str),
    )


def _turn(person: rx.Var) -> rx.Component:
    return rx.el.span(
        person["initials"],
        class_name="wp-person",
        title=person["name"],
        custom_attrs={"data-now": rx.cond(person["now"].to(bool), "true", "false")},
    )


def _rung(rung: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.span(rung["when"], " ", rx.el.strong(rung["whom"])),
        rx.el.span(rung["how"], class_name="wp-muted"),
        class_name="wp-rung",
    )


def _form() -> rx.Component:
    state = OnCallState
    return drawer(
        rx.el.form(
            field("Name", text_input("name", required=True, default_value=state.form["name"])),
            rx.el.div(
                field(
                    "Where",
                    choice_input(
                        "region", ShellState.region_choices, default_value=state.form["region"]
                    ),
                ),
                field(
                    "Services",
                    text_input(
                        "services", placeholder="all", default_value=state.form["services"]
                    ),
                ),
                field("Turns of", choice_input("turn", TURNS, default_value=state.form["turn"])),
                field(
                    "An acknowledgement lapses after, minutes",
                    text_input(
                        "lapse", input_mode="numeric", required=True,
                        default_value=state.form["lapse"],
                    ),
                ),
                class_name="wp-two-cols",
            ),
            rx.el.fieldset(
                rx.el.legend("Who takes turns", class_name="wp-label"),
                rx.el.div(
                    rx.foreach(
                        state.people,
                        _candidate,
                    ),
                    class_name="wp-candidates wp-candidates-short",
                ),
                class_name="wp-fieldset",
            ),
            rx.el.fieldset(
                rx.el.legend("Who is told, and when", class_name="wp-label"),
                rx.foreach(state.steps, _step),
                class_name="wp-fieldset",
            ),
            form_fault(state.form_fault),
            form_end("Keep the schedule", state.leave, state.working),
            on_submit=state.save,
            key=state.form_id,
            class_name="wp-drawer-form",
        ),
        open=state.open,
        label=rx.cond(state.form_id != "", "Change the schedule", "New schedule"),
        on_leave=state.leave,
    )  # fmt: skip


def _candidate(person: rx.Var) -> rx.Component:
    return rx.el.div(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                name="person-" + person["id"].to(str),
                default_checked=person["chosen"].to(bool),
            ),
            rx.el.span(
                rx.el.span(person["name"]),
                rx.el.span(person["email"]),
                class_name="wp-cell-two wp-grow",
            ),
            class_name="wp-candidate wp-grow",
        ),
        rx.el.input(
            type="tel",
            name="sms-" + person["id"].to(str),
            default_value=person["sms"],
            placeholder="SMS to +66...",
            aria_label="Number for SMS to " + person["name"].to(str),
            class_name="wp-input wp-candidate-sms",
        ),
        class_name="wp-row",
    )


def _step(step: rx.Var, at: rx.Var) -> rx.Component:
    number = at.to(str)
    return rx.el.div(
        rx.el.div(
            rx.el.input(
                name="after-" + number, default_value=step["minutes"], input_mode="numeric",
                placeholder="not used", aria_label="Minutes after the step before",
                class_name="wp-input",
            ),
            rx.el.select(
                *[rx.el.option(word, value=value) for value, word in WHOM],
                name="whom-" + number, default_value=step["whom"], aria_label="Whom to tell",
                class_name="wp-input",
            ),
            class_name="wp-rung-form",
        ),
        rx.el.div(
            *[
                rx.el.label(
                    rx.el.input(
                        type="checkbox", name=f"{each}-" + number,
                        default_checked=step[each].to(bool),
                    ),
                    rx.el.span(word),
                    class_name="wp-check",
                )
                for each, word in CHANNELS.items()
            ],
            class_name="wp-row",
        ),
        class_name="wp-step",
    )  # fmt: skip
