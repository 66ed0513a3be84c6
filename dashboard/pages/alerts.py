"""The alerts tab of the incidents page, and the keys of both its lists."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, state_word
from dashboard.components.forms import choice_input, field, filter_form, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.incident_parts import running
from dashboard.components.incident_rows import severity_mark
from dashboard.components.lists import BulkAction, pick
from dashboard.components.outcomes import outcomes
from dashboard.components.tables import trouble, two_lines
from dashboard.components.work_parts import row_keys
from dashboard.listing import listing
from dashboard.states.alerts import BULK, STATUS_CHOICES, AlertsState
from dashboard.states.incident_words import PATH
from dashboard.states.incidents import SEVERITY_CHOICES
from dashboard.states.raw_event import RawEventState
from dashboard.states.shell import ShellState

LIST_CLASS = "wp-panel wp-list-first wp-dense"
_KEYS = (("a", "acknowledge"), ("s", "snooze"), ("r", "resolve"))


def bulk_keys(name: str, state: Any) -> rx.Component:
    """The keys that act on the chosen rows of a list."""
    return rx.cond(
        state.may_write,
        row_keys(
            name=name,
            keys=[{"key": key, "action": action} for key, action in _KEYS],
            on_act=state.act,
        ),
    )


def alerts_tab() -> rx.Component:
    """Alerts as they came in."""
    asked = AlertsState.filters
    return rx.fragment(
        trouble(AlertsState.fault, AlertsState.load),
        outcomes(AlertsState.outcome, AlertsState.outcome_words, AlertsState.close_outcome),
        rx.el.section(
            filter_form(
                field(
                    "Find",
                    text_input(
                        "q", type="search", placeholder="Title or key", default_value=asked["q"]
                    ),
                ),
                field(
                    "Status",
                    choice_input(
                        "status", STATUS_CHOICES, default_value=asked["status"]
                    ),
                ),
                field(
                    "Severity",
                    choice_input("severity", SEVERITY_CHOICES, default_value=asked["severity"]),
                ),
                field(
                    "Service",
                    text_input("service", placeholder="Any", default_value=asked["service"]),
                ),
                field(
                    "Source",
                    text_input(
                        "integration", placeholder="Any", default_value=asked["integration"]
                    ),
                ),
                on_submit=AlertsState.narrow,
                clear=f"{PATH}?tab=alerts",
                key=AlertsState.filters_key,
            ),
            class_name="wp-panel wp-filter-panel",
            aria_label="Filters",
        ),
        rx.el.section(
            listing(
                "alerts",
                ["Severity", "Alert", "Status", "Lasts", "Where", "Source", "Started", "Told",
                 ("More", "wp-silent")],
                AlertsState.rows,
                _alert,
                state=AlertsState,
                label="Alerts",
                empty=("No alert matches", "Nothing fires here: look at resolved ones."),
                csv=AlertsState.csv_link,
                momentary=("region",),
                actions=[
                    BulkAction(key, words[0]) for key, words in BULK.items()
                ],
                on_act=AlertsState.act,
                bones=8,
            ),
            class_name=rx.cond(
                AlertsState.may_write | ~AlertsState.ready,
                LIST_CLASS,
                LIST_CLASS + " wp-readonly",
            ),
            aria_label="List of alerts",
        ),
        bulk_keys("alerts", AlertsState),
    )  # fmt: skip


def _alert(row: rx.Var) -> rx.Component:
    words = rx.fragment(
        rx.el.span(row["title"]), rx.el.span(row["key"], class_name="wp-mono wp-clip")
    )
    return rx.el.tr(
        pick("alerts", row["id"], "Choose " + row["title"].to(str)),
        rx.el.td(severity_mark(row["tone"], row["severity"]), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(
                row["incident"] != "",
                link(words, to=row["incident"].to(str), class_name="wp-row-link wp-inc-title"),
                rx.el.span(words, class_name="wp-inc-title"),
            )
        ),
        rx.el.td(state_word(row["status_tone"], row["status"].to(str))),
        rx.el.td(
            running(since=row["started"].to(str), until=row["ended"].to(str)),
            class_name="wp-nowrap",
        ),
        rx.el.td(two_lines(row["place"], row["service"]), class_name="wp-nowrap"),
        rx.el.td(row["integration"], class_name="wp-nowrap"),
        rx.el.td(
            ago(at=row["started"].to(str), zone=ShellState.region_zone), class_name="wp-nowrap"
        ),
        rx.el.td(row["count"], class_name="wp-nowrap wp-muted"),
        rx.el.td(
            rx.cond(
                row["event"] != "",
                rx.el.button(
                    "Raw",
                    type="button",
                    on_click=RawEventState.show(row["event"]),
                    aria_label="Raw payload of " + row["title"].to(str),
                    class_name="wp-button wp-button-small",
                ),
            ),
            class_name="wp-right",
        ),
        key=row["id"].to(str),
    )
