"""The live map as a component: MapLibre fed by its own socket, wrapped from fleet_map.jsx."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.environment import environment

_MAP = rx.asset("fleet_map.jsx", shared=True)
ROUTE_MAP = rx.asset("route_map.jsx", shared=True)
_PARTS = (
    "fleet_map.css",
    "fleet_map_address.js",
    "fleet_map_base.js",
    "fleet_map_camera.js",
    "fleet_map_driver.jsx",
    "fleet_map_engine.js",
    "fleet_map_feed.js",
    "fleet_map_frames.js",
    "fleet_map_glyphs.js",
    "fleet_map_history.js",
    "fleet_map_list.jsx",
    "fleet_map_overlays.js",
    "fleet_map_playback.jsx",
    "fleet_map_points.js",
    "fleet_map_store.js",
    "fleet_map_theme.js",
    "route_map.css",
)
# Each part is linked beside the first, where its imports look for it. Serving what was built needs
# no links, and sixteen of them are half a second of every start.
if not environment.REFLEX_SKIP_COMPILE.get():
    for _part in _PARTS:
        rx.asset(_part, shared=True)


class MapPart(rx.NoSSRComponent):
    """A part of the map; loaded in the browser only, apart from the rest of the console."""

    library = _MAP.importable_path
    lib_dependencies: list[str] = [
        "maplibre-gl@6.17.0",
        "h3-js@4.5.0",
        "topojson-client@3.1.0",
        "world-atlas@2.0.2",
    ]


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
