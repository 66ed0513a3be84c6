"""Changes of flags that wait: what they would do, and who lets them be published."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import state_word
from dashboard.components.forms import field, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.tables import two_lines
from dashboard.states.flag_changes import FlagChangesState
from dashboard.states.shell import ShellState


def _small(word: str, deed: Any, kind: str = "") -> rx.Component:
    return rx.el.button(
        word, type="button", on_click=deed, class_name=f"wp-button wp-button-small {kind}"
    )


def changes(rows: rx.Var[list[Any]], environment: rx.Var[str]) -> rx.Component:
    """Changes that wait for a second person or their time, each with what may be done."""
    return rx.foreach(rows, lambda each: _change(each, environment))


def _change(each: rx.Var, environment: rx.Var[str]) -> rx.Component:
    approving = "approve-" + each["id"].to(str)
    rejecting = "reject-" + each["id"].to(str)
    waits = each["state"] == "awaits approval"
    return rx.el.section(
        rx.el.div(
            state_word(each["tone"], each["state"]),
            rx.cond(
                each["publish_at"] != "",
                rx.el.span("to be published ", ago(at=each["publish_at"]), class_name="wp-muted"),
            ),
            rx.el.span(class_name="wp-grow"),
            rx.cond(
                waits & ShellState.permissions.contains("flags:approve") & ~each["mine"].to(bool),
                rx.fragment(
                    _small("Approve", FlagChangesState.ask(approving), "wp-button-main"),
                    _small("Refuse", FlagChangesState.ask(rejecting)),
                ),
            ),
            rx.cond(
                each["mine"].to(bool) | ~waits,
                rx.cond(
                    ShellState.permissions.contains("flags:write"),
                    _small("Take back", FlagChangesState.take_back(each["id"])),
                ),
            ),
            class_name="wp-row wpf-waits-head",
        ),
        two_lines(
            rx.foreach(
                each["words"].to(list[str]), lambda words: rx.el.div(words, class_name="wp-strong")
            ),
            rx.el.span(
                each["by"], ", ", ago(at=each["asked_at"]), ": ", each["reason"],
                rx.cond(waits & each["mine"].to(bool), " · somebody else approves it", ""),
            ),
        ),
        rx.el.details(
            rx.el.summary("as JSON"),
            rx.el.pre(each["diff"], class_name="wpf-code", tab_index=0),
            class_name="wpf-diff-of",
        ),
        rx.cond(
            FlagChangesState.asking == approving,
            _decision(
                FlagChangesState.approve, each["id"], "Approve and publish",
                rx.cond(
                    environment == "production",
                    field(
                        rx.el.span("Type ", rx.el.code(each["typed"])),
                        text_input("confirm", required=True, spell_check=False, auto_focus=True),
                    ),
                ),
            ),
        ),
        rx.cond(
            FlagChangesState.asking == rejecting,
            _decision(
                FlagChangesState.reject, each["id"], "Refuse",
                field("Why not", text_input("reason", required=True, min_length=3,
                                            max_length=500, auto_focus=True)),
            ),
        ),
        class_name="wpf-waits",
        aria_label="A change that waits",
    )  # fmt: skip


def _decision(deed: Any, change: rx.Var, word: str, *fields: rx.Component) -> rx.Component:
    return rx.el.form(
        rx.el.input(type="hidden", name="change", value=change),
        *fields,
        rx.el.button(
            word,
            type="submit",
            disabled=FlagChangesState.busy,
            class_name="wp-button wp-button-main",
        ),
        rx.el.button(
            "Not now", type="button", on_click=FlagChangesState.ask(""), class_name="wp-button"
        ),
        on_submit=deed,
    )
