"""The page of one payment: facts and actions, its timeline, its refunds and its transfers."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.forms import choice_input, field, text_input
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.money_parts import money_tabs
from dashboard.components.tables import NUMBER, empty_state, trouble, two_lines
from dashboard.shell import console_page
from dashboard.states.payment import PaymentDetailState
from dashboard.states.shell import ShellState

_WHERE = (("source", "Where it came from"), ("wallet", "The customer's wallet"))
_LOOK_EVERY_S = 4.0
_facts = PaymentDetailState.facts


@console_page("/payments/[payment]", "Payment", on_load=[PaymentDetailState.load])
def payment() -> rx.Component:
    """One payment."""
    return rx.el.div(
        money_tabs("", ShellState.permissions),
        trouble(PaymentDetailState.fault, PaymentDetailState.load),
        rx.cond(
            _facts.id != "",
            rx.el.div(
                rx.el.div(_timeline(), _refunds(), _transfers(), class_name="wp-stack"),
                rx.el.aside(_side(), _actions(), class_name="wp-stack", aria_label="The payment"),
                class_name="wp-split",
            ),
            rx.cond(PaymentDetailState.fault == "", _bones()),
        ),
        pulse(seconds=_LOOK_EVERY_S, on_beat=PaymentDetailState.refresh),
        class_name="wp-page",
        custom_attrs={"aria-busy": rx.cond(PaymentDetailState.ready, "false", "true")},
    )


def _bones() -> rx.Component:
    return rx.el.div(
        *[rx.el.span(class_name="wp-bone wp-bone-line") for _ in range(8)],
        class_name="wp-panel wp-panel-body wp-stack",
    )


def _fact(name: str, value: Any, when: rx.Var | bool = True) -> rx.Component:
    return rx.cond(when, rx.fragment(rx.el.dt(name), rx.el.dd(value)))


def _side() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.span(_facts.amount, class_name="wp-tile-value"),
            rx.el.span(
                state_word(_facts.tone, _facts.state),
                rx.cond(_facts.late, rx.el.span(shape("warning"), "late", class_name="wp-state")),
                class_name="wp-row",
            ),
            class_name="wp-panel-head",
        ),
        rx.el.dl(
            _fact(
                "Order",
                link(rx.el.code(_facts.order), to=_facts.order_link, class_name="wp-link"),
                _facts.order != "",
            ),
            _fact("Order is", _facts.outcome, _facts.outcome != ""),
            _fact("Why it failed", _facts.failure, _facts.failure != ""),
            _fact("Captured", _facts.captured),
            _fact("Refunded", _facts.refunded),
            _fact("Terms", _facts.terms),
            _fact("Gateway", two_lines(_facts.gateway, rx.el.code(_facts.gateway_ref))),
            _fact("Merchant", rx.el.code(_facts.merchant), _facts.merchant != ""),
            _fact(
                "Wallet",
                link("Open the wallet", to=_facts.wallet_link, class_name="wp-link"),
                _facts.wallet_link != "",
            ),
            _fact("Where", _facts.place),
            _fact("Made", ago(at=_facts.created_at, zone=ShellState.region_zone)),
            _fact(
                "Authorised",
                ago(at=_facts.authorised_at, zone=ShellState.region_zone),
                _facts.authorised_at != "",
            ),
            _fact(
                "Captured at",
                ago(at=_facts.captured_at, zone=ShellState.region_zone),
                _facts.captured_at != "",
            ),
            _fact("Id", rx.el.code(_facts.id)),
            class_name="wp-facts wp-panel-body",
        ),
        class_name="wp-panel",
    )


def _actions() -> rx.Component:
    state = PaymentDetailState
    return rx.el.section(
        rx.el.div(rx.el.h2("Act"), class_name="wp-panel-head"),
        rx.el.div(
            _action(
                "retry", "Try again", state.may_retry, "only a failed payment can be",
                state.retry,
                field("Another method", text_input("method", placeholder="the same one")),
            ),
            _action(
                "capture", "Capture", state.may_capture, "only what is authorised can be",
                state.capture,
                field(
                    "Amount",
                    text_input("amount", placeholder=_facts.amount, input_mode="decimal"),
                ),
            ),
            _action(
                "refund", "Refund",
                state.may_refund, "nothing captured is left, or your roles may not", state.refund,
                field(
                    rx.el.span("Amount, at most ", _facts.refundable),
                    text_input("amount", required=True, input_mode="decimal"),
                ),
                field("To", choice_input("to", _WHERE)),
                field("Why", text_input("reason", required=True, min_length=3, max_length=500)),
                note=state.limit_words,
            ),
            _action(
                "cancel", "Cancel", state.may_cancel, "captured or ended already", state.cancel,
                field("Why", text_input("reason", required=True, min_length=3, max_length=500)),
                risk=True,
            ),
            class_name="wp-acts",
        ),
        class_name="wp-panel",
        aria_label="Act",
    )  # fmt: skip


def _action(
    what: str,
    word: str,
    may: rx.Var[bool],
    why_not: str,
    submit: Any,
    *fields: rx.Component,
    note: rx.Var[str] | str = "",
    risk: bool = False,
) -> rx.Component:
    """An action as a line that opens its form; greyed with the reason where it may not be done."""
    state = PaymentDetailState
    return rx.el.div(
        rx.el.button(
            rx.el.span(word),
            rx.el.span(rx.cond(may, note, why_not), class_name="wp-muted"),
            type="button",
            class_name="wp-act",
            disabled=~may,
            on_click=state.ask(what),
            custom_attrs={"aria-expanded": rx.cond(state.asking == what, "true", "false")},
        ),
        rx.cond(
            (state.asking == what) & may,
            rx.el.form(
                *fields,
                rx.el.button(
                    word,
                    type="submit",
                    disabled=state.busy,
                    class_name="wp-button wp-button-risk" if risk else "wp-button wp-button-main",
                ),
                on_submit=submit,
                class_name="wp-act-form",
            ),
        ),
    )


def _timeline() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("What happened"), class_name="wp-panel-head"),
        rx.el.ol(
            rx.foreach(
                PaymentDetailState.moments,
                lambda item: rx.el.li(
                    rx.el.span(
                        ago(at=item["at"], zone=ShellState.region_zone),
                        class_name="wp-moment-at wp-muted",
                    ),
                    shape(item["tone"]),
                    rx.el.span(
                        two_lines(item["title"], item["detail"]), class_name="wp-moment-words"
                    ),
                    rx.el.span(item["amount"], class_name="wp-nowrap"),
                    rx.el.span(item["source"], class_name="wp-muted"),
                    class_name="wp-moment",
                ),
            ),
            class_name="wp-moments",
        ),
        class_name="wp-panel",
        aria_label="What happened",
    )


def _refunds() -> rx.Component:
    return rx.cond(
        PaymentDetailState.refunds.length() > 0,
        rx.el.section(
            rx.el.div(rx.el.h2("Refunds"), class_name="wp-panel-head"),
            rx.foreach(PaymentDetailState.refunds, _refund),
            class_name="wp-panel",
            aria_label="Refunds",
        ),
    )


def _refund(row: rx.Var) -> rx.Component:
    state = PaymentDetailState
    return rx.el.div(
        state_word(row["tone"], row["state"].to(str)),
        two_lines(
            rx.fragment(row["amount"], " to ", row["to"]),
            rx.fragment(row["asked_by"], ": ", row["reason"]),
        ),
        rx.cond(
            row["waits"].to(bool) & state.may_approve,
            rx.el.div(
                rx.el.button(
                    "Approve",
                    type="button",
                    disabled=state.busy,
                    on_click=state.decide(row["id"], True),
                    class_name="wp-button wp-button-small wp-button-main",
                ),
                rx.el.button(
                    "Turn down",
                    type="button",
                    disabled=state.busy,
                    on_click=state.decide(row["id"], False),
                    class_name="wp-button wp-button-small",
                ),
                class_name="wp-row",
            ),
            rx.el.span(row["decided"], class_name="wp-muted"),
        ),
        class_name="wp-need",
    )


def _transfers() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("In the ledger"), class_name="wp-panel-head"),
        rx.cond(
            PaymentDetailState.transfers.length() > 0,
            rx.el.div(
                rx.el.table(
                    rx.el.thead(
                        rx.el.tr(
                            rx.el.th("Transfer", scope="col"),
                            rx.el.th("From", scope="col"),
                            rx.el.th("To", scope="col"),
                            rx.el.th("Amount", scope="col", class_name=NUMBER),
                            rx.el.th("State", scope="col"),
                            rx.el.th("When", scope="col"),
                        )
                    ),
                    rx.el.tbody(
                        rx.foreach(
                            PaymentDetailState.transfers,
                            lambda row: rx.el.tr(
                                rx.el.td(row["kind"], class_name="wp-nowrap"),
                                rx.el.td(row["debit"]),
                                rx.el.td(row["credit"]),
                                rx.el.td(row["amount"], class_name=NUMBER),
                                rx.el.td(state_word(row["tone"], row["state"].to(str))),
                                rx.el.td(
                                    ago(at=row["at"], zone=ShellState.region_zone),
                                    class_name="wp-nowrap",
                                ),
                            ),
                        )
                    ),
                    class_name="wp-table",
                    custom_attrs={"aria-label": "Transfers"},
                ),
                class_name="wp-table-box",
                tab_index=0,
                role="region",
                aria_label="Transfers",
            ),
            empty_state("Nothing moved yet", "Transfers appear once money is held or captured."),
        ),
        class_name="wp-panel",
        aria_label="In the ledger",
    )
