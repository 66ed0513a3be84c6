"""Panels of an order's case: what its customer sees, messages, tickets, incidents, flags."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.frame_parts import ago
from dashboard.components.handset import customer_page


def customer_panel(case: Any, address: Any, replace: rx.Component) -> rx.Component:
    """The customer's phone as it is now; `address` leads to the page, `replace` to a new one."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("What the customer sees"),
            rx.cond(
                address != "",
                rx.el.span(
                    rx.cond(case.renewable, replace),
                    rx.cond(
                        case.customer,
                        rx.el.a(
                            "open",
                            href=address,
                            target="_blank",
                            rel="noreferrer",
                            class_name="wp-chip",
                            title="The customer's own page, in a new tab",
                        ),
                    ),
                    class_name="wp-row",
                ),
            ),
            class_name="wp-panel-head",
        ),
        rx.cond(
            case.customer,
            customer_page(case.customer),
            rx.cond(
                case.ready,
                rx.el.p(
                    "Their link has ended: it leads nowhere now.",
                    rx.cond(
                        case.renewable & (address != ""), " Replace it to make them a new one.", ""
                    ),
                    class_name="wp-muted wp-panel-body",
                ),
                rx.el.div(_lines(6), class_name="wp-bone-box"),
            ),
        ),
        class_name="wp-panel wp-customer",
        aria_label="What the customer sees",
    )


def _lines(count: int) -> rx.Component:
    return rx.fragment(
        *[
            rx.el.span(class_name="wp-bone wp-bone-line", style={"width": f"{86 - 8 * (n % 4)}%"})
            for n in range(count)
        ]
    )


def messages_panel(case: Any, messages: Any) -> rx.Component:
    """What was written to the customer and the driver, each with what became of it."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Messages"),
            rx.cond(
                case.messages.length() > 0,
                rx.el.span(case.messages.length(), class_name="wp-muted"),
            ),
            class_name="wp-panel-head",
        ),
        rx.cond(case.prefers != "", rx.el.p(case.prefers, class_name="wp-case-prefers")),
        rx.cond(
            case.messages.length() == 0,
            rx.el.p(
                rx.cond(case.ready, "Nobody was written to yet.", "Loading"),
                class_name="wp-muted wp-panel-body",
            ),
            rx.el.ul(
                rx.foreach(case.messages, lambda row: _message(row, messages)),
                class_name="wp-case-rows",
            ),
        ),
        class_name="wp-panel",
        aria_label="Messages",
    )


def _message(row: Any, messages: Any) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            state_word(row["tone"], row["state"]),
            rx.el.span(
                rx.el.span(row["what"]),
                rx.el.span(
                    row["to"], rx.cond(row["why"] != "", rx.fragment(" · ", row["why"]), "")
                ),
                class_name="wp-cell-two",
            ),
            rx.el.span(ago(at=row["at"]), class_name="wp-muted wp-nowrap"),
            type="button",
            on_click=messages.look(row["id"]),
            class_name="wp-case-row wp-case-message",
        ),
        key=row["id"],
    )


def tickets_panel(case: Any, number: Any, permissions: Any) -> rx.Component:
    """The tickets about the order, and the way to open one."""
    opened = rx.cond(
        permissions.contains("escalations:write"),
        link(
            "Open one",
            to="/support?open=yes&order=" + number.to(str),
            class_name="wp-chip",
        ),
    )
    return rx.cond(
        (case.tickets.length() > 0) | permissions.contains("escalations:read"),
        rx.el.section(
            rx.el.div(rx.el.h2("Tickets"), opened, class_name="wp-panel-head"),
            rx.cond(
                case.ready & (case.tickets.length() == 0),
                rx.el.p("Nobody asked for help.", class_name="wp-muted wp-panel-body"),
            ),
            rx.foreach(case.tickets, _ticket),
            class_name="wp-panel",
            aria_label="Tickets",
        ),
    )


def _ticket(row: Any) -> rx.Component:
    return link(
        rx.el.span(
            rx.el.strong(row["number"]),
            state_word(row["tone"], row["state"]),
            rx.cond(
                row["open"].to(bool),
                rx.el.span(
                    shape(row["sla_tone"]), "clock ", row["sla"], class_name="wp-state wp-muted"
                ),
            ),
            class_name="wp-row wp-case-line",
        ),
        rx.el.span(row["subject"]),
        rx.el.span("opened ", ago(at=row["at"]), class_name="wp-fact-note"),
        to=row["link"].to(str),
        class_name="wp-case-row wp-case-stack",
    )


def incidents_panel(case: Any) -> rx.Component:
    """Incidents that touched the order; nothing while there are none."""
    return rx.cond(
        case.incidents.length() > 0,
        rx.el.section(
            rx.el.div(rx.el.h2("Incidents that touched it"), class_name="wp-panel-head"),
            rx.foreach(case.incidents, _incident),
            class_name="wp-panel",
            aria_label="Incidents",
        ),
    )


def _incident(row: Any) -> rx.Component:
    return link(
        rx.el.span(
            rx.el.strong(row["number"]),
            state_word(row["tone"], row["severity"].to(str) + " " + row["state"].to(str)),
            class_name="wp-row wp-case-line",
        ),
        rx.el.span(row["title"]),
        rx.el.span(row["touched"], class_name="wp-fact-note"),
        to=row["link"].to(str),
        class_name="wp-case-row wp-case-stack",
    )


def flags_panel(case: Any) -> rx.Component:
    """The flags in force where the customer is, each with why."""
    return rx.cond(
        case.flags.length() > 0,
        rx.el.section(
            rx.el.div(rx.el.h2("Flags in force"), class_name="wp-panel-head"),
            rx.el.dl(rx.foreach(case.flags, _flag), class_name="wp-case-flags"),
            class_name="wp-panel",
            aria_label="Flags in force",
        ),
    )


def _flag(row: Any) -> rx.Component:
    return rx.fragment(
        rx.el.dt(
            rx.cond(
                row["link"] != "",
                link(row["key"], to=row["link"].to(str), class_name="wp-link"),
                rx.el.span(row["key"]),
            ),
            title=row["description"],
        ),
        rx.el.dd(row["variant"], rx.el.span(row["reason"], class_name="wp-fact-note")),
    )


def looks_line(case: Any) -> rx.Component:
    """How many personal details the person looked at this hour; nothing while none."""
    return rx.cond(
        case.looks != "",
        rx.el.p(
            rx.cond(case.looks_spent, shape("warning")),
            case.looks,
            class_name=rx.cond(case.looks_spent, "wp-looks wp-looks-spent", "wp-looks"),
            role="status",
        ),
    )
