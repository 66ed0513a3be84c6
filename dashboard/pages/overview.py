"""The overview: what matters now in the caller's regions."""

from __future__ import annotations

import reflex as rx

from dashboard.components.basics import link, shape, state_word
from dashboard.components.counts import figure_over
from dashboard.components.fleet_map import fleet_map
from dashboard.components.frame_parts import pulse
from dashboard.components.tables import NUMBER, empty_state, table, trouble
from dashboard.shell import console_page
from dashboard.states.overview import OverviewState
from dashboard.states.shell import ShellState

REFRESH_EVERY_S = 4.0
_TILES = 10


@console_page("/", "Today", on_load=[OverviewState.load], regional=True)
def overview() -> rx.Component:
    """Tiles, map, what needs someone, and the cities."""
    return rx.el.div(
        trouble(OverviewState.fault, OverviewState.load),
        rx.el.section(
            rx.cond(
                OverviewState.ready,
                rx.foreach(OverviewState.tiles, _tile),
                rx.fragment(*[_tile_bone() for _ in range(_TILES)]),
            ),
            class_name="wp-tiles",
            aria_label="Figures",
        ),
        rx.el.div(
            rx.el.section(
                rx.el.div(
                    fleet_map(
                        region=ShellState.region,
                        mini=True,
                        zone=ShellState.region_zone,
                        styles=OverviewState.map_styles,
                        styles_known=OverviewState.map_styles_known,
                        label="Map of " + ShellState.region_path,
                    ),
                    class_name="wp-mini-map",
                ),
                rx.el.div(
                    link(
                        ShellState.region_path,
                        ", now",
                        to="/map?region=" + ShellState.region,
                        class_name="wp-chip wp-on-map",
                    ),
                    rx.el.div(rx.foreach(OverviewState.shares, _share), class_name="wp-shares"),
                    class_name="wp-map-foot",
                ),
                class_name="wp-panel wp-map-panel",
                aria_label="Map",
            ),
            rx.el.section(
                rx.el.div(
                    rx.el.h2("Needs someone"),
                    rx.cond(
                        OverviewState.ready,
                        rx.el.span(OverviewState.needs.length(), class_name="wp-muted"),
                    ),
                    class_name="wp-panel-head",
                ),
                rx.cond(
                    OverviewState.ready & (OverviewState.needs.length() == 0),
                    empty_state("Nothing needs you", "What does will be listed here, worst first."),
                    rx.el.div(
                        rx.foreach(OverviewState.needs, _need),
                        class_name="wp-needs",
                        aria_live="polite",
                    ),
                ),
                class_name="wp-panel wp-needs-panel",
                aria_label="Needs someone",
            ),
            class_name="wp-now",
        ),
        rx.el.section(
            rx.el.div(rx.el.h2("Cities"), class_name="wp-panel-head"),
            table(
                [
                    "City",
                    ("Live", NUMBER),
                    ("Stale", NUMBER),
                    ("Offline", NUMBER),
                    ("Off shift", NUMBER),
                    ("Low battery", NUMBER),
                    ("Fixes, last minute", NUMBER),
                    ("Refused, last hour", NUMBER),
                    ("Newest fix", NUMBER),
                ],
                OverviewState.cities,
                _city,
                ready=OverviewState.ready,
                label="Cities",
                empty=("No city here", "Choose another region above."),
            ),
            class_name="wp-panel",
        ),
        pulse(seconds=REFRESH_EVERY_S, on_beat=OverviewState.refresh),
        class_name="wp-page wp-page-wide",
    )


def _tile(tile: rx.Var) -> rx.Component:
    return figure_over(
        tile,
        rx.cond(
            tile["line"] != "",
            rx.el.svg(
                rx.el.path(d=tile["area"], class_name="wp-spark-area"),
                rx.el.path(d=tile["line"], class_name="wp-spark-line"),
                view_box="0 0 120 32",
                preserve_aspect_ratio="none",
                class_name="wp-spark",
                custom_attrs={"data-tone": tile["tone"]},
                aria_hidden="true",
            ),
        ),
    )


def _tile_bone() -> rx.Component:
    return rx.el.div(
        rx.el.span(class_name="wp-bone wp-bone-small"),
        rx.el.span(class_name="wp-bone wp-bone-large"),
        class_name="wp-tile",
        aria_hidden="true",
    )


def _share(share: rx.Var) -> rx.Component:
    return link(
        shape(share["tone"]),
        rx.el.span(share["count"], " ", share["word"]),
        to=share["link"].to(str),
        class_name="wp-share",
    )


def _need(need: rx.Var) -> rx.Component:
    return link(
        state_word(need["tone"], need["word"]),
        rx.el.span(
            rx.el.span(need["title"]),
            rx.el.span(need["detail"]),
            class_name="wp-cell-two",
        ),
        rx.el.span(need["age"], class_name="wp-nowrap wp-right"),
        to=need["link"].to(str),
        class_name="wp-need",
    )


def _city(city: rx.Var) -> rx.Component:
    def number(name: str) -> rx.Component:
        return rx.el.td(city[name], class_name=NUMBER)

    return rx.el.tr(
        rx.el.td(
            link(
                city["name"],
                rx.el.span(city["region"], class_name="wp-code wp-muted"),
                to=city["link"].to(str),
                class_name="wp-city",
            )
        ),
        *[
            number(name)
            for name in ("live", "stale", "offline", "off_shift", "low_battery", "fixes", "refused")
        ],
        rx.el.td(
            rx.el.span(
                shape(city["tone"]), rx.el.span(city["newest"]), class_name="wp-state wp-row-end"
            ),
            class_name=NUMBER,
        ),
    )
