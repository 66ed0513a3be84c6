"""Small live parts of the frame, wrapped from frame_parts.jsx and palette.jsx."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.browser_parts import part

_PARTS = part(__file__, "frame_parts.jsx")
_PALETTE = part(__file__, "palette.jsx")
_KEYS = part(__file__, "list_keys.js")
_SEARCH = part(__file__, "search_parts.jsx")


class _Ago(rx.Component):
    """A moment as relative time, exact on hover."""

    library = _PARTS.importable_path
    tag = "Ago"

    at: rx.Var[str]
    zone: rx.Var[str]
    empty: rx.Var[str]


class _Pulse(rx.Component):
    """Fires while the page is visible."""

    library = _PARTS.importable_path
    tag = "Pulse"

    seconds: rx.Var[float]
    on_beat: rx.EventHandler[rx.event.no_args_event_spec]


class _Notice(rx.Component):
    """What came of the last action."""

    library = _PARTS.importable_path
    tag = "Notice"

    text: rx.Var[str]
    tone: rx.Var[str]
    serial: rx.Var[int]


class _LinkLost(rx.Component):
    """Shown while the socket is down."""

    library = _PARTS.importable_path
    tag = "LinkLost"


class _Starting(rx.Component):
    """Begins a page anew whose start was lost."""

    library = _PARTS.importable_path
    tag = "Starting"


class _Palette(rx.Component):
    """Command palette and keyboard."""

    library = _PALETTE.importable_path
    tag = "Palette"

    pages: rx.Var[list[dict[str, str]]]
    regions: rx.Var[list[dict[str, str]]]
    found: rx.Var[list[Any]]
    found_for: rx.Var[str]
    extra_keys: rx.Var[list[dict[str, str]]]
    on_find: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    on_region: rx.EventHandler[rx.event.passthrough_event_spec(str)]


class _SearchBox(rx.Component):
    """The palette's search as a box of a page."""

    library = _SEARCH.importable_path
    tag = "SearchBox"

    label: rx.Var[str]
    placeholder: rx.Var[str]
    found: rx.Var[list[Any]]
    found_for: rx.Var[str]
    on_find: rx.EventHandler[rx.event.passthrough_event_spec(str)]


ago = _Ago.create
pulse = _Pulse.create
notice = _Notice.create
link_lost = _LinkLost.create
starting = _Starting.create
palette = _Palette.create
search_box = _SearchBox.create
