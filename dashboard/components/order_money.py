"""The money of an order beside its delivery."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, state_word


def order_money(payments: rx.Var, refunds: rx.Var, cash: rx.Var, cash_tone: rx.Var) -> Any:
    """A panel with the order's payments, refunds and cash."""
    nothing = (payments.length() == 0) & (cash == "")
    return rx.el.section(
        rx.el.div(rx.el.h2("Payment"), class_name="wp-panel-head"),
        rx.cond(
            nothing,
            rx.el.p("No payment was asked for yet.", class_name="wp-muted wp-panel-body"),
        ),
        rx.foreach(payments, _payment),
        rx.cond(
            cash != "",
            rx.el.div(
                state_word(cash_tone, "cash"), rx.el.span(cash), class_name="wp-item wp-item-line"
            ),
        ),
        rx.foreach(refunds, _refund),
        class_name="wp-panel",
        aria_label="Payment",
    )


def _payment(row: Any) -> rx.Component:
    return link(
        state_word(row["tone"], row["state"].to(str)),
        rx.el.span(
            rx.el.span(row["amount"]),
            rx.el.span(row["terms"], ", ", row["gateway"], " ", row["reason"]),
            class_name="wp-cell-two wp-right",
        ),
        to=row["link"].to(str),
        class_name="wp-item wp-item-line",
    )


def _refund(row: Any) -> rx.Component:
    return link(
        state_word(row["tone"], "refund " + row["state"].to(str)),
        rx.el.span(
            rx.el.span(row["amount"]), rx.el.span(row["reason"]), class_name="wp-cell-two wp-right"
        ),
        to=row["link"].to(str),
        class_name="wp-item wp-item-line",
    )
