"""Pieces of the page of one ticket: a word of the conversation, and a clock."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import shape
from dashboard.components.incident_parts import clock_time
from dashboard.components.support_parts import due


def said(each: rx.Var, zone: rx.Var[str]) -> rx.Component:
    """One word of the conversation, the customer's on the left and ours on the right."""
    return rx.el.article(
        rx.el.span(each["initials"], class_name="wp-person", aria_hidden="true"),
        rx.el.div(
            rx.el.p(
                rx.el.strong(each["who"]),
                rx.cond(each["kind"] == "note", rx.el.span("note, colleagues only")),
                clock_time(at=each["at"].to(str), zone=zone),
                rx.cond(
                    each["came"] != "",
                    rx.el.span(shape(each["tone"]), each["came"], class_name="wp-state"),
                ),
                class_name="wp-said-head",
            ),
            rx.el.p(each["text"], class_name="wp-said-text"),
            class_name="wp-said-body",
        ),
        key=each["id"].to(str),
        class_name="wp-said",
        custom_attrs={
            "data-kind": each["kind"],
            "data-ours": rx.cond(each["ours"].to(bool), "true", "false"),
        },
    )


def clock(each: rx.Var, zone: rx.Var[str]) -> rx.Component:
    """One of the two clocks."""
    return rx.el.div(
        rx.el.span(each["name"]),
        rx.el.span(
            due(
                state=each["state"].to(str),
                due=each["due"].to(str),
                left=each["left"].to(int),
                word="",
                zone=zone,
            )
        ),
        rx.el.span(each["note"]),
        class_name="wp-clock",
        custom_attrs={"data-state": each["state"]},
    )
