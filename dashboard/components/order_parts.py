"""Pieces of the page of one order: a moment of its timeline, a parcel, a decision of matching."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.work_parts import copied, photo


def traces_link(address: rx.Var) -> rx.Component:
    """The way to an order's traces, where it is known where they are kept."""
    away = rx.el.a("Traces of this order", href=address, target="_blank", rel="noreferrer")
    return rx.cond(address != "", rx.el.p(away, class_name="wp-panel-body"))


def timeline_item(moment: rx.Var) -> rx.Component:
    """One moment: when, what, who and why, with its picture where there is one."""
    return rx.el.li(
        shape(moment["tone"].to(str)),
        rx.el.time(
            moment["clock"],
            date_time=moment["at"].to(str),
            title=moment["at"].to(str),
            class_name="wp-moment-at",
        ),
        rx.el.div(
            rx.cond(
                moment["link"] != "",
                link(
                    moment["what"],
                    to=moment["link"].to(str),
                    class_name="wp-moment-what wp-moment-link",
                ),
                rx.el.span(moment["what"], class_name="wp-moment-what"),
            ),
            rx.cond(moment["who"] != "", rx.el.span(moment["who"], class_name="wp-moment-who")),
            rx.cond(moment["why"] != "", rx.el.span(moment["why"], class_name="wp-moment-more")),
            rx.cond(
                moment["device"] != "",
                rx.el.span(
                    rx.icon("smartphone", size=12, aria_hidden="true"),
                    moment["device"],
                    class_name="wp-moment-more wp-moment-device",
                ),
            ),
            rx.cond(
                moment["photo"] != "",
                photo(
                    src=moment["photo"].to(str),
                    alt=moment["what"].to(str),
                    note=moment["why"].to(str),
                ),
            ),
        ),
        key=moment["id"].to(str),
        class_name="wp-moment",
        custom_attrs={"data-kind": moment["kind"]},
    )


def parcel(each: rx.Var) -> rx.Component:
    """One parcel."""
    return rx.el.li(
        rx.el.span(
            rx.el.code(each["barcode"]),
            copied(text=each["barcode"].to(str)),
            class_name="wp-row-tight",
        ),
        rx.el.span(each["weight"], class_name="wp-muted"),
        state_word(each["tone"].to(str), each["state"].to(str)),
        class_name="wp-parcel",
    )


def decision(each: rx.Var) -> rx.Component:
    """One decision of matching, unfolded into whom it weighed."""
    return rx.el.details(
        rx.el.summary(
            rx.el.span(each["clock"], class_name="wp-muted"),
            rx.el.span(each["what"], class_name="wp-grow"),
            rx.icon("chevron-down", size=14, aria_hidden="true"),
            class_name="wp-decision-line",
        ),
        rx.el.ol(
            rx.foreach(each["considered"].to(list[dict[str, str]]), _considered),
            class_name="wp-considered",
        ),
        rx.cond(
            each["left_out"] != "",
            rx.el.p("Could not take it: ", each["left_out"], class_name="wp-fact-note"),
        ),
        class_name="wp-decision",
    )


def _considered(one: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.span(one["code"], class_name=rx.cond(one["chosen"].to(bool), "wp-strong", "")),
        rx.cond(
            one["unfit"] != "",
            rx.el.span(one["unfit"], class_name="wp-warn"),
            rx.el.span(one["cost"], " min", class_name="wp-right", title=one["parts"].to(str)),
        ),
        rx.el.span(one["where"], class_name="wp-fact-note"),
        rx.cond(one["parts"] != "", rx.el.span(one["parts"], class_name="wp-fact-note")),
    )
