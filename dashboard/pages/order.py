"""The page of one order."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, state_word
from dashboard.components.case_drawer import case_drawer
from dashboard.components.case_parts import (
    customer_panel,
    flags_panel,
    incidents_panel,
    looks_line,
    messages_panel,
    tickets_panel,
)
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.message_drawer import message_drawer
from dashboard.components.order_drawer import act_drawer, deed_drawer
from dashboard.components.order_money import order_money
from dashboard.components.order_parts import decision, parcel, timeline_item, traces_link
from dashboard.components.page_states import thing_bones, thing_missing
from dashboard.components.route_map import order_way
from dashboard.components.tables import empty_state, trouble
from dashboard.components.work_parts import changed, copied, secret
from dashboard.pages.order_acting import act_panel, replace_link
from dashboard.search import search_part
from dashboard.shell import console_page
from dashboard.states.case import CaseState
from dashboard.states.case_acts import CaseActsState
from dashboard.states.case_asking import OWN_WORDS
from dashboard.states.message import BODY_ID, MessageState
from dashboard.states.order import PATH, REVEALED_IDS, OrderState
from dashboard.states.order_acts import OrderActsState
from dashboard.states.order_deeds import OrderDeedsState
from dashboard.states.order_money import OrderMoneyState
from dashboard.states.shell import ShellState

REFRESH_EVERY_S = 3.0
CASE_EVERY_S = 5.0


@console_page(
    PATH + "/[number]", "Order", on_load=[OrderState.load, CaseState.load, OrderMoneyState.load]
)
def order() -> rx.Component:
    """Facts and map, timeline, actions."""
    return rx.el.div(
        trouble(OrderState.fault, OrderState.load),
        rx.cond(OrderState.fault == "", trouble(CaseState.fault, CaseState.load)),
        rx.cond(
            OrderState.order,
            _known(),
            rx.cond(
                OrderState.fault == "",
                thing_bones("Loading the order"),
                rx.fragment(
                    search_part("Find another order"),
                    thing_missing(
                        "This order cannot be shown",
                        "Check the number, or ask someone of its region: it may be outside yours.",
                        ("Back to the list", PATH),
                    ),
                ),
            ),
        ),
        act_drawer(OrderActsState),
        deed_drawer(OrderDeedsState),
        case_drawer(CaseActsState, OWN_WORDS),
        message_drawer(MessageState, BODY_ID),
        changed(
            value=OrderActsState.serial
            + OrderDeedsState.serial
            + CaseActsState.serial
            + MessageState.serial,
            on_other=[OrderState.refresh, CaseState.refresh, OrderMoneyState.refresh],
        ),
        pulse(seconds=REFRESH_EVERY_S, on_beat=[OrderState.refresh, OrderMoneyState.refresh]),
        pulse(seconds=CASE_EVERY_S, on_beat=CaseState.refresh),
        class_name="wp-page wp-page-wide",
    )


def _known() -> rx.Component:
    found = OrderState.order
    return rx.el.div(
        rx.el.div(
            rx.el.section(
                _head(found), _facts(found), class_name="wp-panel wp-order-head", aria_label="Order"
            ),
            rx.el.section(
                order_way(
                    stops=OrderState.stops,
                    planned=OrderState.planned,
                    driver=found["driver_id"],
                    since=found["track_since"],
                    until=found["track_until"],
                    zone=found["zone"],
                    styles=OrderState.map_styles,
                    styles_known=OrderState.map_styles_known,
                    label="Map of this order's way",
                ),
                class_name="wp-panel wp-order-map",
                aria_label="Map",
            ),
            customer_panel(CaseState, found["tracking_url"], replace_link()),
            class_name=rx.cond(
                ShellState.permissions.contains("escalations:write"),
                "wp-stack wp-for-support",
                "wp-stack",
            ),
        ),
        rx.el.div(
            _flag(found),
            rx.el.div(
                _end("Pickup", "pickup", found),
                _end("Drop", "drop", found),
                class_name="wp-ends",
            ),
            looks_line(CaseState),
            rx.el.section(
                rx.el.nav(
                    rx.foreach(OrderState.tabs, _tab),
                    class_name="wp-chip-row wp-timeline-tabs",
                    aria_label="Parts of the timeline",
                ),
                rx.cond(
                    OrderState.moments.length() == 0,
                    empty_state("Nothing of this kind", "Choose Everything above."),
                    rx.el.ol(
                        rx.foreach(OrderState.moments, timeline_item),
                        class_name="wp-timeline",
                        aria_live="polite",
                    ),
                ),
                class_name="wp-panel",
                aria_label="Timeline",
            ),
            messages_panel(CaseState, MessageState),
            _parcels(),
            class_name="wp-stack",
        ),
        rx.el.div(
            tickets_panel(CaseState, found["number"], ShellState.permissions),
            act_panel(found),
            rx.cond(OrderMoneyState.shown, _money()),
            flags_panel(CaseState),
            incidents_panel(CaseState),
            _decisions(),
            _ids(found),
            class_name="wp-stack",
        ),
        class_name="wp-order",
    )


def _head(found: Any) -> rx.Component:
    return rx.el.div(
        rx.el.h2(
            rx.el.span(found["number"], class_name="wp-mono"),
            copied(text=found["number"]),
            class_name="wp-order-number",
        ),
        rx.el.p(
            state_word(found["tone"], found["state"]),
            rx.cond(found["late"] != "", state_word(found["late_tone"], found["late"])),
            class_name="wp-row",
            aria_live="polite",
        ),
        class_name="wp-order-title",
    )


def _fact(name: str, *value: Any, when: Any = True) -> rx.Component:
    return rx.cond(when, rx.fragment(rx.el.dt(name), rx.el.dd(*value)))


def _facts(found: Any) -> rx.Component:
    open_order = (found["eta"] != "") | (found["eta_note"] != "")
    return rx.el.dl(
        _fact(
            "Promised",
            found["promised_clock"],
            " ",
            rx.el.span(ago(at=found["promised"], zone=found["zone"]), class_name="wp-muted"),
        ),
        _fact(
            "ETA",
            rx.cond(
                found["eta"] != "",
                rx.fragment(
                    found["eta"],
                    rx.el.span(" (", found["eta_span"], ")", class_name="wp-nowrap"),
                ),
            ),
            rx.el.span(found["eta_note"], class_name="wp-fact-note"),
            when=open_order,
        ),
        _fact(
            "Driver",
            rx.cond(
                found["driver"] != "",
                rx.fragment(
                    link(found["driver"], to=found["driver_link"], class_name="wp-link wp-strong"),
                    link(
                        "follow",
                        to="/map?follow=true&driver=" + found["driver_id"].to(str),
                        class_name="wp-chip",
                    ),
                ),
                rx.el.span("none", class_name="wp-muted"),
            ),
        ),
        _fact(
            "Marketplace",
            link(
                found["merchant"],
                to=found["merchant_link"].to(str),
                class_name="wp-link",
                title="All its orders",
            ),
        ),
        _fact("Reference", rx.el.span(found["reference"]), copied(text=found["reference"])),
        _fact("Service", found["service"]),
        _fact(
            "Where", found["region"], rx.cond(found["hub"] != "", " / " + found["hub"].to(str), "")
        ),
        _fact("Parcels", found["parcels"]),
        _fact(
            "Payment",
            found["amount"],
            ", ",
            found["terms"],
            rx.el.span(found["pays"], class_name="wp-fact-note"),
        ),
        _fact("Tags", found["tags"], when=found["tags"] != ""),
        _fact("Skills", found["skills"], when=found["skills"] != ""),
        _fact("Created", ago(at=found["created"], zone=found["zone"])),
        class_name="wp-facts wp-facts-ends",
    )


def _end(title: str, end: str, found: Any) -> rx.Component:
    """One end of the way: where, who and when; who is masked."""

    def hidden(part: str) -> rx.Component:
        return secret(
            id=REVEALED_IDS[f"{end}.{part}"],
            masked=found[f"{end}_{part}"],
            label=f"the {part} at the {end}",
            may=OrderState.may_reveal,
            on_reveal=[OrderState.reveal(f"{end}.{part}"), CaseState.count_looks],
        )

    return rx.el.section(
        rx.el.div(rx.el.h2(title), class_name="wp-panel-head"),
        rx.el.dl(
            _fact("Where", found[f"{end}_address"]),
            _fact("Name", hidden("name")),
            _fact("Phone", hidden("phone")),
            _fact("Window", found[f"{end}_window"]),
            class_name="wp-facts wp-facts-ends",
        ),
        class_name="wp-panel",
        aria_label=title,
    )


def _flag(found: Any) -> rx.Component:
    return rx.cond(
        found["flagged"] != "",
        rx.el.div(
            rx.icon("flag", size=16, aria_hidden="true"),
            rx.el.span(
                rx.el.strong("Flagged: "),
                found["flagged"],
                rx.el.span(
                    " Look at the proof and the steps below, then settle it with what you found.",
                    class_name="wp-muted",
                ),
                class_name="wp-grow",
            ),
            rx.cond(
                ShellState.permissions.contains("orders:write"),
                rx.el.button(
                    "Settle",
                    type="button",
                    on_click=OrderDeedsState.begin("settle"),
                    class_name="wp-button wp-button-small",
                ),
            ),
            class_name="wp-flag-banner",
            role="note",
        ),
    )


def _tab(tab: rx.Var) -> rx.Component:
    return link(
        tab["word"],
        to=tab["link"].to(str),
        class_name="wp-chip",
        custom_attrs={"aria-current": rx.cond(tab["on"].to(bool), "true", "false")},
    )


def _parcels() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("Parcels"), class_name="wp-panel-head"),
        rx.el.ul(rx.foreach(OrderState.parcels, parcel), class_name="wp-parcels"),
        class_name="wp-panel",
        aria_label="Parcels",
    )


def _decisions() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("Why this driver"), class_name="wp-panel-head"),
        rx.cond(
            OrderState.decisions.length() == 0,
            rx.el.p("Nothing was decided by matching yet.", class_name="wp-muted wp-panel-body"),
            rx.el.div(rx.foreach(OrderState.decisions, decision), class_name="wp-decisions"),
        ),
        class_name="wp-panel",
        aria_label="Why this driver",
    )


def _ids(found: Any) -> rx.Component:
    def raw(name: str, value: Any) -> rx.Component:
        return rx.cond(
            value != "",
            rx.fragment(
                rx.el.dt(name), rx.el.dd(rx.el.code(value), copied(text=value, label=name))
            ),
        )

    return rx.el.section(
        rx.el.details(
            rx.el.summary(
                rx.el.h2("For support"),
                rx.icon("chevron-down", size=14, aria_hidden="true"),
                class_name="wp-panel-head wp-fold",
            ),
            rx.el.dl(
                raw("Order", found["id"]),
                raw("Driver", found["driver_id"]),
                raw("Customer's page", found["tracking_url"]),
                class_name="wp-facts wp-panel-body wp-raw",
            ),
            traces_link(found["traces_url"]),
        ),
        class_name="wp-panel",
        aria_label="Ids",
    )


def _money() -> rx.Component:
    state = OrderMoneyState
    return order_money(state.payments, state.refunds, state.cash, state.cash_tone)
