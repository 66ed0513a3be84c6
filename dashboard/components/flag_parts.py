"""Parts of the pages on flags: the map of a flag's reach, the row of pages, a flag's state."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link
from dashboard.components.browser_parts import part

_MAP = part(__file__, "flag_map.jsx")
_SHAPES = part(__file__, "flag_map_shapes.js")
_PAGES = (("/flags", "Flags"), ("/flags/segments", "Segments"), ("/flags/exchange", "Import and export"))


class _MapShapes(rx.Component):
    """The outlines that every map of the page refers to."""

    library = _MAP.importable_path
    tag = "MapShapes"


class _FlagMap(rx.Component):
    """A small map of how far a flag is on in each country."""

    library = _MAP.importable_path
    tag = "FlagMap"

    shares: rx.Var[list[Any]]
    label: rx.Var[str]
    large: rx.Var[bool]


map_shapes = _MapShapes.create
flag_map = _FlagMap.create


def flag_tabs(here: str) -> rx.Component:
    """Links between the pages on flags."""
    return rx.el.nav(
        *[
            link(
                word,
                to=path,
                class_name="wp-chip",
                custom_attrs={"aria-current": "page"} if path == here else {},
            )
            for path, word in _PAGES
        ],
        class_name="wp-chips",
        aria_label="Flags",
    )
