"""What can be done about an order: the actions of its case, and dispatch's own below them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.states.case import CaseState
from dashboard.states.case_acts import CaseActsState
from dashboard.states.order import OrderState
from dashboard.states.order_acts import OrderActsState
from dashboard.states.order_deeds import OrderDeedsState
from dashboard.states.shell import ShellState


def act_panel(found: Any) -> rx.Component:
    """Every action, those that cannot be done now with why; `found` is the order as shown."""
    only_looks = (OrderState.actions.length() == 0) & ~CaseState.may_act
    return rx.el.section(
        rx.el.div(rx.el.h2("Act"), class_name="wp-panel-head"),
        rx.cond(
            only_looks,
            rx.el.p(
                "You may look: your roles lack orders:write.", class_name="wp-muted wp-panel-body"
            ),
            rx.fragment(
                rx.el.div(
                    rx.foreach(CaseState.actions, _case_act),
                    rx.cond(CaseState.ready, rx.fragment(), _bones()),
                    class_name="wp-acts",
                ),
                rx.cond(OrderState.actions.length() > 0, _of_dispatch(found)),
            ),
        ),
        class_name="wp-panel",
        aria_label="Act",
    )


def replace_link() -> rx.Component:
    """Takes the customer's tracking link back and makes a new one."""
    return rx.cond(
        ShellState.permissions.contains("orders:write"),
        rx.el.button(
            "replace",
            type="button",
            on_click=OrderDeedsState.begin("link"),
            class_name="wp-chip",
            aria_label="Replace the link",
            title="Replace the link: when it is over, or has come into wrong hands",
        ),
    )


def _bones() -> rx.Component:
    return rx.fragment(*[rx.el.span(class_name="wp-bone wp-act-bone") for _ in range(8)])


def _case_act(row: Any) -> rx.Component:
    return rx.cond(
        row["ok"].to(bool),
        rx.el.button(
            rx.el.span(row["word"]),
            type="button",
            on_click=CaseActsState.begin(row["kind"]),
            class_name=rx.cond(row["risk"].to(bool), "wp-act wp-act-risk", "wp-act"),
        ),
        _off(row),
    )


def _off(row: Any) -> rx.Component:
    return rx.el.div(
        rx.el.span(row["word"]),
        rx.el.span(row["why"], class_name="wp-act-hint"),
        class_name="wp-act wp-act-off wp-case-off",
        aria_disabled="true",
        role="group",
        aria_label=row["word"].to(str) + ": not now, " + row["why"].to(str),
    )


def _of_dispatch(found: Any) -> rx.Component:
    may_write = ShellState.permissions.contains("orders:write")

    def deed(key: str, word: str, hint: str) -> rx.Component:
        return rx.el.button(
            rx.el.span(word),
            rx.el.span(hint, class_name="wp-act-hint"),
            type="button",
            on_click=OrderDeedsState.begin(key),
            class_name="wp-act",
        )

    return rx.el.details(
        rx.el.summary(
            "Dispatch's own",
            rx.icon("chevron-down", size=14, aria_hidden="true"),
            class_name="wp-fold wp-more",
        ),
        rx.el.div(
            rx.foreach(OrderState.actions, lambda row: _dispatch_act(row, found)),
            rx.cond(
                may_write,
                rx.fragment(
                    rx.cond(OrderState.may_change, deed("change", "Change promise or tags", "")),
                    rx.cond(
                        OrderState.may_override,
                        deed("override", "Waive the proof of delivery", "audited"),
                    ),
                    rx.cond(
                        found["flagged"] == "", deed("flag", "Flag for support", "state stays")
                    ),
                ),
            ),
            class_name="wp-acts",
        ),
    )


def _dispatch_act(row: Any, found: Any) -> rx.Component:
    return rx.cond(
        row["ok"].to(bool),
        rx.el.button(
            rx.el.span(row["word"]),
            type="button",
            on_click=OrderActsState.ask(row["key"], [found["id"]]),
            class_name="wp-act",
        ),
        _off(row),
    )
