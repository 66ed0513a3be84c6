"""The drawers of the queue: a new ticket, and what to do with many."""

from __future__ import annotations

import reflex as rx

from dashboard.components.forms import choice_input, field, form_end, form_fault, text_input
from dashboard.components.work_parts import drawer
from dashboard.states.shell import ShellState
from dashboard.states.support import SupportState
from dashboard.states.support_many import VERBS, SupportManyState
from dashboard.states.support_words import KIND_WORDS, PRIORITY_WORDS

_KINDS = tuple(KIND_WORDS.items())
_PRIORITIES = tuple(PRIORITY_WORDS.items())
_WORDS = (
    ("customer", "The customer said it"),
    ("us", "A note of ours"),
)


def ticket_drawer() -> rx.Component:
    """A new ticket."""
    state = SupportState
    return drawer(
        rx.el.form(
            field("Subject", text_input("subject", required=True, max_length=200)),
            rx.el.div(
                field("About", choice_input("kind", _KINDS)),
                field(
                    "Priority",
                    choice_input("priority", _PRIORITIES, default_value="normal"),
                ),
                field(
                    "Order",
                    text_input(
                        "order_number",
                        placeholder="WP-… or none",
                        default_value=state.filters["order"],
                    ),
                ),
                field(
                    "Where, without an order",
                    choice_input(
                        "region", ShellState.region_choices, default_value=ShellState.region
                    ),
                ),
                class_name="wp-two-cols",
            ),
            field(
                "What was said",
                rx.el.textarea(
                    name="text", rows=5, required=True, max_length=4000,
                    class_name="wp-input wp-textarea",
                ),
            ),
            field("Whose words", choice_input("on_behalf", _WORDS)),
            form_fault(state.form_fault),
            form_end("Open the ticket", state.leave, state.working),
            on_submit=state.open_ticket,
            class_name="wp-drawer-form",
        ),
        open=state.opening,
        label="New ticket",
        on_leave=state.leave,
    )  # fmt: skip


def many_drawer() -> rx.Component:
    """One verb on the chosen tickets."""
    state = SupportManyState
    return drawer(
        rx.el.form(
            field(
                "What to do",
                rx.el.select(
                    *[rx.el.option(word, value=verb) for verb, word in VERBS],
                    name="verb",
                    value=state.verb,
                    on_change=state.choose,
                    class_name="wp-input",
                ),
            ),
            rx.match(
                state.verb,
                (
                    "assign",
                    field(
                        "To",
                        rx.el.select(
                            rx.foreach(
                                state.agents,
                                lambda each: rx.el.option(each["word"], value=each["value"]),
                            ),
                            name="assignee",
                            class_name="wp-input",
                        ),
                    ),
                ),
                ("set_priority", field("Priority", choice_input("priority", _PRIORITIES))),
                ("set_kind", field("About", choice_input("kind", _KINDS))),
                (
                    "link_incident",
                    field(
                        "Incident",
                        text_input("incident", required=True, placeholder="INC-…", max_length=80),
                    ),
                ),
                ("reply", _text("What each customer reads")),
                ("add_note", _text("Note for colleagues")),
                rx.fragment(),
            ),
            rx.cond(
                state.verb == "reply",
                rx.el.p(
                    "{customer}, {number}, {eta}, {agent} and {incident} are filled in for each.",
                    class_name="wp-muted",
                ),
            ),
            form_fault(state.fault),
            form_end(state.title, state.leave, state.working),
            on_submit=state.submit,
            class_name="wp-drawer-form",
        ),
        open=state.open,
        label=state.title,
        on_leave=state.leave,
    )


def _text(label: str) -> rx.Component:
    return field(
        label,
        rx.el.textarea(
            name="text", rows=5, required=True, max_length=4000, class_name="wp-input wp-textarea"
        ),
    )
