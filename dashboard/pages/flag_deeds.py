"""What is under way with a flag: a kill to explain, changes to approve, rollouts step by step."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import state_word
from dashboard.components.forms import choice_input, field, form_fault, text_input
from dashboard.components.frame_parts import ago
from dashboard.components.tables import two_lines
from dashboard.components.work_parts import chart
from dashboard.states.flag import FlagState
from dashboard.states.flag_rollout import FlagRolloutState
from dashboard.states.shell import ShellState
from dashboard.states.slo_words import slo_choices

_facts = FlagState.facts


def _small(word: str, deed: Any, kind: str = "") -> rx.Component:
    return rx.el.button(
        word, type="button", on_click=deed, class_name=f"wp-button wp-button-small {kind}"
    )


def killed() -> rx.Component:
    """Tells that the flag is killed, by whom and why; asks why where nobody said yet."""
    return rx.cond(
        _facts["killed"],
        rx.el.section(
            state_word("critical", "Killed"),
            rx.el.span(
                "everyone gets the off variant since ", ago(at=_facts["killed_at"]), ", by ",
                _facts["killed_by"], rx.cond(_facts["kill_reason"] != "", ": ", ""),
                _facts["kill_reason"], ". Switch it on below to bring it back.",
            ),
            rx.cond(
                (_facts["kill_reason"] == "") & FlagState.may_kill,
                rx.el.form(
                    rx.el.input(
                        name="reason", class_name="wp-input", required=True, min_length=3,
                        max_length=500, auto_complete="off", auto_focus=True,
                        placeholder="Why was it killed? The history keeps it",
                        aria_label="Why was it killed?",
                    ),
                    rx.el.button("Say why", type="submit", class_name="wp-button"),
                    on_submit=FlagState.give_reason,
                ),
            ),
            class_name="wpf-killed",
            aria_label="Killed",
            role="alert",
        ),
    )  # fmt: skip


def rollouts() -> rx.Component:
    """Rollouts with their steps, and the form that starts one."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Rollout"),
            rx.cond(
                FlagState.may_write & (FlagState.rule_choices.length() > 0),
                _small("Start a rollout", FlagState.ask("rollout")),
                rx.cond(
                    FlagState.may_write,
                    rx.el.span("publish a rule first", class_name="wp-muted"),
                ),
            ),
            class_name="wp-panel-head",
        ),
        rx.cond(FlagState.asking == "rollout", _start()),
        rx.foreach(FlagState.rollouts, _rollout),
        rx.cond(
            FlagState.has_outcomes,
            rx.el.div(
                rx.el.p("What went well, minute by minute", class_name="wp-muted"),
                chart(FlagState.goes, "What went well for those who got it, and for the others"),
                class_name="wp-item",
            ),
        ),
        rx.cond(
            (FlagState.rollouts.length() == 0) & (FlagState.asking != "rollout"),
            rx.el.p(
                "A rule's share can rise by itself, step by step, and be halted and rolled back by "
                "a burning SLO or by errors of those who got it.",
                class_name="wp-muted wp-panel-body",
            ),
        ),
        class_name="wp-panel",
        aria_label="Rollout",
    )


def _rollout(row: rx.Var) -> rx.Component:
    state = FlagRolloutState
    return rx.el.div(
        rx.el.div(
            state_word(row["tone"], row["state"]),
            two_lines(
                row["title"],
                rx.el.span(
                    row["guard"], ", by ", row["by"],
                    rx.cond(row["next_at"] != "",
                            rx.el.span(", next step ", ago(at=row["next_at"]))),
                ),
            ),
            rx.el.span(class_name="wp-grow"),
            rx.cond(
                FlagState.may_write & row["open"].to(bool),
                rx.fragment(
                    rx.cond(
                        row["running"].to(bool),
                        _small("Hold", state.pause(row["id"])),
                        rx.cond(row["state"] == "paused", _small("Go on", state.resume(row["id"]))),
                    ),
                    _small("End here", state.stop(row["id"])),
                ),
            ),
            class_name="wp-row wpf-rollout-head",
        ),
        rx.cond(
            row["halted"] != "",
            rx.el.p(row["halted"], class_name="wp-panel-body wp-warn", role="status"),
        ),
        rx.el.ol(
            rx.foreach(
                row["steps"].to(list[dict[str, str]]),
                lambda step: rx.el.li(
                    rx.el.span(step["share"]),
                    rx.el.span(step["note"]),
                    class_name="wpf-step",
                    custom_attrs={"data-state": step["state"]},
                ),
            ),
            class_name="wpf-steps",
            tab_index=0,
            aria_label="Steps",
        ),
        class_name="wpf-rollout",
    )  # fmt: skip


def _start() -> rx.Component:
    state = FlagRolloutState
    return rx.el.form(
        rx.el.input(type="hidden", name="version_seen", value=_facts["version"]),
        field(
            "Rule",
            rx.el.select(
                rx.foreach(
                    FlagState.rule_choices, lambda rule: rx.el.option(rule["who"], value=rule["id"])
                ),
                name="rule",
                class_name="wp-input",
            ),
        ),
        rx.el.div(
            field("Steps", text_input("steps", required=True,
                                      default_value="5 % for 1 h, 25 % for 4 h, 100 %")),
            class_name="wpf-wide",
        ),
        field("Guarded by SLO", choice_input("slo", (("", "none"), *slo_choices()))),
        field(
            "SLO watched in",
            rx.el.select(
                rx.foreach(
                    ShellState.region_choices,
                    lambda each: rx.el.option(each["path"], value=each["code"]),
                ),
                name="region",
                class_name="wp-input",
            ),
        ),
        field("Halt at % more errors", text_input("most_errors", input_mode="decimal",
                                                  placeholder="2")),
        rx.el.div(
            field("Why", text_input("reason", required=True, min_length=3, max_length=500)),
            class_name="wpf-wide",
        ),
        rx.cond(
            _facts["environment"] == "production",
            field(
                rx.el.span("Type ", rx.el.code(_facts["key"])),
                text_input("confirm", required=True, spell_check=False),
            ),
        ),
        rx.el.button("Start", type="submit", disabled=state.busy,
                     class_name="wp-button wp-button-main"),
        form_fault(state.fault),
        on_submit=state.start,
        class_name="wpf-inline",
    )  # fmt: skip
