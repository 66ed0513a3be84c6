"""Messages to customers and drivers: the outbox, the templates, and in the demo a phone."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, shape, state_word, tab_link
from dashboard.components.counts import newer_chip
from dashboard.components.forms import choice_input, field, filter_form, text_input
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.lists import BulkAction, pick
from dashboard.components.message_drawer import message_drawer
from dashboard.components.message_parts import phone_tab, templates_tab
from dashboard.components.outcomes import outcomes
from dashboard.components.tables import trouble, two_lines
from dashboard.components.work_parts import changed
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.message import BODY_ID, MessageState
from dashboard.states.message_words import CHANNEL_CHOICES, PATH, TEMPLATE_CHOICES, TO_CHOICES
from dashboard.states.messages import BULK, MessagesState
from dashboard.states.sandbox import SandboxState
from dashboard.states.shell import ShellState
from dashboard.states.templates import TemplatesState
from dashboard.states.views import ViewsState

REFRESH_EVERY_S = 5.0


@console_page(
    PATH,
    "Messages",
    on_load=[MessagesState.load, TemplatesState.load, SandboxState.load, ViewsState.load],
    regional=True,
)
def messages() -> rx.Component:
    """Tabs, and what the tab shows."""
    return rx.el.div(
        _tabs(),
        rx.match(
            MessagesState.tab,
            ("templates", templates_tab(TemplatesState)),
            ("phone", phone_tab(SandboxState)),
            _outbox(),
        ),
        message_drawer(MessageState, BODY_ID),
        changed(value=MessageState.serial, on_other=MessagesState.refresh),
        pulse(seconds=REFRESH_EVERY_S, on_beat=[MessagesState.refresh, SandboxState.refresh]),
        class_name="wp-page wp-page-wide",
    )


def _tabs() -> rx.Component:
    def tab(word: str, name: str) -> rx.Component:
        return tab_link(word, PATH, name, MessagesState.tab)

    return rx.el.nav(
        tab("Outbox", ""),
        tab("Templates", "templates"),
        rx.cond(MessagesState.demo, tab("Sandbox phone", "phone")),
        class_name="wp-tabs-row",
        aria_label="Parts of messages",
    )


def _outbox() -> rx.Component:
    return rx.fragment(
        trouble(MessagesState.fault, MessagesState.load),
        outcomes(MessagesState.outcome, MessagesState.outcome_words, MessagesState.close_outcome),
        rx.el.section(
            rx.el.div(
                rx.foreach(MessagesState.chips, _chip), class_name="wp-chip-row", role="list"
            ),
            _filters(),
            class_name="wp-panel wp-order-filters",
            aria_label="Filters",
        ),
        rx.el.section(
            newer_chip(MessagesState.newer, MessagesState.load),
            listing(
                "messages",
                ["Message", "State", "To", "By", "Order", "Why", "Where", "Queued"],
                MessagesState.rows,
                _row,
                state=MessagesState,
                label="Messages",
                empty=(
                    "No message matches",
                    "Choose another state above, or another region.",
                ),
                csv=MessagesState.csv_link,
                momentary=("region", "tab"),
                actions=[
                    BulkAction("retry", BULK["retry"][0], "Send the chosen again now?"),
                    BulkAction("cancel", BULK["cancel"][0], "Stop the chosen?", risk=True),
                ],
                on_act=MessagesState.act,
                bones=12,
            ),
            class_name=rx.cond(
                MessagesState.may_write | ~MessagesState.ready,
                "wp-panel wp-dense wp-cards wp-list-first wp-messages",
                "wp-panel wp-dense wp-cards wp-list-first wp-messages wp-readonly",
            ),
            aria_label="Outbox",
        ),
    )


def _chip(chip: Any) -> rx.Component:
    return rx.el.span(
        link(
            rx.cond(chip["tone"] != "", shape(chip["tone"])),
            chip["word"],
            rx.cond(chip["count"] != "", rx.el.b(chip["count"])),
            to=chip["link"].to(str),
            class_name="wp-chip",
            custom_attrs={"aria-current": rx.cond(chip["on"].to(bool), "true", "false")},
        ),
        role="listitem",
    )


def _filters() -> rx.Component:
    asked = MessagesState.filters
    return filter_form(
        field(
            "Order",
            text_input("order", type="search", placeholder="WP-", default_value=asked["order"]),
        ),
        field("By", choice_input("channel", CHANNEL_CHOICES, default_value=asked["channel"])),
        field("About", choice_input("template", TEMPLATE_CHOICES, default_value=asked["template"])),
        field("To", choice_input("to", TO_CHOICES, default_value=asked["to"])),
        field("From", text_input("from", type="date", default_value=asked["from"])),
        field("Until", text_input("until", type="date", default_value=asked["until"])),
        on_submit=MessagesState.narrow,
        clear=PATH,
        key=MessagesState.filters_key,
    )


def _row(row: Any) -> rx.Component:
    return rx.el.tr(
        pick("messages", row["id"], "Choose the message " + row["what"].to(str)),
        rx.el.td(
            rx.el.button(
                row["what"],
                type="button",
                on_click=MessageState.look(row["id"]),
                class_name="wp-row-link wp-row-button",
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(state_word(row["tone"], row["state"]), class_name="wp-nowrap"),
        rx.el.td(two_lines(row["recipient"], row["to"]), class_name="wp-nowrap"),
        rx.el.td(two_lines(row["channel"], row["attempts"]), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(
                row["order"] != "",
                link(row["order"], to=row["order_link"].to(str), class_name="wp-link wp-code"),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(row["why"], class_name="wp-wrap"),
        rx.el.td(two_lines(row["region"], row["language"]), class_name="wp-nowrap"),
        rx.el.td(ago(at=row["at"], zone=ShellState.region_zone), class_name="wp-nowrap"),
        custom_attrs={"data-gone": rx.cond(row["gone"].to(bool), "", rx.Var("undefined"))},
        title=rx.cond(row["gone"].to(bool), "No longer matches these filters", ""),
    )
