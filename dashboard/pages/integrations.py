"""The integrations page: webhook endpoints above, what was sent to them below."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, state_word
from dashboard.components.forms import choice_input, field, secret_once, text_input
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.tables import NUMBER, table, trouble, two_lines
from dashboard.pages.deliveries import log
from dashboard.shell import console_page
from dashboard.states.deliveries import DeliveriesState
from dashboard.states.integrations import EVENT_TYPES, PATH, SECRET_FIELD, IntegrationsState
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState

REFRESH_EVERY_S = 5.0


@console_page(
    PATH,
    "Integrations",
    on_load=[IntegrationsState.arrive, DeliveriesState.load, ViewsState.load],
)
def integrations() -> rx.Component:
    """Endpoints, their secrets, and the delivery log."""
    chosen = IntegrationsState.chosen["id"] != ""
    beside = chosen | IntegrationsState.may_write
    return rx.el.div(
        trouble(IntegrationsState.fault, IntegrationsState.load),
        secret_once(
            SECRET_FIELD,
            "secret",
            IntegrationsState.made_name,
            shown=IntegrationsState.shows_secret,
            on_done=IntegrationsState.forget_secret,
        ),
        rx.el.div(
            rx.el.section(
                rx.el.div(
                    rx.el.h2("Webhook endpoints"),
                    rx.el.p(
                        "Signed as Standard Webhooks, tried again for a day, in order for each "
                        "order.",
                        class_name="wp-muted",
                    ),
                    class_name="wp-panel-head",
                ),
                table(
                    ["Endpoint", "State", "Hears of", "Where", "Last 24 hours",
                     ("Waiting", NUMBER)],
                    IntegrationsState.rows,
                    _row,
                    ready=IntegrationsState.ready,
                    label="Webhook endpoints",
                    empty=("No endpoints", "Make one for each marketplace that wants to listen."),
                    bones=3,
                ),
                class_name="wp-panel",
            ),
            rx.cond(chosen, _chosen(), rx.cond(IntegrationsState.may_write, _make_form())),
            class_name=rx.cond(beside, "wp-split", ""),
        ),
        log(),
        pulse(seconds=REFRESH_EVERY_S, on_beat=DeliveriesState.refresh),
        class_name="wp-page wp-page-wide",
    )  # fmt: skip


def _row(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            link(
                two_lines(row["merchant"], rx.el.code(row["url"])),
                to=row["link"].to(str),
                class_name="wp-row-link",
            ),
            class_name="wp-endpoint-cell",
        ),
        rx.el.td(
            rx.el.span(state_word(row["tone"].to(str), row["state"].to(str)), title=row["because"]),
            class_name="wp-nowrap",
        ),
        rx.el.td(row["events"], class_name="wp-wrap"),
        rx.el.td(row["place"], class_name="wp-nowrap"),
        rx.el.td(
            rx.el.div(
                rx.el.svg(
                    rx.el.path(d=row["area"].to(str), class_name="wp-spark-area"),
                    rx.el.path(d=row["line"].to(str), class_name="wp-spark-line"),
                    view_box="0 0 120 32",
                    preserve_aspect_ratio="none",
                    class_name="wp-spark wp-spark-small",
                    custom_attrs={"data-tone": row["tone"]},
                    aria_hidden="true",
                ),
                rx.el.span(row["rate"], class_name="wp-nowrap"),
                class_name="wp-row",
            )
        ),
        rx.el.td(row["waiting"], class_name=NUMBER),
        custom_attrs={"aria-selected": rx.cond(row["chosen"].to(bool), "true", "false")},
    )


def _fact(name: str, value: rx.Var | rx.Component, when: rx.Var | bool = True) -> rx.Component:
    return rx.cond(when, rx.fragment(rx.el.dt(name), rx.el.dd(value)))


def _chosen() -> rx.Component:
    chosen = IntegrationsState.chosen
    return rx.el.aside(
        rx.el.div(
            rx.el.h2("Endpoint"),
            link(
                rx.icon("x", size=14, aria_hidden="true"),
                to=IntegrationsState.close_link,
                class_name="wp-icon-button",
                aria_label="Close this endpoint",
            ),
            class_name="wp-panel-head",
        ),
        rx.el.dl(
            _fact("Address", rx.el.code(chosen["url"])),
            _fact("Marketplace", rx.el.code(chosen["merchant"])),
            _fact("State", state_word(chosen["tone"], chosen["state"])),
            _fact("Because", chosen["because"], chosen["because"] != ""),
            _fact("Failing", ago(at=chosen["failing_since"]), chosen["failing_since"] != ""),
            _fact(
                "Hears of",
                rx.cond(
                    chosen["events"].length() == 0,
                    "every event of its orders",
                    rx.el.div(
                        rx.foreach(
                            chosen["events"].to(list[str]),
                            lambda kind: rx.el.span(kind, class_name="wp-chip"),
                        ),
                        class_name="wp-chips",
                    ),
                ),
            ),
            _fact("Where", chosen["place"]),
            _fact("Made", two_lines(ago(at=chosen["made_at"]), chosen["made_by"])),
            _fact(
                "Secrets",
                rx.el.span("both valid until ", ago(at=chosen["both_until"])),
                chosen["both_until"] != "",
            ),
            class_name="wp-facts wp-panel-body",
        ),
        rx.cond(IntegrationsState.may_write, _deeds()),
        class_name="wp-panel",
        aria_label="The chosen endpoint",
    )


def _deeds() -> rx.Component:
    active = IntegrationsState.chosen["active"]
    return rx.fragment(
        rx.el.div(
            rx.cond(active, _button("Send test", IntegrationsState.try_out)),
            _asked("rotate", "New secret", "The one before signs on for 24 h.",
                   IntegrationsState.rotate),
            rx.cond(
                active,
                _asked("off", "Switch off", "What waits is given up.", IntegrationsState.switch),
                _button("Switch on", IntegrationsState.switch),
            ),
            _asked("remove", "Remove", "Its log goes too.", IntegrationsState.remove),
            class_name="wp-item wp-deeds",
        ),
        rx.cond(
            active,
            rx.el.form(
                field(
                    "Send again what was",
                    choice_input(
                        "what", (("given_up", "given up or missed"), ("delivered", "delivered"))
                    ),
                ),
                field("Since (UTC)", text_input("since", type="date", required=True)),
                rx.el.button(
                    "Replay",
                    type="submit",
                    disabled=DeliveriesState.replaying,
                    class_name="wp-button",
                ),
                on_submit=DeliveriesState.replay_span,
                class_name="wp-item wp-span-form",
            ),
        ),
    )  # fmt: skip


def _button(word: str, deed: object, *, risk: bool = False) -> rx.Component:
    return rx.el.button(
        word,
        type="button",
        on_click=deed,
        class_name="wp-button wp-button-small" + (" wp-button-risk" if risk else ""),
    )


def _asked(what: str, word: str, question: str, deed: object) -> rx.Component:
    """A button that asks once more."""
    return rx.cond(
        IntegrationsState.asking == what,
        rx.el.div(
            rx.el.span(question, class_name="wp-muted", role="status"),
            _button(word, deed, risk=True),
            _button("Keep", IntegrationsState.ask("")),
            class_name="wp-row wp-asked",
        ),
        _button(word, IntegrationsState.ask(what)),
    )


def _make_form() -> rx.Component:
    return rx.el.aside(
        rx.el.div(rx.el.h2("Make an endpoint"), class_name="wp-panel-head"),
        rx.el.form(
            field(
                "Address",
                text_input(
                    "url", type="url", required=True, placeholder="https://shop.example/waypost"
                ),
            ),
            rx.el.div(
                field(
                    "Marketplace",
                    text_input(
                        "merchant", required=True, placeholder="marketplace-th", list="merchants"
                    ),
                ),
                field("Where", choice_input("region", ShellState.region_choices)),
                class_name="wp-form",
            ),
            rx.el.datalist(
                rx.foreach(IntegrationsState.merchants, lambda name: rx.el.option(value=name)),
                id="merchants",
            ),
            rx.el.details(
                rx.el.summary("Only some events"),
                rx.el.fieldset(
                    rx.el.legend("None ticked means every event", class_name="wp-label"),
                    *[
                        rx.el.label(
                            rx.el.input(type="checkbox", name=f"hears-{kind}"),
                            rx.el.code(kind.removeprefix("order.")),
                            class_name="wp-check",
                        )
                        for kind in EVENT_TYPES
                    ],
                    class_name="wp-checks",
                ),
                class_name="wp-more",
            ),
            rx.el.div(
                rx.el.button(
                    "Make endpoint",
                    type="submit",
                    disabled=IntegrationsState.making,
                    class_name="wp-button wp-button-main",
                ),
                class_name="wp-form-end",
            ),
            on_submit=IntegrationsState.make,
            key=IntegrationsState.form_serial.to(str),
            class_name="wp-item",
        ),
        class_name="wp-panel",
        aria_label="Make an endpoint",
    )
