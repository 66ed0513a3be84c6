"""The list of flags: what waits for somebody, and every flag with its reach."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.flag_parts import (
    environments,
    flag_import,
    flag_map,
    flag_tabs,
    map_shapes,
)
from dashboard.components.forms import choice_input, field, filter_form, form_fault, text_input
from dashboard.components.frame_parts import ago, pulse
from dashboard.components.lists import BulkAction, pick
from dashboard.components.outcomes import outcomes
from dashboard.components.tables import NUMBER, trouble, two_lines
from dashboard.components.work_parts import drawer
from dashboard.listing import listing
from dashboard.shell import console_page
from dashboard.states.flag_words import FLAGS
from dashboard.states.flags import IMPORT, KINDS, SHOWN, STATES, FlagsState
from dashboard.states.views import ViewsState

REFRESH_EVERY_S = 5.0


@console_page(
    FLAGS,
    "Flags",
    on_load=[FlagsState.load, ViewsState.load],
    keys=[("x", "Choose the row"), ("j / k", "Next, previous row")],
)
def flags() -> rx.Component:
    """Every flag of an environment."""
    return rx.el.div(
        map_shapes(),
        rx.el.div(
            flag_tabs(FLAGS),
            environments(FLAGS, FlagsState.environment),
            rx.el.nav(
                rx.foreach(
                    FlagsState.tallies,
                    lambda each: link(
                        shape(each["tone"]), each["words"], to=each["link"], class_name="wp-chip"
                    ),
                ),
                class_name="wp-chips",
                aria_label="What waits",
            ),
            rx.el.span(class_name="wp-grow"),
            rx.el.span(
                link("Export", to=FlagsState.export_link, reload_document=True,
                     class_name="wp-button wp-button-small"),
                rx.cond(
                    FlagsState.may_write,
                    rx.fragment(
                        rx.el.button("Import", type="button", on_click=FlagsState.ask_import(True),
                                     class_name="wp-button wp-button-small"),
                        rx.el.button("New flag", type="button", on_click=FlagsState.ask_new(True),
                                     class_name="wp-button wp-button-small wp-button-main"),
                    ),
                ),
                class_name="wp-row",
            ),
            class_name="wp-page-head",
        ),
        trouble(FlagsState.fault, FlagsState.load),
        rx.cond(FlagsState.changes.length() > 0, _waiting()),
        rx.cond(FlagsState.filters["show"] == "stale", _clean_up()),
        outcomes(FlagsState.outcome, FlagsState.outcome_words, FlagsState.close_outcome),
        rx.el.section(_filters(), class_name="wp-panel wp-filter-panel", aria_label="Filters"),
        rx.el.section(
            listing(
                "flags",
                ["Flag", "State", "Exposure, last hour", ("Asked", NUMBER), "Under way", "Owner",
                 "Made", "Changed", "Stale"],
                FlagsState.rows,
                _flag,
                state=FlagsState,
                label="Flags",
                empty=("No flags match", "Widen the filters, or make the first flag."),
                csv=FlagsState.csv_link,
                actions=[
                    BulkAction("kill", "Kill", "Everyone gets the off variant at once.", risk=True)
                ],
                on_act=FlagsState.act,
                bones=9,
            ),
            class_name=rx.cond(
                FlagsState.may_kill | ~FlagsState.ready,
                "wp-panel wp-list-first wp-dense",
                "wp-panel wp-list-first wp-dense wp-readonly",
            ),
        ),
        _new(),
        _import(),
        pulse(seconds=REFRESH_EVERY_S, on_beat=FlagsState.refresh),
        class_name="wp-page wp-page-wide",
    )  # fmt: skip


def _flag(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        pick("flags", row["id"], "Choose " + row["id"].to(str)),
        rx.el.td(
            link(
                rx.el.div(
                    rx.el.span(
                        rx.el.span(row["id"], class_name="wpf-key"),
                        rx.cond(
                            row["sensitive"].to(bool),
                            rx.icon("lock", size=11, class_name="wpf-lock",
                                    aria_label="sensitive: a second person approves"),
                        ),
                    ),
                    rx.el.span(row["about"], class_name="wpf-about"),
                    class_name="wp-cell-two",
                ),
                to=row["link"].to(str),
                class_name="wp-row-link",
            ),
            class_name="wpf-flag",
        ),
        rx.el.td(state_word(row["tone"].to(str), row["words"].to(str))),
        rx.el.td(
            rx.el.div(
                flag_map(shares=row["shares"], label=row["shares_words"].to(str)),
                rx.el.span(row["on"]),
                class_name="wpf-reach",
            )
        ),
        rx.el.td(row["asked"], class_name=NUMBER),
        rx.el.td(
            rx.cond(row["waiting"] != "", state_word("warning", row["waiting"].to(str))),
            rx.cond(
                row["rollout"] != "",
                state_word(row["rollout_tone"].to(str), row["rollout"].to(str)),
            ),
            class_name="wp-nowrap wpf-two",
        ),
        rx.el.td(two_lines(row["owner"], row["kind"]), class_name="wp-nowrap"),
        rx.el.td(ago(at=row["created_at"]), class_name="wp-nowrap"),
        rx.el.td(two_lines(ago(at=row["updated_at"]), row["changed_by"]), class_name="wp-nowrap"),
        rx.el.td(
            rx.cond(row["stale"] != "", state_word("warning", row["stale"].to(str))),
            class_name="wpf-stale",
        ),
    )  # fmt: skip


def _waiting() -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2("Waiting"), class_name="wp-panel-head"),
        rx.el.div(
            rx.foreach(
                FlagsState.changes,
                lambda each: link(
                    state_word(each["tone"], each["state"]),
                    two_lines(
                        rx.el.span(rx.el.code(each["title"]), "  ", each["words"].to(list[str])[0]),
                        rx.el.span(each["by"], ": ", each["reason"]),
                    ),
                    rx.cond(
                        each["publish_at"] != "",
                        rx.el.span("at ", ago(at=each["publish_at"]), class_name="wp-nowrap"),
                        ago(at=each["asked_at"]),
                    ),
                    to=each["link"],
                    class_name="wp-need",
                ),
            ),
            class_name="wp-needs wpf-needs",
        ),
        class_name="wp-panel",
        aria_label="Changes that wait",
    )


def _clean_up() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Clean up"),
            rx.el.span("what to do about each stale flag", class_name="wp-muted"),
            class_name="wp-panel-head",
        ),
        rx.el.div(
            rx.foreach(
                FlagsState.stale,
                lambda each: link(
                    rx.el.code(each["key"], class_name="wp-clip"),
                    two_lines(each["suggestion"], each["why"]),
                    rx.el.span(each["since"], class_name="wp-muted"),
                    to=each["link"],
                    class_name="wp-need",
                ),
            ),
            class_name="wp-needs",
        ),
        class_name="wp-panel",
        aria_label="Clean up",
    )


def _filters() -> rx.Component:
    asked = FlagsState.filters
    return filter_form(
        field("Find", text_input("q", type="search", placeholder="Key or what it does",
                                 default_value=asked["q"])),
        field("State", choice_input("state", STATES, default_value=asked["state"])),
        field("Kind", choice_input("kind", (("", "Any kind"), *KINDS),
                                   default_value=asked["kind"])),
        field("Owner", text_input("owner", placeholder="payments", default_value=asked["owner"])),
        field("Show", choice_input("show", SHOWN, default_value=asked["show"])),
        on_submit=FlagsState.narrow,
        clear=FLAGS,
        key=FlagsState.filters_key,
    )  # fmt: skip


def _new() -> rx.Component:
    return drawer(
        rx.el.form(
            field("Key", text_input("key", required=True, placeholder="wallet-topup",
                                    pattern="[a-z0-9][a-z0-9._\\-]{0,79}", max_length=80)),
            field("What it does", text_input("description", max_length=500,
                                             placeholder="Customers may top up in ShipTrack")),
            rx.el.div(
                field("Owner", text_input("owner", placeholder="payments")),
                field("Kind", choice_input("kind", KINDS)),
                class_name="wp-form",
            ),
            field("Why", text_input("reason", required=True, min_length=3, max_length=500)),
            rx.el.p("It begins off for everyone; rules come next.", class_name="wp-muted"),
            form_fault(FlagsState.make_fault),
            rx.el.div(
                rx.el.button("Make the flag", type="submit",
                             class_name="wp-button wp-button-main"),
                class_name="wp-form-end",
            ),
            on_submit=FlagsState.make,
            class_name="wp-drawer-form",
        ),
        open=FlagsState.making,
        label="New flag",
        on_leave=FlagsState.ask_new(False),
    )  # fmt: skip


def _import() -> rx.Component:
    return drawer(
        flag_import(path=IMPORT, environment=FlagsState.environment, on_done=FlagsState.refresh),
        open=FlagsState.importing,
        label="Import flags",
        on_leave=FlagsState.ask_import(False),
    )
