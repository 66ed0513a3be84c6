"""The page that takes orders in from a file."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link
from dashboard.components.order_import import order_import
from dashboard.components.tables import empty_state
from dashboard.shell import console_page
from dashboard.states.shell import ShellState

_API = "/api/v1/orders/import"


@console_page("/orders/import", "Import orders")
def import_orders() -> rx.Component:
    """A file, its preview, its result."""
    return rx.el.div(
        rx.cond(
            ShellState.permissions.contains("orders:create"),
            order_import(
                preview_path=f"{_API}/preview",
                import_path=_API,
                template_path=f"{_API}/template.csv",
            ),
            rx.cond(
                ShellState.person != "",
                rx.el.section(
                    empty_state(
                        "You may not bring orders in",
                        "It takes orders:create; ask an admin for the role of your region.",
                    ),
                    rx.el.p(
                        link("Back to the list", to="/orders", class_name="wp-button"),
                        class_name="wp-center wp-panel-body",
                    ),
                    class_name="wp-panel",
                ),
            ),
        ),
        class_name="wp-page",
    )
