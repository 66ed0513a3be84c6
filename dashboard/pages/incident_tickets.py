"""The part of an incident's page that tells of its tickets, and answers them together."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link
from dashboard.components.incident_parts import draft
from dashboard.components.outcomes import outcomes
from dashboard.states.incident import IncidentState
from dashboard.states.incident_tickets import IncidentTicketsState


def incident_tickets() -> rx.Component:
    """How many tickets hang on the incident; nothing where there are none."""
    state = IncidentTicketsState
    return rx.fragment(
        outcomes(state.outcome, state.outcome_words, state.close_outcome),
        rx.cond(
            state.shown,
            rx.el.section(
                rx.el.div(
                    rx.el.h2(state.head),
                    rx.el.span(state.words, class_name="wp-muted wp-grow"),
                    link("Show them", to=state.link, class_name="wp-button wp-button-small"),
                    class_name="wp-panel-head",
                ),
                rx.cond(state.may_answer & (state.answerable > 0), _answer()),
                class_name="wp-panel",
                aria_label="Tickets",
            ),
        ),
    )


def _answer() -> rx.Component:
    state = IncidentTicketsState
    return rx.el.form(
        draft(
            name="text",
            draft="answer-" + IncidentState.facts["id"].to(str),
            serial=state.answered,
            label="What each customer reads",
            rows=3,
            placeholder="Hello {customer}, the trouble is over. Your order {number} …",
            required=True,
        ),
        rx.el.div(
            rx.el.label(
                rx.el.input(type="checkbox", name="solve", default_checked=True),
                rx.el.span("and solve them"),
                class_name="wp-check wp-grow",
            ),
            rx.el.span(state.progress, class_name="wp-muted", aria_live="polite"),
            rx.el.button(
                rx.cond(
                    state.answerable == 1,
                    "Answer 1 ticket",
                    "Answer " + state.answerable.to(str) + " tickets",
                ),
                type="submit",
                disabled=state.working,
                class_name="wp-button wp-button-main",
            ),
            class_name="wp-form-end",
        ),
        on_submit=state.answer,
        class_name="wp-inc-tickets",
    )
