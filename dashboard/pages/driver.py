"""The page of one driver."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, state_word
from dashboard.components.driver_parts import (
    capacity_form,
    day,
    document,
    document_form,
    figure,
    latest_order,
    planned_shift,
    tour_stop,
)
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.page_states import thing_bones, thing_missing
from dashboard.components.route_map import order_way
from dashboard.components.shift_drawer import shift_drawer
from dashboard.components.tables import empty_state, trouble
from dashboard.components.work_parts import changed, chart, copied, secret
from dashboard.shell import console_page
from dashboard.states.driver import PATH, PHONE_ID, DriverState
from dashboard.states.driver_care import DriverCareState
from dashboard.states.shifts import ShiftsState

REFRESH_EVERY_S = 15.0
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@console_page(PATH + "/[id]", "Driver", on_load=[DriverState.load])
def driver() -> rx.Component:
    """Now and today, figures, shifts, capacity, documents."""
    return rx.el.div(
        trouble(DriverState.fault, DriverState.load),
        rx.cond(
            DriverState.driver,
            _known(),
            rx.cond(
                DriverState.fault == "",
                thing_bones("Loading the driver"),
                thing_missing(
                    "This driver cannot be shown",
                    "Check the address, or ask someone of their region: it may be outside yours.",
                    ("Back to the roster", PATH),
                ),
            ),
        ),
        shift_drawer(ShiftsState),
        changed(value=ShiftsState.serial + DriverCareState.serial, on_other=DriverState.refresh),
        pulse(seconds=REFRESH_EVERY_S, on_beat=DriverState.refresh),
        class_name="wp-page wp-page-wide",
    )


def _known() -> rx.Component:
    found = DriverState.driver
    return rx.el.div(
        rx.el.div(
            rx.el.section(_head(found), _facts(found), class_name="wp-panel", aria_label="Driver"),
            rx.el.section(
                order_way(
                    stops=DriverState.stops,
                    planned=DriverState.planned,
                    driver=found["id"],
                    since=found["day_start"],
                    until="",
                    zone=found["zone"],
                    styles=DriverState.map_styles,
                    styles_known=DriverState.map_styles_known,
                    label="Map of this driver's day",
                ),
                class_name="wp-panel wp-order-map",
                aria_label="Map of today",
            ),
            _tour(),
            class_name="wp-stack",
        ),
        rx.el.div(_performance(), _latest(found), class_name="wp-stack"),
        rx.el.div(_shifts(found), _capacity(found), _documents(), class_name="wp-stack"),
        class_name="wp-order wp-driver-page",
    )


def _head(found: Any) -> rx.Component:
    return rx.el.div(
        rx.el.h2(
            rx.el.span(found["code"], class_name="wp-mono"),
            copied(text=found["code"]),
            rx.el.span(found["name"], class_name="wp-grow"),
            link(
                "Follow", to="/map?follow=true&driver=" + found["id"].to(str), class_name="wp-chip"
            ),
            class_name="wp-order-number",
        ),
        rx.el.p(
            state_word(found["tone"], found["status"]),
            rx.el.span("seen ", ago(at=found["seen"], zone=found["zone"]), class_name="wp-muted"),
            class_name="wp-row",
        ),
        class_name="wp-order-title",
    )


def _fact(name: str, *value: Any, when: Any = True) -> rx.Component:
    return rx.cond(when, rx.fragment(rx.el.dt(name), rx.el.dd(*value)))


def _facts(found: Any) -> rx.Component:
    return rx.el.dl(
        _fact(
            "Phone",
            secret(
                id=PHONE_ID,
                masked=found["phone"],
                label="the driver's phone",
                may=DriverState.may_reveal,
                on_reveal=DriverState.reveal_phone,
            ),
        ),
        _fact(
            "Vehicle",
            found["vehicle"],
            rx.cond(found["plate"] != "", ", " + found["plate"].to(str), ""),
        ),
        _fact("Where", found["place"]),
        _fact("Load", found["load"], rx.el.span(found["weight"], class_name="wp-fact-note")),
        _fact("Shift", found["shift"]),
        _fact(
            "Battery",
            rx.cond(
                found["low"],
                state_word("warning", found["battery"].to(str) + " low"),
                found["battery"],
            ),
            when=found["battery"] != "",
        ),
        _fact("Documents", state_word(found["documents_tone"], found["documents"])),
        _fact("Skills", found["skills"], when=found["skills"] != ""),
        class_name="wp-facts wp-facts-ends",
    )


def _tour() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Tour now"),
            rx.el.span(DriverState.tour_note, class_name="wp-muted"),
            class_name="wp-panel-head",
        ),
        rx.cond(
            DriverState.tour.length() == 0,
            empty_state("No stops planned", "Orders given to this driver are planned into a tour."),
            rx.el.ol(rx.foreach(DriverState.tour, tour_stop), class_name="wp-tour"),
        ),
        class_name="wp-panel",
        aria_label="Tour now",
    )


def _performance() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Performance"),
            rx.el.span("last 30 days", class_name="wp-muted"),
            class_name="wp-panel-head",
        ),
        rx.el.dl(rx.foreach(DriverState.figures, figure), class_name="wp-figures"),
        rx.cond(
            DriverState.charted,
            rx.el.div(
                chart(DriverState.chart, "Deliveries of each day: in time, late, failed"),
                class_name="wp-panel-body",
            ),
            empty_state("No deliveries yet", "Each day's deliveries are drawn here."),
        ),
        class_name="wp-panel",
        aria_label="Performance",
    )


def _latest(found: Any) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Latest orders"),
            link(
                "All of them",
                to="/orders?driver=" + found["code"].to(str),
                class_name="wp-button wp-button-small",
            ),
            class_name="wp-panel-head",
        ),
        rx.cond(
            DriverState.orders.length() == 0,
            empty_state("No orders yet", "What this driver is given is listed here."),
            rx.el.ul(rx.foreach(DriverState.orders, latest_order), class_name="wp-latest"),
        ),
        class_name="wp-panel",
        aria_label="Latest orders",
    )


def _shifts(found: Any) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Shifts"),
            rx.cond(
                DriverState.may_plan,
                rx.el.button(
                    "Plan",
                    type="button",
                    on_click=ShiftsState.ask("plan", [found["id"]]),
                    class_name="wp-button wp-button-small",
                ),
            ),
            class_name="wp-panel-head",
        ),
        rx.el.div(
            *[rx.el.span(name, class_name="wp-day-name", aria_hidden="true") for name in _WEEKDAYS],
            rx.foreach(DriverState.days, day),
            class_name="wp-calendar",
        ),
        rx.cond(
            DriverState.may_plan,
            rx.foreach(
                DriverState.open_shifts,
                lambda shift: planned_shift(
                    shift, ShiftsState.cancel(shift["driver"].to(str), shift["id"].to(str))
                ),
            ),
        ),
        class_name="wp-panel",
        aria_label="Shifts",
    )


def _capacity(found: Any) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Capacity and skills"),
            rx.el.span(found["capacity_note"], class_name="wp-muted"),
            class_name="wp-panel-head",
        ),
        capacity_form(found, DriverState.may_write, DriverCareState.set_capacity),
        class_name="wp-panel",
        aria_label="Capacity and skills",
    )


def _documents() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("Documents"), class_name="wp-panel-head"),
        rx.cond(
            DriverState.documents.length() == 0,
            empty_state(
                "No documents kept", "Keep the licence, insurance and permit with their end."
            ),
            rx.el.ul(rx.foreach(DriverState.documents, document), class_name="wp-latest"),
        ),
        rx.cond(DriverState.may_write, document_form(DriverCareState.set_document)),
        class_name="wp-panel",
        aria_label="Documents",
    )
