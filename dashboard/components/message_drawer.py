"""The drawer of one message, on the order's page and in the outbox."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, state_word
from dashboard.components.forms import form_fault
from dashboard.components.work_parts import drawer, secret


def message_drawer(state: Any, body_id: str) -> rx.Component:
    """The drawer of `state`, with the vars and handlers of `MessageState`.

    `body_id` is the element into which the state puts the words.
    """
    return drawer(
        rx.cond(state.message, _message(state, body_id)),
        open=state.open,
        label=state.title,
        on_leave=state.leave,
    )


def _message(state: Any, body_id: str) -> rx.Component:
    found = state.message
    return rx.el.div(
        rx.el.div(
            state_word(found["tone"], found["state"]),
            rx.el.span(found["channel"], class_name="wp-muted"),
            rx.cond(
                found["order"] != "",
                link(found["order"], to=found["order_link"], class_name="wp-link wp-code"),
            ),
            class_name="wp-row",
        ),
        rx.cond(found["why"] != "", rx.el.p(found["why"], class_name="wp-warn")),
        rx.el.div(
            rx.el.span("What it says, in ", found["language"], class_name="wp-label"),
            rx.el.div(
                secret(
                    id=body_id,
                    masked="The words are hidden",
                    label="the words of the message",
                    may=True,
                    on_reveal=state.reveal,
                    key=found["id"],
                ),
                class_name="wp-bubble",
            ),
            class_name="wp-field",
        ),
        rx.el.dl(
            _fact("To", found["recipient"]),
            rx.foreach(
                state.times,
                lambda each: rx.fragment(rx.el.dt(each["name"]), rx.el.dd(each["at"])),
            ),
            _fact("By", found["by"]),
            class_name="wp-facts",
        ),
        rx.cond(
            state.tried.length() > 0,
            rx.el.div(
                rx.el.span("Attempts and receipts", class_name="wp-label"),
                rx.el.ol(rx.foreach(state.tried, _tried), class_name="wp-tried"),
                class_name="wp-field",
            ),
        ),
        rx.cond(
            state.may_write & (found["may_retry"].to(bool) | found["may_cancel"].to(bool)),
            _form(state),
            form_fault(state.fault),
        ),
        class_name="wp-drawer-form",
    )


def _fact(name: str, value: Any) -> rx.Component:
    return rx.cond(value != "", rx.fragment(rx.el.dt(name), rx.el.dd(value)))


def _tried(row: Any) -> rx.Component:
    return rx.el.li(
        rx.el.time(row["clock"]),
        state_word(row["tone"], row["word"]),
        rx.el.span(row["way"], class_name="wp-muted"),
        rx.cond(row["why"] != "", rx.el.span(row["why"], class_name="wp-fact-note")),
    )


def _form(state: Any) -> rx.Component:
    retries = state.message["may_retry"].to(bool)
    return rx.el.form(
        rx.el.label(
            rx.el.span("Why"),
            rx.el.input(name="reason", max_length=300, class_name="wp-input", auto_complete="off"),
            class_name="wp-field",
        ),
        form_fault(state.fault),
        rx.el.div(
            rx.el.button(
                rx.cond(retries, "Send it again", "Stop it"),
                type="submit",
                disabled=state.working,
                class_name=rx.cond(retries, "wp-button wp-button-main", "wp-button wp-button-risk"),
            ),
            class_name="wp-form-end",
        ),
        on_submit=state.act,
        class_name="wp-ask-inline",
    )
