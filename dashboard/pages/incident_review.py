"""The parts of an incident's page that tell what to do, and what was learned."""

from __future__ import annotations

import reflex as rx

from dashboard.components.incident_parts import draft, runbook
from dashboard.states.incident import IncidentState
from dashboard.states.incident_acts import IncidentActsState


def runbook_panel() -> rx.Component:
    """What to do about such an incident, open as long as it is."""
    return rx.el.section(
        rx.el.details(
            rx.el.summary(
                rx.el.h2("Runbook: ", IncidentState.runbook_title),
                rx.icon("chevron-down", size=14, aria_hidden="true"),
                class_name="wp-panel-head wp-fold",
            ),
            runbook(text=IncidentState.runbook),
            open=~IncidentState.facts["over"],
        ),
        class_name="wp-panel",
        aria_label="Runbook",
    )


def review_panel() -> rx.Component:
    """The review: written by who may, read by the others."""
    acts = IncidentActsState
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Review"),
            rx.el.span(IncidentState.review_note, class_name="wp-muted"),
            class_name="wp-panel-head",
        ),
        rx.cond(
            IncidentState.may_review,
            rx.el.form(
                draft(
                    name="review",
                    draft="review-" + IncidentState.facts["id"].to(str),
                    initial=IncidentState.review,
                    mark=IncidentState.review_mark,
                    serial=acts.reviewed,
                    label="Review",
                    rows=16,
                ),
                rx.el.div(
                    rx.el.button("Save the review", type="submit", disabled=acts.working,
                                 class_name="wp-button wp-button-main"),
                    class_name="wp-form-end",
                ),
                on_submit=acts.review,
                class_name="wp-review",
            ),
            runbook(text=IncidentState.review),
        ),
        class_name="wp-panel",
        aria_label="Review",
    )  # fmt: skip
