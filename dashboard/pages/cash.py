"""The page of cash on delivery: stages, drivers' shifts, hubs' tills, what merchants are owed."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, state_word
from dashboard.components.forms import choice_input, field, text_input
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.money_parts import money_tabs
from dashboard.components.tables import NUMBER, number, table, trouble, two_lines
from dashboard.shell import console_page
from dashboard.states.cash import CashState
from dashboard.states.money import CASH
from dashboard.states.shell import ShellState

_LOOK_EVERY_S = 10.0
_FIGURES = (
    ("orders", "orders"),
    ("expected", "expected"),
    ("collected", "collected"),
    ("handed in", "received"),
    ("difference", "difference"),
    ("in hand", "in_hand"),
)
"""What a shift's row tells of its cash: the words, and where the row holds it."""


@console_page(CASH, "Cash on delivery", on_load=[CashState.load], regional=True)
def cash() -> rx.Component:
    """Where the cash of the region is."""
    return rx.el.div(
        money_tabs(CASH, ShellState.permissions),
        trouble(CashState.fault, CashState.load),
        rx.el.ol(rx.foreach(CashState.stages, _stage), class_name="wp-stages"),
        rx.el.section(
            rx.el.div(
                rx.el.h2("Drivers and their shifts"),
                rx.el.a(
                    "CSV",
                    href=CashState.csv_link,
                    download="waypost-cod.csv",
                    class_name="wp-button wp-button-small",
                ),
                class_name="wp-panel-head",
            ),
            table(
                [
                    "Driver",
                    "Shift",
                    "State",
                    ("Orders", NUMBER),
                    ("Expected", NUMBER),
                    ("Collected", NUMBER),
                    ("Handed in", NUMBER),
                    ("Difference", NUMBER),
                    ("In hand", NUMBER),
                    ("Hand in", "wp-silent"),
                ],
                CashState.drivers,
                _driver,
                ready=CashState.ready,
                label="Drivers' cash",
                empty=("Nobody carries cash", "Drivers appear with their first cash delivery."),
            ),
            class_name="wp-panel wp-cards",
        ),
        rx.el.div(_hubs(), _merchants(), class_name="wp-two"),
        _handed(),
        pulse(seconds=_LOOK_EVERY_S, on_beat=CashState.refresh),
        class_name="wp-page wp-page-wide",
    )


def _stage(stage: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.span(stage["name"], class_name="wp-tile-name"),
        rx.el.span(stage["count"], class_name="wp-tile-value"),
        rx.el.span(stage["amounts"], class_name="wp-tile-note wp-stage-sums"),
        class_name="wp-stage",
    )


def _driver(row: rx.Var) -> rx.Component:
    key = row["key"].to(str)
    return rx.fragment(
        rx.el.tr(
            rx.el.td(
                link(two_lines(row["driver"], row["place"]), to=row["link"].to(str)),
                class_name="wp-nowrap",
            ),
            rx.el.td(row["shift"], class_name="wp-nowrap"),
            rx.el.td(state_word(row["tone"], row["state"].to(str))),
            *[number(word, row[name]) for word, name in _FIGURES],
            rx.el.td(
                rx.cond(
                    row["open"].to(bool) & CashState.may_write,
                    _opens(key, "Hand in"),
                ),
                class_name="wp-right",
            ),
        ),
        rx.cond(
            CashState.asking == key,
            rx.el.tr(
                rx.el.td(
                    _form(
                        {
                            "kind": "hub",
                            "driver_id": row["driver_id"],
                            "shift": row["shift"],
                            "currency": row["currency"],
                        },
                        field(
                            "At the hub",
                            choice_input("hub", CashState.choices, required=True),
                        ),
                        _amount("Counted"),
                        field("Note", text_input("note", max_length=500)),
                    ),
                    col_span=10,
                )
            ),
        ),
    )  # fmt: skip


def _opens(key: rx.Var[str] | str, word: str) -> rx.Component:
    return rx.el.button(
        word,
        type="button",
        on_click=CashState.ask(key),
        class_name="wp-button wp-button-small",
        custom_attrs={"aria-expanded": rx.cond(CashState.asking == key, "true", "false")},
    )


def _amount(label: str) -> rx.Component:
    return field(label, text_input("received", required=True, input_mode="decimal"))


def _form(hidden: dict[str, Any], *fields: rx.Component) -> rx.Component:
    return rx.el.form(
        *[rx.el.input(type="hidden", name=name, value=value) for name, value in hidden.items()],
        *fields,
        rx.el.button(
            "Record",
            type="submit",
            disabled=CashState.busy,
            class_name="wp-button wp-button-main",
        ),
        on_submit=CashState.hand_over,
        class_name="wp-filters wp-hand-over",
    )


def _hubs() -> rx.Component:
    def hub(row: rx.Var) -> rx.Component:
        key = "hub:" + row["hub"].to(str) + ":" + row["currency"].to(str)
        return rx.fragment(
            rx.el.tr(
                rx.el.td(row["place"]),
                number("orders", row["orders"]),
                number("should hold", row["expected"]),
                number(
                    "holds",
                    rx.el.span(
                        state_word(row["tone"], row["in_till"].to(str)), class_name="wp-row-end"
                    ),
                ),
                rx.el.td(ago(at=row["since"], empty="empty"), class_name="wp-nowrap"),
                rx.el.td(
                    rx.cond(CashState.may_write, _opens(key, "To the bank")), class_name="wp-right"
                ),
            ),
            rx.cond(
                CashState.asking == key,
                rx.el.tr(
                    rx.el.td(
                        _form(
                            {"kind": "bank", "hub": row["hub"], "currency": row["currency"]},
                            _amount("Paid in"),
                            field("Slip", text_input("reference", required=True)),
                        ),
                        col_span=6,
                    )
                ),
            ),
        )

    return rx.el.section(
        rx.el.div(rx.el.h2("Tills of the hubs"), class_name="wp-panel-head"),
        table(
            [
                "Hub",
                ("Orders", NUMBER),
                ("Should hold", NUMBER),
                ("Holds", NUMBER),
                "Oldest",
                ("To the bank", "wp-silent"),
            ],
            CashState.hubs,
            hub,
            ready=CashState.ready,
            label="Tills",
            empty=("No till holds cash", "Cash arrives when drivers hand in their shift."),
            bones=3,
        ),
        class_name="wp-panel wp-cards",
    )


def _merchants() -> rx.Component:
    def merchant(row: rx.Var) -> rx.Component:
        key = "merchant:" + row["merchant"].to(str) + ":" + row["region"].to(str)
        return rx.fragment(
            rx.el.tr(
                rx.el.td(two_lines(rx.el.code(row["merchant"]), row["place"])),
                number("orders", row["orders"]),
                number("due", row["due"]),
                rx.el.td(
                    rx.cond(CashState.may_write, _opens(key, "Pay out")), class_name="wp-right"
                ),
            ),
            rx.cond(
                CashState.asking == key,
                rx.el.tr(
                    rx.el.td(
                        _form(
                            {
                                "kind": "merchant",
                                "merchant": row["merchant"],
                                "region": row["region"],
                                "currency": row["currency"],
                            },
                            field("Bank reference", text_input("reference", required=True)),
                        ),
                        col_span=4,
                    )
                ),
            ),
        )

    return rx.el.section(
        rx.el.div(rx.el.h2("Owed to merchants"), class_name="wp-panel-head"),
        table(
            ["Merchant", ("Orders", NUMBER), ("Due", NUMBER), ("Pay out", "wp-silent")],
            CashState.merchants,
            merchant,
            ready=CashState.ready,
            label="Owed to merchants",
            empty=("Nothing is owed", "What hubs bring to the bank is owed to merchants."),
            bones=3,
        ),
        class_name="wp-panel wp-cards",
    )


def _handed() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("Hand-overs"), class_name="wp-panel-head"),
        table(
            ["What", ("Amount", NUMBER), ("Difference", NUMBER), "Reference", "Who", "When"],
            CashState.handed,
            lambda row: rx.el.tr(
                rx.el.td(state_word(row["tone"], row["what"].to(str))),
                number("amount", row["received"]),
                number("difference", row["difference"]),
                rx.el.td(row["note"], class_name="wp-wrap"),
                rx.el.td(row["who"]),
                rx.el.td(ago(at=row["at"], zone=ShellState.region_zone), class_name="wp-nowrap"),
            ),
            ready=CashState.ready,
            label="Hand-overs",
            empty=("No hand-over yet", "They are listed here, newest first."),
            bones=4,
        ),
        class_name="wp-panel wp-cards",
    )
