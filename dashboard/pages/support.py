"""The queue of the support desk: what presses, filters, the list, many at once, a new ticket."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.counts import count_bones, count_link, newer_chip
from dashboard.components.forms import choice_input, field, filter_form, text_input
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.lists import BulkAction, pick
from dashboard.components.outcomes import outcomes
from dashboard.components.support_rows import availability, clock_of, kind_mark, priority_mark
from dashboard.components.tables import trouble, two_lines
from dashboard.components.work_parts import row_keys
from dashboard.listing import listing
from dashboard.pages.support_drawers import many_drawer, ticket_drawer
from dashboard.search import search_part
from dashboard.shell import console_page
from dashboard.states.shell import ShellState
from dashboard.states.support import SupportState
from dashboard.states.support_many import SupportManyState
from dashboard.states.support_words import (
    KIND_CHOICES,
    LOOK_CHOICES,
    PATH,
    PRIORITY_CHOICES,
    SETTINGS,
    SLA_CHOICES,
    SORT_CHOICES,
    STATE_CHOICES,
    WHOSE_CHOICES,
)
from dashboard.states.views import ViewsState

REFRESH_EVERY_S = 4.0
_LIST = "wp-panel wp-list-first wp-dense wp-cards wp-queue"
_KEYS = (("a", "take"), ("w", "wait"), ("s", "solve"), ("m", "more"))


@console_page(
    PATH,
    "Support",
    on_load=[SupportState.load, ViewsState.load],
    regional=True,
    keys=[
        ("a", "Take the chosen tickets"),
        ("w", "The chosen wait on their customers"),
        ("s", "Solve the chosen"),
        ("m", "More for the chosen"),
    ],
)
def support() -> rx.Component:
    """Search, what presses, and the list."""
    state, many = SupportState, SupportManyState
    return rx.el.div(
        trouble(state.fault, state.load),
        _head(),
        rx.el.section(
            rx.cond(
                state.ready,
                rx.foreach(state.presses, _press),
                count_bones(6),
            ),
            class_name="wp-counts wp-presses",
            aria_label="What presses",
        ),
        outcomes(many.outcome, many.outcome_words, many.close_outcome),
        rx.el.section(
            _filters(),
            class_name="wp-panel wp-order-filters",
            aria_label="Filters",
        ),
        rx.el.section(
            newer_chip(state.newer, state.load),
            listing(
                "tickets",
                [
                    "Ticket",
                    "Next due",
                    "Priority",
                    "About",
                    "State",
                    "Agent",
                    "Incident",
                    "Last word",
                ],
                state.rows,
                _ticket,
                state=state,
                label="Tickets",
                empty=(
                    "No ticket matches",
                    "Clear the filters, or look at solved ones or at another region.",
                ),
                csv=state.csv_link,
                momentary=("region", "open"),
                actions=[
                    BulkAction("take", "Take"),
                    BulkAction("wait", "Wait for customer"),
                    BulkAction("solve", "Solve"),
                    BulkAction("more", "More for"),
                ],
                on_act=many.act,
                bones=10,
            ),
            class_name=rx.cond(state.may_write | ~state.ready, _LIST, _LIST + " wp-readonly"),
            aria_label="The queue",
        ),
        rx.cond(
            state.may_write,
            row_keys(
                name="tickets",
                keys=[{"key": key, "action": action} for key, action in _KEYS],
                on_act=many.act,
            ),
        ),
        ticket_drawer(),
        many_drawer(),
        pulse(seconds=REFRESH_EVERY_S, on_beat=state.refresh),
        class_name="wp-page wp-page-wide",
    )


def _head() -> rx.Component:
    """The search over everything, whether one takes tickets, and a new one."""
    state = SupportState
    return rx.el.div(
        search_part("Search everything"),
        rx.el.span(class_name="wp-grow"),
        rx.cond(state.may_write, availability(state.available, state.turn)),
        link("Settings", to=SETTINGS, class_name="wp-button wp-button-quiet"),
        rx.cond(
            state.may_write,
            rx.el.button(
                "New ticket", type="button", on_click=state.begin,
                class_name="wp-button wp-button-main",
            ),
        ),
        class_name="wp-queue-head",
    )  # fmt: skip


def _press(each: rx.Var) -> rx.Component:
    name = rx.el.span(shape(each["tone"]), each["name"], class_name="wp-press-name")
    return count_link(each, name)


def _filters() -> rx.Component:
    asked = SupportState.filters
    choices = (
        ("State", "state", STATE_CHOICES),
        ("About", "kind", KIND_CHOICES),
        ("Priority", "priority", PRIORITY_CHOICES),
        ("Clock", "sla", SLA_CHOICES),
        ("Whose", "whose", WHOSE_CHOICES),
        ("Only", "look", LOOK_CHOICES),
        ("Sorted", "sort", SORT_CHOICES),
    )
    return rx.fragment(
        filter_form(
            field(
                "Find a ticket",
                text_input(
                    "q",
                    type="search",
                    placeholder="Number, order or words",
                    default_value=asked["q"],
                ),
            ),
            *[
                field(word, choice_input(name, known, default_value=asked[name]))
                for word, name, known in choices
            ],
            field(
                "Order",
                text_input("order", placeholder="WP-…", default_value=asked["order"]),
            ),
            on_submit=SupportState.narrow,
            clear=PATH,
            key=SupportState.filters_key,
            aria_label="Narrow the queue",
        ),
        rx.cond(
            SupportState.incident != "",
            rx.el.p(
                "Only those of one incident. ",
                link("Show all", to=PATH, class_name="wp-link wp-strong"),
                class_name="wp-muted wp-filter-note",
            ),
        ),
    )


def _ticket(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        pick("tickets", row["id"], "Choose " + row["number"].to(str)),
        rx.el.td(
            link(
                rx.el.span(
                    rx.el.code(row["number"], class_name="wp-muted"),
                    rx.el.span(row["subject"], class_name="wp-clip"),
                    rx.cond(
                        row["waits"].to(bool),
                        rx.el.span(
                            class_name="wp-waits", title="The customer had the last word",
                            aria_label="the customer waits", role="img",
                        ),
                    ),
                ),
                rx.el.span(row["under"]),
                to=row["link"].to(str),
                class_name="wp-row-link wp-ticket-title",
            ),
        ),
        rx.el.td(clock_of(row, ShellState.region_zone), class_name="wp-nowrap"),
        rx.el.td(priority_mark(row["priority"], row["priority_word"]), class_name="wp-nowrap"),
        rx.el.td(kind_mark(row["kind"], row["kind_word"]), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(
                row["note"] != "",
                two_lines(state_word(row["tone"], row["state"].to(str)), row["note"]),
                state_word(row["tone"], row["state"].to(str)),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(
            rx.cond(
                row["assignee"] != "",
                row["assignee"],
                rx.el.span("nobody", class_name="wp-muted"),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(
            rx.cond(
                row["incident"] != "",
                link(
                    rx.cond(row["ready"].to(bool), shape("good")),
                    row["incident"],
                    to="/incidents/" + row["incident"].to(str),
                    class_name="wp-chip",
                    title=rx.cond(row["ready"].to(bool), "It is over: ready to answer", ""),
                ),
            ),
            class_name="wp-nowrap",
        ),
        rx.el.td(ago(at=row["last"].to(str), zone=ShellState.region_zone), class_name="wp-nowrap"),
        key=row["id"].to(str),
        custom_attrs={"data-gone": rx.cond(row["gone"].to(bool), "", rx.Var("undefined"))},
    )  # fmt: skip
