"""Segments: the list, and the one that is looked at or made."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link
from dashboard.components.flag_parts import environments, flag_tabs, segment_editor
from dashboard.components.frame_parts import ago
from dashboard.components.tables import NUMBER, trouble, two_lines
from dashboard.listing import listing
from dashboard.pages.flag_changes import changes
from dashboard.shell import console_page
from dashboard.states.flag_words import SEGMENTS
from dashboard.states.segments import SegmentsState
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState


@console_page(
    SEGMENTS,
    "Segments",
    on_load=[SegmentsState.load, ViewsState.load],
    keys=[("j / k", "Next, previous row")],
)
def segments() -> rx.Component:
    """Who the rules of flags can be about."""
    state = SegmentsState
    return rx.el.div(
        rx.el.div(
            flag_tabs(SEGMENTS),
            environments(SEGMENTS, state.environment),
            class_name="wp-page-head",
        ),
        trouble(state.fault, state.load),
        changes(state.changes, state.environment),
        rx.el.div(
            rx.el.section(
                listing(
                    "segments",
                    ["Segment", "Who", "Used by", ("Version", NUMBER), "Changed"],
                    state.rows,
                    _row,
                    state=state,
                    label="Segments",
                    empty=("No segments", "Make one for people that several flags speak of."),
                    momentary=["segment"],
                    bones=6,
                ),
                class_name="wp-panel wp-list-first wp-dense",
            ),
            rx.cond(
                state.may_write,
                rx.el.aside(
                    rx.el.div(
                        rx.el.h2(
                            rx.cond(
                                state.chosen_version > 0,
                                "Segment " + state.chosen["name"].to(str),
                                "Make a segment",
                            )
                        ),
                        rx.cond(
                            state.chosen_version > 0,
                            link(
                                rx.icon("x", size=14, aria_hidden="true"),
                                to=state.close_link,
                                class_name="wp-icon-button",
                                aria_label="Close this segment",
                            ),
                        ),
                        class_name="wp-panel-head",
                    ),
                    segment_editor(
                        loaded=state.loaded,
                        segment=state.chosen,
                        version=state.chosen_version,
                        environment=state.environment,
                        used=state.chosen_used,
                        regions=ShellState.region_choices,
                        fault=state.save_fault,
                        busy=state.busy,
                        on_save=state.save,
                    ),
                    class_name="wp-panel",
                    aria_label="The segment",
                ),
            ),
            class_name=rx.cond(state.may_write, "wp-split", ""),
        ),
        class_name="wp-page wp-page-wide",
    )


def _row(row: rx.Var) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            link(
                two_lines(rx.el.span(row["id"], class_name="wpf-key"), row["about"]),
                to=row["link"].to(str),
                class_name="wp-row-link wpf-segment-name",
            )
        ),
        rx.el.td(row["words"], class_name="wp-wrap"),
        rx.el.td(rx.el.span(row["used"], title=row["used_note"]), class_name="wp-nowrap"),
        rx.el.td(row["version"], class_name=NUMBER),
        rx.el.td(two_lines(ago(at=row["updated_at"]), row["changed_by"]), class_name="wp-nowrap"),
        custom_attrs={"aria-selected": rx.cond(row["chosen"].to(bool), "true", "false")},
    )
