"""The live map as a component: MapLibre fed by its own socket, wrapped from fleet_map.jsx."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.browser_parts import part

_MAP = part(__file__, "fleet_map.jsx")
# Named one by one: each part is linked beside the first, where its imports look for it.
_PARTS = [
    part(__file__, "fleet_map.css"),
    part(__file__, "fleet_map_address.js"),
    part(__file__, "fleet_map_base.js"),
    part(__file__, "fleet_map_camera.js"),
    part(__file__, "fleet_map_driver.jsx"),
    part(__file__, "fleet_map_engine.js"),
    part(__file__, "fleet_map_feed.js"),
    part(__file__, "fleet_map_frames.js"),
    part(__file__, "fleet_map_geography.js"),
    part(__file__, "fleet_map_glyphs.js"),
    part(__file__, "fleet_map_history.js"),
    part(__file__, "fleet_map_list.jsx"),
    part(__file__, "fleet_map_overlays.js"),
    part(__file__, "fleet_map_playback.jsx"),
    part(__file__, "fleet_map_points.js"),
    part(__file__, "fleet_map_store.js"),
    part(__file__, "fleet_map_theme.js"),
    part(__file__, "route_map.css"),
]
ROUTE_MAP = part(__file__, "route_map.jsx")


DEPENDENCIES = [
    "maplibre-gl@6.17.0",
    "h3-js@4.5.0",
    "topojson-client@3.1.0",
    "world-atlas@2.0.2",
]
"""What every page with a map needs of npm."""


class MapPart(rx.NoSSRComponent):
    """A part of the map; loaded in the browser only, apart from the rest of the console."""

    library = _MAP.importable_path
    lib_dependencies: list[str] = DEPENDENCIES


class _FleetMap(MapPart):
    """The whole map, or with `mini` the map alone."""

    tag = "FleetMap"

    region: rx.Var[str]
    zone: rx.Var[str]
    label: rx.Var[str]
    mini: rx.Var[bool]
    styles: rx.Var[list[str]]
    styles_known: rx.Var[bool]

    on_select: rx.EventHandler[rx.event.passthrough_event_spec(str)]


class _DriverLive(MapPart):
    """What changes every second of the chosen driver."""

    tag = "DriverLive"

    driver: rx.Var[str]
    fallback: rx.Var[str]


class _DriverTrack(MapPart):
    """Trail on the map and speed chart of the chosen driver."""

    tag = "DriverTrack"

    driver: rx.Var[str]
    zone: rx.Var[str]
    day_start: rx.Var[str]


class _FollowButton(MapPart):
    """Keeps the chosen driver in the middle."""

    tag = "FollowButton"


class _CloseButton(MapPart):
    """Lets go of the chosen driver."""

    tag = "CloseButton"


def fleet_map(
    *panel: rx.Component,
    region: str | rx.Var[str],
    mini: bool = False,
    **props: Any,
) -> rx.Component:
    """The live map of a region, filling its positioned parent.

    `region` is a code, `*` for all of them, empty while not known. `panel` is shown beside the map
    while a driver is chosen; `on_select` gets the driver's id, or an empty string. `styles` are the
    light and dark style addresses once `styles_known`; empty ones mean the bundled base map. `mini`
    leaves out list, playback and the page's address.
    """
    return _FleetMap.create(*panel, region=region, mini=mini, **props)


driver_live = _DriverLive.create
driver_track = _DriverTrack.create
follow_button = _FollowButton.create
close_button = _CloseButton.create
