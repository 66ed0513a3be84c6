"""The drawer in which shifts of one or many drivers are planned."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.forms import form_end, form_fault
from dashboard.components.outcomes import outcome_list
from dashboard.components.work_parts import drawer

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def shift_drawer(shifts: Any) -> rx.Component:
    """The drawer of `shifts`, a state with the vars and handlers of `ShiftsState`."""
    return drawer(
        rx.cond(shifts.summary != "", _outcomes(shifts), _question(shifts)),
        open=shifts.open,
        label=shifts.title,
        on_leave=shifts.leave,
    )


def _question(shifts: Any) -> rx.Component:
    def field(name: str, label: str, kind: str, given: Any) -> rx.Component:
        return rx.el.label(
            rx.el.span(label),
            rx.el.input(name=name, type=kind, default_value=given, class_name="wp-input"),
            class_name="wp-field",
        )

    return rx.el.form(
        rx.el.div(
            field("first", "First day", "date", shifts.first),
            field("last", "Last day", "date", ""),
            class_name="wp-form",
        ),
        rx.el.fieldset(
            rx.el.legend(
                "Only on these days; every day when none is ticked", class_name="wp-label"
            ),
            rx.el.div(
                *[
                    rx.el.label(
                        rx.el.input(type="checkbox", name=f"on-{number}"),
                        rx.el.span(day),
                        class_name="wp-check",
                    )
                    for number, day in enumerate(_WEEKDAYS)
                ],
                class_name="wp-weekdays",
            ),
            class_name="wp-fieldset",
        ),
        rx.el.div(
            field("begins", "Begins", "time", "09:00"),
            field("ends", "Ends", "time", "18:00"),
            class_name="wp-form",
        ),
        rx.el.p(
            "In the time zone of each driver's city. One that ends before it begins ends the next"
            " day. A driver gets all of these shifts or none.",
            class_name="wp-muted",
        ),
        form_fault(shifts.fault),
        form_end(rx.cond(shifts.working, "Planning", "Plan"), shifts.leave, shifts.working),
        on_submit=shifts.plan,
        class_name="wp-drawer-form",
    )


def _outcomes(shifts: Any) -> rx.Component:
    return rx.el.div(
        rx.el.p(shifts.summary, class_name="wp-strong", role="status"),
        outcome_list(
            shifts.outcomes, lambda each: rx.el.span(each["code"], class_name="wp-strong")
        ),
        rx.el.div(
            rx.el.button("Done", type="button", on_click=shifts.leave, class_name="wp-button"),
            class_name="wp-form-end",
        ),
        class_name="wp-drawer-form",
    )
