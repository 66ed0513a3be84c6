"""The roster of drivers."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.forms import field, filter_form, text_input
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.lists import BulkAction, pick
from dashboard.components.shift_drawer import shift_drawer
from dashboard.components.tables import NUMBER, trouble
from dashboard.components.work_parts import changed, row_keys
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.drivers import PATH, DriversState
from dashboard.states.shell import ShellState
from dashboard.states.shifts import ShiftsState
from dashboard.states.views import ViewsState

NAME = "drivers"
_LIST = "wp-panel wp-list-first wp-dense wp-cards"
REFRESH_EVERY_S = 5.0
_HEADS = (
    "Driver",
    "Status",
    "Vehicle",
    "Hub",
    "Load",
    ("Weight", NUMBER),
    "Skills",
    "Shift",
    ("Battery", NUMBER),
    "Documents",
    "Seen",
)


@console_page(
    PATH,
    "Drivers",
    on_load=[DriversState.load, ViewsState.load],
    regional=True,
    keys=[("p", "Plan shifts of the chosen drivers")],
)
def drivers() -> rx.Component:
    """Filters, the roster, and the drawer of shifts."""
    may_plan = ShellState.permissions.contains("shifts:write")
    return rx.el.div(
        trouble(DriversState.fault, DriversState.load),
        rx.el.section(
            rx.el.nav(
                rx.foreach(DriversState.chips, _chip),
                class_name="wp-chip-row",
                aria_label="Status and vehicle",
            ),
            filter_form(
                field(
                    "Search",
                    text_input(
                        "q",
                        placeholder="Code or name",
                        type="search",
                        default_value=DriversState.filters["q"],
                    ),
                ),
                on_submit=DriversState.narrow,
                clear=PATH,
                key=DriversState.filters_key,
            ),
            class_name="wp-panel wp-order-filters wp-one-line",
            aria_label="Filters",
        ),
        rx.el.section(
            listing(
                NAME,
                _HEADS,
                DriversState.rows,
                _row,
                state=DriversState,
                label="Drivers",
                empty=("No driver matches", "Take a filter away or look at another region."),
                csv=DriversState.csv_link,
                momentary=("region",),
                actions=[BulkAction("plan", "Plan shifts of")],
                on_act=ShiftsState.ask,
                bones=14,
            ),
            class_name=rx.cond(may_plan, _LIST, _LIST + " wp-readonly"),
            aria_label="List of drivers",
        ),
        rx.cond(
            may_plan,
            row_keys(name=NAME, keys=[{"key": "p", "action": "plan"}], on_act=ShiftsState.ask),
        ),
        shift_drawer(ShiftsState),
        changed(value=ShiftsState.serial, on_other=DriversState.refresh),
        pulse(seconds=REFRESH_EVERY_S, on_beat=DriversState.refresh),
        class_name="wp-page wp-page-wide",
    )


def _chip(each: rx.Var) -> rx.Component:
    return link(
        rx.cond(each["tone"] != "", shape(each["tone"].to(str))),
        each["word"],
        to=each["link"].to(str),
        class_name="wp-chip",
        custom_attrs={"aria-current": rx.cond(each["on"].to(bool), "true", "false")},
    )


def _row(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        pick(NAME, row["id"].to(str), "Choose " + row["code"].to(str)),
        rx.el.td(
            link(
                rx.el.span(row["code"], class_name="wp-strong"),
                " ",
                row["name"],
                to=row["link"].to(str),
                class_name="wp-row-link wp-link",
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(state_word(row["tone"].to(str), row["status"].to(str))),
        rx.el.td(row["vehicle"]),
        rx.el.td(row["place"], class_name="wp-place"),
        rx.el.td(load(row)),
        rx.el.td(row["weight"], class_name=NUMBER + " wp-nowrap"),
        rx.el.td(row["skills"], class_name="wp-short"),
        rx.el.td(
            rx.cond(
                row["shift_ends"] != "",
                rx.el.span(
                    "ends ",
                    ago(at=row["shift_ends"].to(str), zone=row["zone"].to(str)),
                    title=row["shift"].to(str),
                ),
                rx.el.span(row["shift"], class_name="wp-muted"),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(battery(row), class_name=NUMBER),
        rx.el.td(
            state_word(row["documents_tone"].to(str), row["documents"].to(str)),
            class_name="wp-nowrap",
        ),
        rx.el.td(ago(at=row["seen"].to(str), zone=row["zone"].to(str)), class_name="wp-nowrap"),
    )


def load(row: rx.Var) -> rx.Component:
    """How many orders of the most, as number and bar."""
    return rx.el.span(
        rx.el.span(row["load"], class_name=rx.cond(row["full"].to(bool), "wp-warn", "")),
        rx.el.span(
            rx.el.span(style={"width": row["load_share"].to(str)}),
            class_name="wp-load-bar",
            custom_attrs={"data-full": rx.cond(row["full"].to(bool), "true", "false")},
            aria_hidden="true",
        ),
        class_name="wp-load",
    )


def battery(row: rx.Var) -> rx.Component:
    """The charge of the phone; low is said."""
    return rx.cond(
        row["low"].to(bool),
        state_word("warning", row["battery"].to(str) + " low"),
        rx.el.span(row["battery"]),
    )
