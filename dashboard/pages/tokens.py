"""The tokens page: what integrations and phones act by."""

from __future__ import annotations

import reflex as rx

from dashboard.components.forms import choice_input, field, filter_form, secret_once, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.lists import BulkAction, pick
from dashboard.components.tables import trouble, two_lines
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.shell import ShellState
from dashboard.states.tokens import (
    KINDS,
    LIFETIMES,
    PATH,
    ROLE_CHOICES,
    SECRET_FIELD,
    TokensState,
)
from dashboard.states.views import ViewsState

_ASK = "What uses them is refused at once. Revoke?"


@console_page(PATH, "API tokens", on_load=[TokensState.arrive, ViewsState.load])
def tokens() -> rx.Component:
    """Tokens of services and devices."""
    return rx.el.div(
        trouble(TokensState.fault, TokensState.load),
        secret_once(
            SECRET_FIELD,
            "token",
            TokensState.made_name,
            shown=TokensState.shows_secret,
            on_done=TokensState.forget_secret,
        ),
        rx.el.div(
            rx.el.section(
                rx.el.div(
                    rx.el.h2("Tokens that work"),
                    filter_form(
                        choice_input(
                            "kind",
                            KINDS,
                            aria_label="Kind",
                            default_value=TokensState.kind,
                            key=TokensState.kind,
                        ),
                        on_submit=TokensState.narrow,
                        clear=PATH,
                    ),
                    class_name="wp-panel-head",
                ),
                listing(
                    "tokens",
                    ["Token", "May", "Where", "Made", "Last used", "Ends", ("Revoke", "wp-silent")],
                    TokensState.rows,
                    _token,
                    state=TokensState,
                    label="Tokens",
                    empty=("No tokens", "Make one for each program that speaks to Waypost."),
                    csv=TokensState.csv_link,
                    actions=[BulkAction("revoke", "Revoke", _ASK, risk=True)],
                    on_act=TokensState.revoke_chosen,
                ),
                class_name="wp-panel",
            ),
            rx.cond(TokensState.may_write, _make_form()),
            class_name="wp-split",
        ),
        class_name="wp-page",
    )


def _token(token: rx.Var) -> rx.Component:
    return rx.el.tr(
        pick("tokens", token["id"], "Choose " + token["name"].to(str)),
        rx.el.td(two_lines(token["name"], rx.el.code(token["hint"])), class_name="wp-nowrap"),
        rx.el.td(token["may"], class_name="wp-wrap"),
        rx.el.td(token["places"], class_name="wp-nowrap"),
        rx.el.td(two_lines(ago(at=token["made_at"]), token["made_by"]), class_name="wp-nowrap"),
        rx.el.td(ago(at=token["used_at"]), class_name="wp-nowrap"),
        rx.el.td(ago(at=token["ends_at"]), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(
                TokensState.revoking == token["id"],
                rx.el.div(
                    rx.el.button(
                        "Revoke",
                        type="button",
                        on_click=TokensState.revoke(token["id"]),
                        class_name="wp-button wp-button-small wp-button-risk",
                        auto_focus=True,
                    ),
                    rx.el.button(
                        "Keep",
                        type="button",
                        on_click=TokensState.ask_revoke(token["id"]),
                        class_name="wp-button wp-button-small",
                    ),
                    class_name="wp-row",
                ),
                rx.cond(
                    TokensState.may_write,
                    rx.el.button(
                        "Revoke",
                        type="button",
                        on_click=TokensState.ask_revoke(token["id"]),
                        class_name="wp-button wp-button-small",
                        aria_label="Revoke " + token["name"].to(str),
                    ),
                ),
            ),
            class_name="wp-right",
        ),
    )


def _make_form() -> rx.Component:
    return rx.el.aside(
        rx.el.div(rx.el.h2("Make a token"), class_name="wp-panel-head"),
        rx.el.form(
            field(
                "Name of the program",
                text_input(
                    "name",
                    required=True,
                    pattern="[a-z0-9][a-z0-9._\\-]{0,62}",
                    placeholder="marketplace-th",
                    title="Lower-case letters, digits, dots and dashes",
                ),
            ),
            rx.el.div(
                field("Acts as", choice_input("role", ROLE_CHOICES)),
                field("Where", choice_input("region", ShellState.region_choices)),
                field("Works for", choice_input("hours", LIFETIMES, default_value="720")),
                class_name="wp-form",
            ),
            rx.el.fieldset(
                rx.el.legend("Permissions, when it has no role", class_name="wp-label"),
                rx.foreach(
                    TokensState.grantable,
                    lambda name: rx.el.label(
                        rx.el.input(type="checkbox", name="may-" + name.to(str)),
                        rx.el.code(name),
                        class_name="wp-check",
                    ),
                ),
                class_name="wp-checks",
            ),
            rx.el.div(
                rx.el.button(
                    "Make token",
                    type="submit",
                    disabled=TokensState.making,
                    class_name="wp-button wp-button-main",
                ),
                class_name="wp-form-end",
            ),
            on_submit=TokensState.make,
            class_name="wp-item",
        ),
        class_name="wp-panel",
        aria_label="Make a token",
    )
