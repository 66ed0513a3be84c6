"""What the pages of payments share: the row of pages, and a transfer's line."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link
from dashboard.components.frame_parts import ago
from dashboard.components.tables import NUMBER

_PAGES = (
    ("/payments", "Payments", "payments:read"),
    ("/payments/refunds", "Refunds", "refunds:read"),
    ("/payments/cod", "Cash on delivery", "cod:read"),
    ("/payments/wallets", "Wallets", "wallets:read"),
    ("/payments/ledger", "Ledger", "ledger:read"),
    ("/payments/reconciliation", "Reconciliation", "reconciliation:read"),
)

ENTRY_HEADS = (
    "When",
    "What",
    ("Amount", NUMBER),
    ("Balance", NUMBER),
    "Order",
    "Other side",
    "Reference",
)


def money_tabs(here: str, permissions: rx.Var[list[str]]) -> rx.Component:
    """Links between the pages of payments that the person may open."""
    return rx.el.nav(
        *[
            rx.cond(
                permissions.contains(permission),
                link(
                    word,
                    to=path,
                    class_name="wp-chip",
                    custom_attrs={"aria-current": "page"} if path == here else {},
                ),
            )
            for path, word, permission in _PAGES
        ],
        class_name="wp-chips",
        aria_label="Payments",
    )


def entry_line(row: rx.Var[Any]) -> rx.Component:
    """One entry of an account."""
    return rx.el.tr(
        rx.el.td(ago(at=row["at"]), class_name="wp-nowrap"),
        rx.el.td(row["kind"], class_name="wp-nowrap"),
        rx.el.td(row["amount"], class_name=NUMBER),
        rx.el.td(row["balance"], class_name=NUMBER),
        rx.el.td(
            rx.cond(
                row["order"] != "",
                link(rx.el.code(row["order"]), to=row["order_link"].to(str), class_name="wp-link"),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(row["other"], class_name="wp-wrap"),
        rx.el.td(row["reference"], class_name="wp-wrap"),
    )
