"""The sessions pages: everybody's for admins, one's own for everyone."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import state_word
from dashboard.components.forms import filter_form, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.lists import BulkAction, pick
from dashboard.components.tables import table, trouble, two_lines
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.sessions import OWN_PATH, PATH, SessionsState
from dashboard.states.views import ViewsState

_EMPTY = ("No sessions", "Nobody you may see is signed in.")


@console_page(PATH, "Sessions", on_load=[SessionsState.load, ViewsState.load])
def sessions() -> rx.Component:
    """Everybody who is signed in."""
    return rx.el.div(
        trouble(SessionsState.fault, SessionsState.load),
        rx.el.section(
            rx.el.div(
                rx.el.h2("Signed in now"),
                filter_form(
                    text_input(
                        "q",
                        type="search",
                        placeholder="Name, e-mail or address",
                        aria_label="Find a session",
                        default_value=SessionsState.text,
                        key=SessionsState.text,
                    ),
                    on_submit=SessionsState.search,
                    clear=PATH,
                ),
                class_name="wp-panel-head",
            ),
            listing(
                "sessions",
                [
                    "Person",
                    "Device",
                    "Address",
                    "Began",
                    "Last activity",
                    "Ends at the latest",
                    ("End", "wp-silent"),
                ],
                SessionsState.rows,
                lambda row: _session(row, people=True),
                state=SessionsState,
                label="Sessions",
                empty=_EMPTY,
                csv=SessionsState.csv_link,
                actions=[BulkAction("end", "End", "Their consoles close at once. End?", risk=True)],
                on_act=SessionsState.end_chosen,
            ),
            class_name="wp-panel",
        ),
        class_name="wp-page",
    )


@console_page(OWN_PATH, "Your sessions", on_load=[SessionsState.load_own])
def own_sessions() -> rx.Component:
    """Where one is signed in oneself."""
    return rx.el.div(
        trouble(SessionsState.fault, SessionsState.load_own),
        rx.el.section(
            rx.el.div(
                rx.el.h2("Where you are signed in"),
                rx.el.p(
                    "End what you do not recognise, and tell your administrator.",
                    class_name="wp-muted",
                ),
                class_name="wp-panel-head",
            ),
            table(
                ["Device", "Address", "Began", "Last activity", "Ends at the latest", ("End", "")],
                SessionsState.rows,
                lambda row: _session(row, people=False),
                ready=SessionsState.ready,
                label="Your sessions",
                empty=_EMPTY,
                bones=2,
            ),
            class_name="wp-panel",
        ),
        class_name="wp-page",
    )


def _whose(row: rx.Var) -> tuple[rx.Component, rx.Component]:
    words = "Choose the session of " + row["name"].to(str)
    return pick("sessions", row["id"], words), rx.el.td(two_lines(row["name"], row["email"]))


def _session(row: rx.Var, *, people: bool) -> rx.Component:
    return rx.el.tr(
        *_whose(row) if people else (),
        rx.el.td(
            row["device"],
            rx.cond(row["here"], rx.el.span(" ", state_word("good", "this one"))),
            class_name="wp-nowrap",
        ),
        rx.el.td(rx.el.code(row["address"])),
        rx.el.td(ago(at=row["began_at"]), class_name="wp-nowrap"),
        rx.el.td(ago(at=row["seen_at"]), class_name="wp-nowrap"),
        rx.el.td(ago(at=row["ends_at"]), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(
                SessionsState.may_write,
                rx.el.div(
                    rx.el.button(
                        "End",
                        type="button",
                        on_click=SessionsState.end(row["id"]),
                        class_name="wp-button wp-button-small",
                        aria_label="End this session",
                    ),
                    rx.el.button(
                        "End all of the person",
                        type="button",
                        on_click=SessionsState.end_all(row["person"]),
                        class_name="wp-button wp-button-small",
                    )
                    if people
                    else rx.fragment(),
                    class_name="wp-row wp-row-end",
                ),
            ),
        ),
    )
