"""Parts of the pages on flags: the map of a flag's reach, the row of pages, a flag's state."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.basics import link
from dashboard.components.browser_parts import part

_MAP = part(__file__, "flag_map.jsx")
_SHAPES = part(__file__, "flag_map_shapes.js")
_SEGMENT = part(__file__, "flag_segment.jsx")
_IMPORT = part(__file__, "flag_import.jsx")
_PROMOTION = part(__file__, "flag_promote.jsx")
_EDITOR = part(__file__, "flag_editor.jsx")
# Named one by one: each part is linked beside the first, where its imports look for it.
_PARTS = [
    part(__file__, "flag_editor_change.jsx"),
    part(__file__, "flag_editor_draft.js"),
    part(__file__, "flag_editor_kept.jsx"),
    part(__file__, "flag_editor_merge.js"),
    part(__file__, "flag_editor_rule.jsx"),
    part(__file__, "flag_editor_settings.jsx"),
    part(__file__, "flag_editor_words.js"),
]
_PAGES = (("/flags", "Flags"), ("/flags/segments", "Segments"))
_ENVIRONMENTS = ("production", "staging")
_one = rx.event.passthrough_event_spec(dict[str, Any])


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


class _FlagEditor(rx.Component):
    """A flag's rules as a draft of the browser, and what the draft would do."""

    library = _EDITOR.importable_path
    tag = "FlagEditor"

    place: rx.Var[str]
    loaded: rx.Var[str]
    flag: rx.Var[dict[str, Any]]
    base: rx.Var[dict[str, Any]]
    notes: rx.Var[dict[str, str]]
    definition: rx.Var[str]
    versions: rx.Var[list[Any]]
    regions: rx.Var[list[Any]]
    segments: rx.Var[list[Any]]
    flags: rx.Var[list[Any]]
    preview: rx.Var[dict[str, Any]]
    busy: rx.Var[bool]
    may: rx.Var[bool]

    on_draft: rx.EventHandler[_one]
    on_save: rx.EventHandler[_one]


class _FlagPromotion(rx.Component):
    """What promoting a flag would do in production, and the form that does it."""

    library = _PROMOTION.importable_path
    tag = "FlagPromotion"

    shown: rx.Var[str]
    flag: rx.Var[dict[str, Any]]
    staging: rx.Var[int]
    production: rx.Var[int]
    preview: rx.Var[dict[str, Any]]
    fault: rx.Var[str]
    busy: rx.Var[bool]

    on_send: rx.EventHandler[_one]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]


class _SegmentEditor(rx.Component):
    """A segment's conditions as a form."""

    library = _SEGMENT.importable_path
    tag = "SegmentEditor"

    loaded: rx.Var[str]
    segment: rx.Var[dict[str, Any]]
    version: rx.Var[int]
    environment: rx.Var[str]
    used: rx.Var[list[str]]
    regions: rx.Var[list[Any]]
    fault: rx.Var[str]
    busy: rx.Var[bool]

    on_save: rx.EventHandler[_one]


class _FlagImport(rx.Component):
    """The form that takes a flagd document."""

    library = _IMPORT.importable_path
    tag = "FlagImport"

    path: rx.Var[str]
    environment: rx.Var[str]

    on_done: rx.EventHandler[rx.event.no_args_event_spec]


map_shapes = _MapShapes.create
flag_map = _FlagMap.create
flag_editor = _FlagEditor.create
flag_promotion = _FlagPromotion.create
flag_import = _FlagImport.create
segment_editor = _SegmentEditor.create


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


def environments(path: str | rx.Var[str], here: rx.Var[str]) -> rx.Component:
    """Links to the same page in the other environment."""
    return rx.el.nav(
        *[
            link(
                name,
                to=path if name == "production" else path + f"?env={name}",
                custom_attrs={"aria-current": rx.cond(here == name, "page", "false")},
            )
            for name in _ENVIRONMENTS
        ],
        class_name="wpf-segmented",
        aria_label="Environment",
    )
