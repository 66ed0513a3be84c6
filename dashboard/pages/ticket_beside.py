"""What stands beside a ticket: its properties, its order and customer, and its timeline."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.incident_rows import beat
from dashboard.components.work_parts import copied, secret
from dashboard.states.support_words import KIND_WORDS, PRIORITY_WORDS
from dashboard.states.ticket import PHONE_ID, TicketState
from dashboard.states.ticket_acts import TicketActsState

_facts = TicketState.facts
_zone = _facts["zone"].to(str)
_STATES = (
    ("open", "Open"),
    ("pending customer", "Waits on the customer"),
    ("pending third_party", "Waits on a third party"),
    ("solved", "Solved"),
    ("closed", "Closed"),
)


def properties() -> rx.Component:
    """State, agent, priority, kind and incident; each changes at once."""
    state = rx.cond(
        _facts["waiting"] != "",
        _facts["state"].to(str) + " " + _facts["waiting"].to(str),
        _facts["state"],
    )
    return rx.el.section(
        _property("State", "state", "set_state", state, _fixed(_STATES)),
        _property("Agent", "agent", "assign", _facts["agent_id"], _offered(TicketState.agents)),
        _property(
            "Priority", "priority", "set_priority", _facts["priority"],
            _fixed(tuple(PRIORITY_WORDS.items())),
        ),
        _property(
            "About", "kind", "set_kind", _facts["kind"], _fixed(tuple(KIND_WORDS.items()))
        ),
        rx.cond(_facts["incident"] != "", _linked(), _unlinked()),
        class_name="wp-side-part wp-properties",
        aria_label="Properties",
    )  # fmt: skip


def _fixed(choices: tuple[tuple[str, str], ...]) -> list[rx.Component]:
    return [rx.el.option(word, value=value) for value, word in choices]


def _offered(choices: rx.Var[list[Any]]) -> list[rx.Component]:
    return [rx.foreach(choices, lambda each: rx.el.option(each["word"], value=each["value"]))]


def _property(
    label: str, what: str, verb: str, value: Any, options: list[rx.Component]
) -> rx.Component:
    acts = TicketActsState
    return rx.el.label(
        rx.el.span(label),
        rx.el.select(
            *options,
            value=value,
            disabled=~TicketState.allowed.contains(verb) | acts.working,
            on_change=lambda chosen: acts.change(what, chosen),
            class_name="wp-quiet-select",
        ),
        class_name="wp-property",
    )


def _linked() -> rx.Component:
    return rx.el.div(
        rx.el.span("Incident"),
        rx.el.span(
            rx.cond(_facts["ready"].to(bool), shape("good")),
            link(
                _facts["incident"], to="/incidents/" + _facts["incident"].to(str),
                class_name="wp-link wp-strong",
            ),
            rx.cond(
                _facts["ready"].to(bool), rx.el.span("over, ready to answer", class_name="wp-muted")
            ),
            rx.cond(
                TicketState.allowed.contains("unlink_incident"),
                rx.el.button(
                    "unlink",
                    type="button",
                    on_click=TicketActsState.change("incident", ""),
                    aria_label="Take off " + _facts["incident"].to(str),
                    class_name="wp-chip",
                ),
            ),
            class_name="wp-row wp-property-value",
        ),
        class_name="wp-property",
    )  # fmt: skip


def _unlinked() -> rx.Component:
    return _property(
        "Incident", "incident", "link_incident", "",
        [rx.el.option("none", value=""), *_offered(TicketState.incidents)],
    )  # fmt: skip


def the_order() -> rx.Component:
    """The order and its customer, masked; one field is revealed at a time."""
    order: Any = TicketState.order

    def fact(name: str, *value: Any, when: Any = True) -> rx.Component:
        return rx.cond(when, rx.fragment(rx.el.dt(name), rx.el.dd(*value)))

    return rx.cond(
        TicketState.order,
        rx.el.section(
            rx.el.div(
                link(
                    rx.el.code(order["number"]), to=order["link"].to(str),
                    class_name="wp-link wp-strong",
                ),
                copied(text=order["number"].to(str)),
                rx.el.span(class_name="wp-grow"),
                link(
                    "Open the order", to=order["link"].to(str),
                    class_name="wp-button wp-button-small",
                    custom_attrs={"data-hotkey": "o"},
                ),
                class_name="wp-side-head",
            ),
            rx.el.dl(
                fact(
                    "State",
                    state_word(order["tone"], order["state"].to(str)),
                ),
                fact("Promise", order["promised"],
                     rx.cond(order["late"] != "",
                             state_word(order["late_tone"], order["late"].to(str)))),
                fact("Expected", order["eta"], when=order["eta"] != ""),
                fact("Customer", order["customer"]),
                fact("Phone", secret(
                    id=PHONE_ID, masked=order["phone"].to(str), label="the phone number",
                    may=TicketState.may_reveal, on_reveal=TicketState.reveal)),
                fact("Drop", order["street"]),
                fact("Pays", order["pays"]),
                fact("Driver", link(order["driver"], to=order["driver_link"].to(str),
                                    class_name="wp-link"), when=order["driver"] != ""),
                fact("Reference", rx.el.code(order["merchant"])),
                class_name="wp-facts wp-facts-ends",
            ),
            class_name="wp-side-part",
            aria_label="Order",
        ),
        rx.el.section(
            rx.el.p("No order belongs to this ticket.", class_name="wp-muted"),
            class_name="wp-side-part",
            aria_label="Order",
        ),
    )  # fmt: skip


def other_tickets() -> rx.Component:
    """The other tickets of the order."""
    return rx.cond(
        TicketState.others.length() > 0,
        rx.el.section(
            rx.el.h3("Other tickets of this order"),
            rx.foreach(
                TicketState.others,
                lambda each: link(
                    rx.el.code(each["number"], class_name="wp-muted"),
                    rx.el.span(each["subject"], class_name="wp-clip wp-grow"),
                    state_word(each["tone"], each["state"].to(str)),
                    to=each["link"].to(str),
                    class_name="wp-other",
                ),
            ),
            class_name="wp-side-part",
            aria_label="Other tickets of this order",
        ),
    )


def the_story() -> rx.Component:
    """Everything that was done with it, newest first."""
    return rx.el.section(
        rx.el.details(
            rx.el.summary(
                rx.el.h3("Timeline"),
                rx.el.span(TicketState.story.length(), class_name="wp-muted"),
                rx.el.span(class_name="wp-grow"),
                rx.icon("chevron-down", size=14, aria_hidden="true"),
                class_name="wp-fold wp-side-head",
            ),
            rx.el.ol(
                rx.foreach(TicketState.story, lambda each: beat(each, _zone)),
                class_name="wp-story",
                aria_label="What was done, newest first",
            ),
            open=True,
        ),
        class_name="wp-side-part wp-side-story",
        aria_label="Timeline",
    )
