"""The pages of customers' wallets."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link
from dashboard.components.forms import filter_form, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.money_parts import ENTRY_HEADS, entry_line, money_tabs
from dashboard.components.tables import NUMBER, number, pager, table, trouble, two_lines
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.money import WALLETS
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState
from dashboard.states.wallets import WalletsState, WalletState


@console_page(WALLETS, "Wallets", on_load=[WalletsState.load, ViewsState.load], regional=True)
def wallets() -> rx.Component:
    """Every wallet of the region."""
    return rx.el.div(
        money_tabs(WALLETS, ShellState.permissions),
        trouble(WalletsState.fault, WalletsState.load),
        rx.el.section(
            rx.el.div(
                rx.el.h2("Customers' wallets"),
                filter_form(
                    text_input(
                        "q",
                        type="search",
                        placeholder="Name or holder",
                        aria_label="Find a wallet",
                        default_value=WalletsState.text,
                        key=WalletsState.text,
                    ),
                    on_submit=WalletsState.search,
                    clear=WALLETS,
                ),
                class_name="wp-panel-head",
            ),
            listing(
                "wallets",
                [
                    "Holder",
                    "Where",
                    ("Balance", NUMBER),
                    ("Held back", NUMBER),
                    ("Available", NUMBER),
                    "Opened",
                ],
                WalletsState.rows,
                _wallet,
                state=WalletsState,
                label="Wallets",
                empty=("No wallets here", "Customers' apps open them through the API."),
            ),
            class_name="wp-panel wp-cards",
        ),
        class_name="wp-page wp-page-wide",
    )


def _wallet(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            link(
                two_lines(row["name"], rx.el.code(row["holder"])),
                to=row["link"].to(str),
                class_name="wp-row-link",
            )
        ),
        rx.el.td(row["place"], class_name="wp-nowrap"),
        number("balance", row["balance"]),
        number("held back", row["held"]),
        number("available", row["available"]),
        rx.el.td(ago(at=row["opened_at"], zone=ShellState.region_zone), class_name="wp-nowrap"),
    )


@console_page(f"{WALLETS}/[wallet]", "Wallet", on_load=[WalletState.load])
def wallet() -> rx.Component:
    """One wallet."""
    found = WalletState.wallet
    return rx.el.div(
        money_tabs("", ShellState.permissions),
        trouble(WalletState.fault, WalletState.load),
        rx.cond(
            found["id"] != "",
            rx.el.div(
                rx.el.section(
                    rx.el.div(
                        rx.el.h2(found["name"]),
                        rx.el.code(found["holder"], class_name="wp-muted"),
                        class_name="wp-panel-head",
                    ),
                    table(
                        ENTRY_HEADS,
                        WalletState.rows,
                        entry_line,
                        ready=WalletState.ready,
                        label="Entries",
                        empty=("Nothing moved yet", "A top-up or a payment is the first line."),
                    ),
                    pager(WalletState.first_page, WalletState.next_page),
                    class_name="wp-panel",
                ),
                rx.el.aside(
                    rx.el.section(
                        rx.el.div(
                            rx.el.span(found["available"], class_name="wp-tile-value"),
                            rx.el.span("available", class_name="wp-muted"),
                            class_name="wp-panel-head",
                        ),
                        rx.el.dl(
                            rx.el.dt("Balance"),
                            rx.el.dd(found["balance"]),
                            rx.el.dt("Held back"),
                            rx.el.dd(rx.cond(found["held"] != "", found["held"], "nothing")),
                            rx.el.dt("Where"),
                            rx.el.dd(found["place"]),
                            rx.el.dt("Opened"),
                            rx.el.dd(ago(at=found["opened_at"])),
                            class_name="wp-facts wp-panel-body",
                        ),
                        class_name="wp-panel",
                    ),
                    rx.el.section(
                        rx.el.div(rx.el.h2("Statements"), class_name="wp-panel-head"),
                        rx.foreach(
                            WalletState.statements,
                            lambda each: rx.el.div(
                                rx.el.span(each["month"], class_name="wp-grow"),
                                rx.el.a(
                                    "CSV", href=each["csv"], download=True, class_name="wp-link"
                                ),
                                rx.el.a(
                                    "PDF", href=each["pdf"], download=True, class_name="wp-link"
                                ),
                                class_name="wp-item wp-item-line",
                            ),
                        ),
                        class_name="wp-panel",
                    ),
                    class_name="wp-stack",
                    aria_label="The wallet",
                ),
                class_name="wp-split",
            ),
        ),
        class_name="wp-page",
        custom_attrs={"aria-busy": rx.cond(WalletState.ready, "false", "true")},
    )
