"""The playground: somebody's context, what they are served, and the rules looked at on the way."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import state_word
from dashboard.components.forms import choice_input, field, text_input
from dashboard.components.tables import two_lines
from dashboard.states.flag_try import FlagTryState
from dashboard.states.shell import ShellState

_APPS = (
    ("shiptrack", "ShipTrack"),
    ("drivemate", "DriveMate"),
    ("console", "Console"),
    ("", "none"),
)
_PLATFORMS = (("", "none"), ("android", "Android"), ("ios", "iOS"), ("web", "Web"))


def playground() -> rx.Component:
    """Why does somebody get what they get?"""
    state = FlagTryState
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Why did this user get this?"),
            rx.el.span("of what is published", class_name="wp-muted"),
            class_name="wp-panel-head",
        ),
        rx.el.form(
            field("Targeting key", text_input("targetingKey", placeholder="user-1042")),
            field("Where", choice_input("region", ShellState.region_choices)),
            field("App", choice_input("app", _APPS)),
            field("Version", text_input("app_version", placeholder="5.2.0")),
            field("Platform", choice_input("platform", _PLATFORMS)),
            field("Segments", text_input("segment", placeholder="prepaid, beta")),
            field("Role", text_input("role", placeholder="none")),
            rx.el.div(
                field("More, as JSON", text_input("more", placeholder='{"fleet": "night"}')),
                class_name="wpf-wide",
            ),
            rx.el.button("Explain", type="submit", class_name="wp-button"),
            on_submit=state.explain,
            class_name="wpf-inline",
        ),
        rx.cond(
            state.fault != "",
            rx.el.p(state.fault, class_name="wp-panel-body wp-form-fault", role="alert"),
        ),
        rx.cond(state.answer["variant"] != "", _answer()),
        class_name="wp-panel",
        aria_label="Playground",
    )


def _answer() -> rx.Component:
    answer = FlagTryState.answer
    return rx.el.div(
        rx.el.div(
            two_lines(rx.el.strong(answer["variant"]), "variant"),
            two_lines(rx.el.code(answer["value"]), "value"),
            two_lines(answer["reason"], "reason"),
            rx.cond(answer["fault"] != "", two_lines(answer["fault"], "error")),
            rx.cond(answer["bucket"] != "", two_lines(answer["bucket"], "where they stand")),
            two_lines(rx.el.span("v", answer["version"]), "version"),
            class_name="wpf-answer",
        ),
        rx.el.ol(
            rx.foreach(
                FlagTryState.steps,
                lambda step: rx.el.li(
                    rx.el.span(step["number"], class_name="wp-muted"),
                    two_lines(step["what"], step["detail"]),
                    state_word(step["tone"], step["word"]),
                    custom_attrs={"data-hit": rx.cond(step["decided"], "true", "false")},
                ),
            ),
            class_name="wpf-why",
        ),
        aria_live="polite",
    )
