"""The incidents page: what is open by severity, the list, and the alerts behind it."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, state_word, tab_link
from dashboard.components.counts import count_bones, count_link
from dashboard.components.forms import (
    choice_input,
    field,
    filter_form,
    form_end,
    form_fault,
    text_input,
)
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.incident_drawers import raw_drawer
from dashboard.components.incident_parts import running
from dashboard.components.incident_rows import severity_mark
from dashboard.components.lists import BulkAction, pick
from dashboard.components.outcomes import outcomes
from dashboard.components.tables import trouble, two_lines
from dashboard.components.work_parts import drawer
from dashboard.listing import listing
from dashboard.pages.alerts import LIST_CLASS, alerts_tab, bulk_keys
from dashboard.shell import console_page
from dashboard.states.alerts import AlertsState
from dashboard.states.incident_words import PATH
from dashboard.states.incidents import (
    BULK,
    DECLARED,
    MINE_CHOICES,
    SEVERITY_CHOICES,
    STATE_CHOICES,
    IncidentsState,
)
from dashboard.states.raw_event import RawEventState
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState

REFRESH_EVERY_S = 4.0
_SERVICES = ("payments", "tracking", "dispatch", "notifications", "platform")


@console_page(
    PATH,
    "Incidents",
    on_load=[IncidentsState.load, AlertsState.load, ViewsState.load],
    regional=True,
    keys=[
        ("a", "Acknowledge the chosen"),
        ("s", "Snooze the chosen for an hour"),
        ("r", "Resolve the chosen"),
    ],
)
def incidents() -> rx.Component:
    """Counts, tabs, and the list of the tab."""
    return rx.el.div(
        trouble(IncidentsState.fault, IncidentsState.load),
        rx.el.section(
            rx.cond(
                IncidentsState.ready,
                rx.foreach(IncidentsState.counts, _count),
                count_bones(4),
            ),
            class_name="wp-counts",
            aria_label="Open incidents by severity",
        ),
        _tabs(),
        rx.cond(IncidentsState.tab == "alerts", alerts_tab(), _incidents()),
        _declare(),
        raw_drawer(RawEventState),
        pulse(seconds=REFRESH_EVERY_S, on_beat=[IncidentsState.refresh, AlertsState.refresh]),
        class_name="wp-page wp-page-wide",
    )


def _count(each: rx.Var) -> rx.Component:
    return count_link(each, severity_mark(each["tone"], each["name"]))


def _tabs() -> rx.Component:
    def tab(word: str, name: str) -> rx.Component:
        return tab_link(word, PATH, name, IncidentsState.tab)

    return rx.el.div(
        rx.el.nav(
            tab("Incidents", ""),
            tab("Alerts", "alerts"),
            class_name="wp-row wp-grow",
            aria_label="Incidents and alerts",
        ),
        rx.cond(
            IncidentsState.may_write,
            rx.el.button(
                "Declare an incident",
                type="button",
                on_click=IncidentsState.begin,
                class_name="wp-button wp-button-small",
            ),
        ),
        class_name="wp-tabs-row",
    )


def _incidents() -> rx.Component:
    return rx.fragment(
        outcomes(
            IncidentsState.outcome, IncidentsState.outcome_words, IncidentsState.close_outcome
        ),
        rx.el.section(
            _incident_filters(), class_name="wp-panel wp-filter-panel", aria_label="Filters"
        ),
        rx.el.section(
            listing(
                "incidents",
                [
                    "Severity",
                    "Incident",
                    "State",
                    "Impact lasts",
                    "Alerts",
                    "Commander",
                    "Detected",
                ],
                IncidentsState.rows,
                _incident,
                state=IncidentsState,
                label="Incidents",
                empty=(
                    "No incident matches",
                    "Clear the filters, or look at resolved ones or at another region.",
                ),
                csv=IncidentsState.csv_link,
                momentary=("region", "declare"),
                actions=[
                    BulkAction(key, words[0], "No alert of theirs may still fire. Resolve?")
                    if key == "resolve"
                    else BulkAction(key, words[0])
                    for key, words in BULK.items()
                ],
                on_act=IncidentsState.act,
                bones=8,
            ),
            class_name=rx.cond(
                IncidentsState.may_write | ~IncidentsState.ready,
                LIST_CLASS,
                LIST_CLASS + " wp-readonly",
            ),
            aria_label="List of incidents",
        ),
        bulk_keys("incidents", IncidentsState),
    )


def _incident_filters() -> rx.Component:
    asked = IncidentsState.filters
    return filter_form(
        field(
            "Find",
            text_input("q", type="search", placeholder="Number or title", default_value=asked["q"]),
        ),
        field("State", choice_input("state", STATE_CHOICES, default_value=asked["state"])),
        field(
            "Severity", choice_input("severity", SEVERITY_CHOICES, default_value=asked["severity"])
        ),
        field(
            "Service",
            text_input("service", placeholder="Any service", default_value=asked["service"]),
        ),
        field("Whose", choice_input("mine", MINE_CHOICES, default_value=asked["mine"])),
        field("From", text_input("from", type="date", default_value=asked["from"])),
        field("To", text_input("to", type="date", default_value=asked["to"])),
        on_submit=IncidentsState.narrow,
        clear=PATH,
        key=IncidentsState.filters_key,
    )


def _incident(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        pick("incidents", row["id"], "Choose " + row["number"].to(str)),
        rx.el.td(severity_mark(row["tone"], row["severity"]), class_name="wp-nowrap"),
        rx.el.td(
            link(
                rx.el.span(rx.el.code(row["number"], class_name="wp-muted"), "  ", row["title"]),
                rx.el.span(row["under"]),
                to=row["link"].to(str),
                class_name="wp-row-link wp-inc-title",
            ),
        ),
        rx.el.td(
            two_lines(state_word(row["state_tone"], row["state"].to(str)), row["note"]),
            class_name="wp-nowrap",
        ),
        rx.el.td(
            running(since=row["since"].to(str), until=row["until"].to(str)),
            class_name="wp-nowrap",
        ),
        rx.el.td(
            rx.cond(
                row["firing"].to(bool),
                state_word("critical", row["alerts"].to(str)),
                rx.el.span(row["alerts"], class_name="wp-muted"),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(
            rx.cond(
                row["commander"] != "", row["commander"], rx.el.span("nobody", class_name="wp-warn")
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(
            ago(at=row["detected"].to(str), zone=ShellState.region_zone), class_name="wp-nowrap"
        ),
        key=row["id"].to(str),
    )


def _declare() -> rx.Component:
    state = IncidentsState
    return drawer(
        rx.el.form(
            field("What is wrong", text_input("title", required=True, max_length=300)),
            field("Severity", choice_input("severity", DECLARED, default_value="SEV3")),
            rx.el.div(
                field("Where", choice_input("region", ShellState.region_choices)),
                field(
                    "Service",
                    choice_input("service", tuple((each, each) for each in _SERVICES)),
                ),
                class_name="wp-two-cols",
            ),
            field(
                "Started how many minutes ago",
                text_input("ago", input_mode="numeric", placeholder="0", pattern="[0-9]{0,5}"),
            ),
            field(
                "What is known",
                rx.el.textarea(
                    name="note", rows=3, max_length=4000, class_name="wp-input wp-textarea"
                ),
            ),
            rx.el.label(
                rx.el.input(type="checkbox", name="test"),
                rx.el.span("An exercise: it stays out of the figures"),
                class_name="wp-check",
            ),
            form_fault(state.form_fault),
            form_end("Declare", state.leave, state.working),
            on_submit=state.declare,
            class_name="wp-drawer-form",
        ),
        open=state.declaring,
        label="Declare an incident",
        on_leave=state.leave,
    )  # fmt: skip
