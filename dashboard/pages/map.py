"""The live map: every driver of the region, moving."""

from __future__ import annotations

import reflex as rx

from dashboard.components.driver_panel import driver_panel
from dashboard.components.fleet_map import fleet_map
from dashboard.shell import console_page
from dashboard.states.map import MapState
from dashboard.states.shell import ShellState


@console_page(
    "/map",
    "Live map",
    on_load=[MapState.prepare],
    flush=True,
    regional=True,
    keys=[
        ("/", "Find a driver"),
        ("f", "Follow the chosen driver"),
        ("Esc", "Let go of the driver"),
    ],
)
def live_map() -> rx.Component:
    """Map, list and playback; the chosen driver's panel."""
    return fleet_map(
        driver_panel(
            MapState.driver,
            fault=MapState.fault,
            revealed=MapState.revealed,
            may_reveal=MapState.may_reveal,
            on_reveal=MapState.reveal_phone,
        ),
        # Empty until it is known who is asking: the map waits for that, not for a default region.
        region=rx.cond(ShellState.person == "", "", ShellState.region),
        zone=ShellState.region_zone,
        styles=MapState.styles,
        styles_known=MapState.styles_known,
        on_select=MapState.choose,
    )
