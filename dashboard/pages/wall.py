"""The wall: map, what burns, the worst open incidents and how fresh it all is, for a room."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from dashboard.components.basics import shape, state_word
from dashboard.components.fleet_map import fleet_map
from dashboard.components.frame_parts import link_lost, pulse
from dashboard.components.incident_parts import running, wall_clock
from dashboard.components.incident_rows import severity_mark
from dashboard.components.tables import trouble
from dashboard.shell import kiosk_page
from dashboard.states.shell import ShellState
from dashboard.states.wall import WallState

REFRESH_EVERY_S = 4.0


@kiosk_page("/wall", "Wall", on_load=[WallState.load])
def wall() -> rx.Component:
    """Nothing to click: the screen of a room."""
    return rx.el.main(
        rx.el.header(
            rx.el.span("W", class_name="wp-mark", aria_hidden="true"),
            rx.el.h1(ShellState.region_path),
            rx.el.span(
                shape(WallState.fresh.tone), rx.el.span(WallState.fresh.text), class_name="wp-fresh"
            ),
            rx.el.span(class_name="wp-grow"),
            rx.el.span(ShellState.environment, class_name="wp-env"),
            wall_clock(zone=ShellState.region_zone),
            class_name="wp-wall-bar",
        ),
        rx.el.section(
            fleet_map(
                region=ShellState.region,
                mini=True,
                zone=ShellState.region_zone,
                styles=WallState.map_styles,
                styles_known=WallState.map_styles_known,
                label="Map of " + ShellState.region_path,
            ),
            rx.el.div(
                rx.foreach(
                    WallState.figures,
                    lambda each: rx.el.span(
                        rx.el.span(each["value"]),
                        rx.el.span(shape(each["tone"]), each["word"]),
                        class_name="wp-wall-figure",
                    ),
                ),
                class_name="wp-wall-figures",
            ),
            class_name="wp-wall-map",
            aria_label="Map",
        ),
        rx.el.div(
            rx.el.section(
                rx.el.h2("Open SEV1 and SEV2", rx.el.span(WallState.minor)),
                rx.cond(
                    WallState.ready & (WallState.incidents.length() == 0),
                    _calm("Nothing is on fire"),
                    rx.el.div(
                        rx.foreach(WallState.incidents, _incident),
                        class_name="wp-wall-rows",
                        aria_live="polite",
                        role="list",
                        # More than fit are scrolled by the keyboard, too.
                        tab_index=0,
                    ),
                ),
                aria_label="Open SEV1 and SEV2",
            ),
            rx.el.section(
                rx.el.h2("Burning objectives"),
                rx.cond(
                    WallState.ready & (WallState.burning.length() == 0),
                    _calm("Every budget holds"),
                    rx.el.div(
                        rx.foreach(WallState.burning, _burning),
                        class_name="wp-wall-rows",
                        aria_live="polite",
                        role="list",
                        # More than fit are scrolled by the keyboard, too.
                        tab_index=0,
                    ),
                ),
                aria_label="Burning objectives",
            ),
            trouble(WallState.fault, WallState.load),
            class_name="wp-wall-side",
        ),
        rx.cond(has_connection_errors, link_lost()),
        pulse(seconds=REFRESH_EVERY_S, on_beat=WallState.refresh),
        class_name="wp-wall",
        id="content",
    )


def _calm(words: str) -> rx.Component:
    return rx.el.div(shape("good"), rx.el.span(words), class_name="wp-wall-calm")


def _incident(each: rx.Var) -> rx.Component:
    return rx.el.div(
        severity_mark(each["tone"], each["severity"]),
        rx.el.span(rx.el.span(each["title"]), rx.el.span(each["detail"]), class_name="wp-cell-two"),
        running(since=each["since"].to(str), goal=660),
        key=each["id"].to(str),
        class_name="wp-wall-row",
        role="listitem",
    )


def _burning(each: rx.Var) -> rx.Component:
    return rx.el.div(
        state_word(each["tone"], each["word"].to(str)),
        rx.el.span(
            rx.el.span(each["title"], ", ", each["place"]),
            rx.el.span(each["reason"], ", ", each["budget"]),
            class_name="wp-cell-two",
        ),
        running(since=each["since"].to(str)),
        key=each["id"].to(str),
        class_name="wp-wall-row",
        role="listitem",
    )
