"""One flag: its rules, the change that is being made, rollouts, the playground, and its history."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import shape, state_word
from dashboard.components.flag_parts import (
    environments,
    flag_editor,
    flag_map,
    flag_promotion,
    map_shapes,
)
from dashboard.components.forms import field, text_input
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.page_states import thing_bones
from dashboard.components.tables import NUMBER, empty_state, trouble, two_lines
from dashboard.components.work_parts import changed
from dashboard.pages.flag_changes import changes
from dashboard.pages.flag_deeds import killed, rollouts
from dashboard.pages.flag_try import playground
from dashboard.shell import console_page
from dashboard.states.flag import FlagState
from dashboard.states.flag_promote import FlagPromoteState
from dashboard.states.flag_try import FlagTryState
from dashboard.states.flag_words import FLAGS
from dashboard.states.shell import ShellState

REFRESH_EVERY_S = 4.0
_facts = FlagState.facts


@console_page(f"{FLAGS}/[flag]", "Flag", on_load=[FlagState.load, FlagTryState.forget])
def flag() -> rx.Component:
    """One flag in one environment."""
    return rx.el.div(
        map_shapes(),
        trouble(FlagState.fault, FlagState.load),
        rx.cond(
            _facts["key"] != "",
            rx.el.div(
                rx.el.div(
                    _head(),
                    killed(),
                    _promotion(),
                    changes(FlagState.changes, FlagState.environment),
                    flag_editor(
                        place=FlagState.place,
                        loaded=FlagState.loaded,
                        flag=_facts,
                        base=FlagState.spec,
                        notes=FlagState.notes,
                        definition=FlagState.definition,
                        versions=FlagState.versions,
                        regions=ShellState.region_choices,
                        segments=FlagState.segments,
                        flags=FlagState.others,
                        preview=FlagState.preview,
                        busy=FlagState.busy,
                        may=FlagState.may_write,
                        on_draft=FlagState.draft,
                        on_save=FlagState.save,
                    ),
                    rollouts(),
                    playground(),
                    class_name="wp-stack",
                ),
                rx.el.aside(
                    _exposure(), _about(), _history(), class_name="wpf-side", aria_label="The flag"
                ),
                class_name="wpf-page",
            ),
            rx.cond(
                FlagState.fault == "",
                thing_bones("The flag is being read"),
                rx.el.div(
                    changes(FlagState.changes, FlagState.environment),
                    environments(FLAGS + "/" + FlagState.key, FlagState.environment),
                    class_name="wp-stack wpf-absent",
                ),
            ),
        ),
        changed(value=_facts["environment"], on_other=FlagTryState.forget),
        pulse(seconds=REFRESH_EVERY_S, on_beat=FlagState.refresh),
    )


def _head() -> rx.Component:
    return rx.el.header(
        rx.el.div(
            rx.el.div(
                rx.el.h2(_facts["key"]),
                state_word(_facts["tone"], _facts["words"]),
                rx.cond(
                    _facts["sensitive"],
                    rx.el.span(
                        rx.icon("lock", size=12, aria_hidden="true"),
                        "sensitive",
                        class_name="wp-chip",
                        title="A second person approves what changes in production",
                    ),
                ),
                rx.cond(_facts["stale"] != "", state_word("warning", _facts["stale"])),
                rx.el.span("v", _facts["version"], class_name="wp-muted"),
                class_name="wpf-title",
            ),
            rx.el.p(
                rx.cond(_facts["about"] != "", _facts["about"] + " ", ""),
                rx.cond(_facts["owner"] != "", "Owner " + _facts["owner"] + ", made ", "Made "),
                ago(at=_facts["created_at"]),
                class_name="wp-muted",
            ),
        ),
        rx.el.div(
            environments(FLAGS + "/" + _facts["key"], _facts["environment"]),
            rx.cond(
                FlagState.may_write & (_facts["environment"] == "staging"),
                rx.el.button(
                    "Promote",
                    type="button",
                    on_click=[FlagPromoteState.look, FlagState.ask("promote")],
                    title="Publish these rules in production",
                    class_name="wp-button",
                    custom_attrs={"aria-expanded": FlagState.asking == "promote"},
                ),
            ),
            rx.cond(
                FlagState.may_kill & ~_facts["killed"],
                rx.el.button(
                    "Kill switch",
                    type="button",
                    on_click=FlagState.kill,
                    disabled=FlagState.busy,
                    title="Everyone gets the off variant at once; the reason is asked afterwards",
                    class_name="wp-button wp-button-risk",
                ),
            ),
            class_name="wpf-head-acts",
        ),
        class_name="wpf-head",
    )


def _promotion() -> rx.Component:
    state = FlagPromoteState
    return rx.cond(
        (FlagState.asking == "promote") & (_facts["environment"] == "staging"),
        flag_promotion(
            shown=state.shown,
            flag=_facts,
            staging=state.staging_version,
            production=state.production_version,
            preview=state.preview,
            fault=state.fault,
            busy=state.busy,
            on_send=state.send,
            on_close=FlagState.ask(""),
        ),
    )


def _exposure() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h3("Exposure, last hour"),
            rx.el.span(_facts["asked"], " asked", class_name="wp-muted"),
            class_name="wpf-side-head",
        ),
        flag_map(shares=FlagState.shares, label=FlagState.shares_words, large=True),
        rx.cond(
            FlagState.shares.length() > 0,
            rx.fragment(
                rx.el.table(
                    rx.el.thead(
                        rx.el.tr(
                            rx.el.th("Country", scope="col"),
                            rx.el.th("Asked", scope="col", class_name=NUMBER),
                            rx.el.th("On", scope="col", class_name=NUMBER),
                        )
                    ),
                    rx.el.tbody(
                        rx.foreach(
                            FlagState.shares,
                            lambda row: rx.el.tr(
                                rx.el.td(row["name"]),
                                rx.el.td(row["asked"], class_name=NUMBER),
                                rx.el.td(row["on"], class_name=NUMBER),
                            ),
                        )
                    ),
                    class_name="wp-table",
                    custom_attrs={"aria-label": "Exposure by country"},
                ),
                rx.el.p(FlagState.variants_words, class_name="wp-muted wpf-variants-words"),
            ),
            empty_state("Nobody asked", "Phones and services that evaluate it appear here."),
        ),
        aria_label="Exposure",
    )


def _fact(name: str, value: rx.Var | rx.Component, when: rx.Var | bool = True) -> rx.Component:
    return rx.cond(when, rx.fragment(rx.el.dt(name), rx.el.dd(value)))


def _about() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h3("About"), class_name="wpf-side-head"),
        rx.el.dl(
            _fact("Kind", _facts["kind"]),
            _fact("Changed", two_lines(ago(at=_facts["updated_at"]), _facts["changed_by"])),
            _fact("Expires", ago(at=_facts["expires_at"]), _facts["expires_at"] != ""),
            _fact("Needed by", _facts["needed_by"], _facts["needed_by"] != ""),
            class_name="wp-facts",
        ),
        rx.cond(
            FlagState.may_write,
            rx.cond(
                FlagState.asking == "archive",
                _typed_form(
                    FlagState.archive, "Archive", "It is served no more; its history stays.",
                    _facts["version"],
                ),
                rx.el.button(
                    "Archive",
                    type="button",
                    on_click=FlagState.ask("archive"),
                    class_name="wp-button wp-button-small wpf-gap",
                ),
            ),
        ),
        aria_label="About",
    )  # fmt: skip


def _typed_form(deed: object, word: str, note: str, version: rx.Var) -> rx.Component:
    """Asks why and, in production, for the flag's key before something comes back or goes."""
    return rx.el.form(
        rx.el.p(note, class_name="wp-muted"),
        rx.el.input(type="hidden", name="version", value=version),
        rx.el.input(type="hidden", name="version_seen", value=_facts["version"]),
        field("Why", text_input("reason", required=True, min_length=3, max_length=500)),
        rx.cond(
            _facts["environment"] == "production",
            field(
                rx.el.span("Type ", rx.el.code(_facts["key"])),
                text_input("confirm", required=True, spell_check=False),
            ),
        ),
        rx.el.div(
            rx.el.button(
                word,
                type="submit",
                disabled=FlagState.busy,
                class_name="wp-button wp-button-small wp-button-main",
            ),
            rx.el.button(
                "Keep",
                type="button",
                on_click=FlagState.ask(""),
                class_name="wp-button wp-button-small",
            ),
            class_name="wp-row",
        ),
        on_submit=deed,
        class_name="wp-act-form",
    )


def _history() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h3("History"), class_name="wpf-side-head"),
        rx.el.ol(rx.foreach(FlagState.versions, _version), class_name="wpf-history"),
        aria_label="History",
    )


def _version(row: rx.Var) -> rx.Component:
    asked = "restore-" + row["version"].to_string()
    return rx.el.li(
        shape(row["tone"]),
        rx.el.div(
            rx.el.span(rx.el.strong("v", row["version"]), " ", row["words"]),
            rx.el.span(
                row["by"], ", ", ago(at=row["at"]),
                rx.cond(row["reason"] != "", rx.el.span(": ", row["reason"])),
            ),
            rx.el.details(
                rx.el.summary("as JSON"),
                rx.el.pre(row["diff"], class_name="wpf-code", tab_index=0),
                class_name="wpf-diff-of",
            ),
            rx.cond(
                FlagState.asking == asked,
                _typed_form(
                    FlagState.restore, "Restore", "Published again, as a new version.",
                    row["version"],
                ),
            ),
            class_name="wp-cell-two",
        ),
        rx.cond(
            FlagState.may_write & ~row["now"].to(bool),
            rx.el.button(
                "Restore",
                type="button",
                on_click=FlagState.ask(asked),
                class_name="wp-button wp-button-small wpf-version-acts",
                aria_label="Restore version " + row["version"].to_string(),
            ),
            rx.cond(row["now"].to(bool), rx.el.span("now", class_name="wp-chip")),
        ),
        class_name="wpf-version",
    )  # fmt: skip
