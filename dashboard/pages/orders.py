"""The list of orders."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.counts import newer_chip
from dashboard.components.forms import choice_input, field, filter_form, text_input
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.lists import BulkAction, pick
from dashboard.components.order_drawer import act_drawer
from dashboard.components.tables import NUMBER, trouble
from dashboard.components.work_parts import changed, copied, row_keys
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.order_acts import OrderActsState
from dashboard.states.order_query import PATH, SERVICE_CHOICES, SORT_CHOICES, TERMS_CHOICES
from dashboard.states.orders import OrdersState
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState

NAME = "orders"
_LIST = "wp-panel wp-list-first wp-dense wp-cards wp-orders"
REFRESH_EVERY_S = 3.0
_KEYS = (("a", "assign", "Assign"), ("h", "hold", "Hold"), ("r", "release", "Release"),
         ("u", "unassign", "Take from driver"), ("c", "cancel", "Cancel"))  # fmt: skip
_HEADS = (
    "State",
    "Order",
    "Reference",
    "From",
    "To",
    "Promised",
    "Lateness",
    "Driver",
    "Service",
    ("Terms", NUMBER),
    "Created",
    "Tags",
)


@console_page(
    PATH,
    "Orders",
    on_load=[OrdersState.load, ViewsState.load],
    regional=True,
    keys=[(key, f"{word} the chosen orders") for key, _, word in _KEYS],
)
def orders() -> rx.Component:
    """Filters, the list, and the drawer of actions."""
    may_act = ShellState.permissions.contains("orders:write")
    return rx.el.div(
        trouble(OrdersState.fault, OrdersState.load),
        rx.el.section(
            rx.el.div(
                _chips(),
                rx.cond(
                    ShellState.permissions.contains("orders:create"),
                    link("Import", to="/orders/import", class_name="wp-button wp-button-small"),
                ),
                class_name="wp-filter-head",
            ),
            _filters(),
            class_name="wp-panel wp-order-filters",
            aria_label="Filters",
        ),
        rx.el.section(
            newer_chip(OrdersState.newer, OrdersState.load),
            listing(
                NAME,
                _HEADS,
                OrdersState.rows,
                _row,
                state=OrdersState,
                label="Orders",
                empty=(
                    "No orders match",
                    "Take a filter away, look at another region, or import orders.",
                ),
                csv=OrdersState.csv_link,
                momentary=("region",),
                actions=[BulkAction(action, word) for _, action, word in _KEYS],
                on_act=OrderActsState.ask,
                bones=14,
            ),
            class_name=rx.cond(may_act, _LIST, _LIST + " wp-readonly"),
            aria_label="List of orders",
        ),
        rx.cond(
            may_act,
            row_keys(
                name=NAME,
                keys=[{"key": key, "action": action} for key, action, _ in _KEYS],
                on_act=OrderActsState.ask,
            ),
        ),
        act_drawer(OrderActsState),
        changed(value=OrderActsState.serial, on_other=OrdersState.refresh),
        pulse(seconds=REFRESH_EVERY_S, on_beat=OrdersState.refresh),
        class_name="wp-page wp-page-wide",
    )


def _chips() -> rx.Component:
    def chip(each: rx.Var) -> rx.Component:
        return link(
            rx.cond(each["tone"] != "", shape(each["tone"].to(str))),
            each["word"],
            rx.cond(each["count"] != "", rx.el.b(each["count"])),
            to=each["link"].to(str),
            class_name="wp-chip",
            custom_attrs={"aria-current": rx.cond(each["on"].to(bool), "true", "false")},
        )

    return rx.el.nav(
        rx.cond(
            OrdersState.ready,
            rx.fragment(
                rx.foreach(OrdersState.chips, chip),
                rx.el.span(class_name="wp-chip-gap"),
                rx.foreach(OrdersState.late_chips, chip),
                rx.foreach(OrdersState.elsewhere, chip),
            ),
            rx.fragment(*[rx.el.span(class_name="wp-bone wp-chip-bone") for _ in range(9)]),
        ),
        class_name="wp-chip-row",
        aria_label="State and lateness",
    )


def _filters() -> rx.Component:
    def words(name: str, label: str, placeholder: str = "", **props: object) -> rx.Component:
        given = OrdersState.filters[name]
        return field(label, text_input(name, placeholder=placeholder, default_value=given, **props))

    def choice(name: str, label: str, choices: tuple[tuple[str, str], ...]) -> rx.Component:
        return field(label, choice_input(name, choices, default_value=OrdersState.filters[name]))

    return filter_form(
        words("q", "Search", "Number, reference, barcode, phone, recipient", type="search"),
        words("driver", "Driver", "DRV-0001"),
        choice("service", "Service", SERVICE_CHOICES),
        choice("terms", "Terms", TERMS_CHOICES),
        words("tag", "Tag", "fragile"),
        words("from", "Created from", type="date"),
        words("to", "Created to", type="date"),
        choice("sort", "Order by", SORT_CHOICES),
        on_submit=OrdersState.narrow,
        clear=PATH,
        key=OrdersState.filters_key,
    )


def _row(row: rx.Var) -> rx.Component:
    number = row["number"].to(str)
    return rx.el.tr(
        pick(NAME, row["id"].to(str), "Choose " + number),
        rx.el.td(
            state_word(row["tone"].to(str), row["state"].to(str)),
            rx.cond(
                row["flagged"] != "",
                rx.el.span(
                    rx.icon("flag", size=12, aria_hidden="true"),
                    rx.el.span("flagged", class_name="wp-hidden-words"),
                    title=row["flagged"].to(str),
                    class_name="wp-flagged",
                ),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(
            rx.el.span(
                link(number, to=row["link"].to(str), class_name="wp-row-link wp-code wp-link"),
                copied(text=number),
                class_name="wp-row-tight",
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(row["reference"], class_name="wp-short", title=row["reference"].to(str)),
        rx.el.td(row["pickup"], class_name="wp-place", title=row["pickup"].to(str)),
        rx.el.td(row["drop"], class_name="wp-place", title=row["drop"].to(str)),
        rx.el.td(ago(at=row["promised"].to(str), zone=row["zone"].to(str)), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(row["late"] != "", state_word(row["late_tone"].to(str), row["late"].to(str))),
            class_name="wp-nowrap",
        ),
        rx.el.td(
            rx.cond(
                row["driver"] != "",
                link(row["driver"], to=row["driver_link"].to(str), class_name="wp-link"),
                rx.el.span("no driver", class_name="wp-muted"),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(row["service"]),
        rx.el.td(
            rx.el.span(row["terms"], class_name="wp-muted"),
            " ",
            row["amount"],
            class_name=NUMBER + " wp-nowrap",
        ),
        rx.el.td(ago(at=row["created"].to(str), zone=row["zone"].to(str)), class_name="wp-nowrap"),
        rx.el.td(row["tags"], class_name="wp-short", title=row["tags"].to(str)),
        custom_attrs={"data-gone": rx.cond(row["gone"].to(bool), "", rx.Var("undefined"))},
        title=rx.cond(row["gone"].to(bool), "No longer matches these filters", ""),
    )
