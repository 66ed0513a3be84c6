"""The drawer in which one or many orders are acted on: reason, driver, and what became of each."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, shape
from dashboard.components.forms import form_end, form_fault
from dashboard.components.outcomes import outcome_list
from dashboard.components.work_parts import drawer


def act_drawer(acts: Any) -> rx.Component:
    """The drawer of `acts`, a state with the vars and handlers of `OrderActsState`."""
    return drawer(
        rx.cond(acts.summary != "", _outcomes(acts), _question(acts)),
        open=acts.open,
        label=acts.title,
        on_leave=acts.leave,
    )


def _question(acts: Any) -> rx.Component:
    return rx.el.form(
        rx.cond(acts.needs_driver, drivers_to_choose(acts)),
        rx.el.label(
            rx.el.span(
                "Why",
                rx.cond(acts.needs_reason, "", rx.el.span(" (may be left out)")),
            ),
            rx.el.textarea(
                name="reason",
                rows=2,
                max_length=500,
                class_name="wp-input wp-textarea",
                placeholder="Kept in the order's history",
            ),
            class_name="wp-field",
        ),
        rx.cond(
            acts.needs_driver,
            rx.el.label(
                rx.el.input(type="checkbox", name="force"),
                rx.el.span("Even if the driver is full or the shift ends soon; say why above"),
                class_name="wp-check",
            ),
        ),
        form_fault(acts.fault),
        form_end(rx.cond(acts.working, "Working", acts.title), acts.leave, acts.working),
        on_submit=acts.act,
        class_name="wp-drawer-form",
    )


def drivers_to_choose(acts: Any) -> rx.Component:
    """The drivers that `acts` offers, one of them to be chosen, and a field to find others."""
    return rx.el.fieldset(
        rx.el.legend("Driver", class_name="wp-label"),
        rx.el.input(
            placeholder="Code or name of a driver",
            aria_label="Find a driver",
            on_change=acts.look_for_drivers.debounce(250),
            class_name="wp-input",
            auto_complete="off",
        ),
        rx.el.div(
            rx.foreach(acts.candidates, lambda each: _candidate(each, acts)),
            class_name="wp-candidates",
            custom_attrs={"aria-busy": rx.cond(acts.looking, "true", "false")},
        ),
        rx.cond(
            ~acts.looking & (acts.candidates.length() == 0),
            rx.el.p("No live driver fits. Type another code or name.", class_name="wp-muted"),
        ),
        class_name="wp-fieldset",
    )


def _candidate(each: rx.Var, acts: Any) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="driver",
            value=each["id"].to(str),
            checked=acts.chosen == each["id"],
            on_change=lambda _: acts.choose(each["id"]),
        ),
        shape(each["tone"].to(str)),
        rx.el.span(
            rx.el.span(
                rx.el.span(each["code"], class_name="wp-strong"),
                " ",
                each["name"],
                class_name="wp-clip",
            ),
            rx.el.span(
                each["status"],
                ", ",
                each["note"],
                rx.cond(
                    each["unfit"] != "", rx.el.span(" · ", each["unfit"], class_name="wp-warn")
                ),
            ),
            class_name="wp-cell-two wp-grow",
        ),
        rx.el.span(each["load"], class_name="wp-nowrap wp-muted", title="Orders, of the most"),
        class_name="wp-candidate",
    )


def _outcomes(acts: Any) -> rx.Component:
    return rx.el.div(
        rx.el.p(acts.summary, class_name="wp-strong", role="status"),
        outcome_list(
            acts.outcomes,
            lambda each: link(
                each["number"],
                to="/orders/" + each["number"].to(str),
                class_name="wp-code wp-link",
            ),
        ),
        rx.el.div(
            rx.el.button("Done", type="button", on_click=acts.leave, class_name="wp-button"),
            rx.el.button(
                "Try the refused again",
                type="button",
                on_click=acts.ask_again,
                title="As they are now, whatever changed since you looked",
                class_name="wp-button wp-button-main",
            ),
            class_name="wp-form-end",
        ),
        class_name="wp-drawer-form",
    )


def deed_drawer(deeds: Any) -> rx.Component:
    """The drawer of `deeds`, a state with the vars and handlers of `OrderDeedsState`."""
    return drawer(
        rx.el.form(
            rx.cond(deeds.hint != "", rx.el.p(deeds.hint, class_name="wp-muted")),
            rx.cond(deeds.deed == "change", _details(deeds)),
            rx.el.label(
                rx.el.span("Why"),
                rx.el.textarea(
                    name="reason",
                    rows=2,
                    required=True,
                    min_length=3,
                    max_length=500,
                    class_name="wp-input wp-textarea",
                    placeholder="Kept in the order's history",
                ),
                class_name="wp-field",
            ),
            rx.cond(
                (deeds.deed == "override") & deeds.may_deliver,
                rx.el.label(
                    rx.el.input(type="checkbox", name="deliver"),
                    rx.el.span("And close the order as delivered now"),
                    class_name="wp-check",
                ),
            ),
            form_fault(deeds.fault),
            form_end(rx.cond(deeds.working, "Working", deeds.title), deeds.leave, deeds.working),
            on_submit=deeds.do,
            class_name="wp-drawer-form",
        ),
        open=deeds.open,
        label=deeds.title,
        on_leave=deeds.leave,
    )


def _details(deeds: Any) -> rx.Component:
    def field(name: str, label: str, given: Any, **props: Any) -> rx.Component:
        return rx.el.label(
            rx.el.span(label),
            rx.el.input(name=name, default_value=given, class_name="wp-input", **props),
            class_name="wp-field",
        )

    return rx.fragment(
        field("promised", "Promised", deeds.promised, type="datetime-local"),
        field("tags", "Tags, with commas between", deeds.tags),
        rx.el.p("Times are in ", deeds.zone, " time.", class_name="wp-muted"),
    )
