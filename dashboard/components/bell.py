"""The bell of the top bar, wrapped from bell.jsx."""

from __future__ import annotations

from typing import TypedDict

import reflex as rx

from dashboard.components.browser_parts import part

_BELL = part(__file__, "bell.jsx")


class BellRow(TypedDict):
    """An open incident; `waits` for somebody to acknowledge it."""

    id: str
    number: str
    title: str
    severity: str
    tone: str
    state: str
    place: str
    link: str
    waits: bool


class _Bell(rx.Component):
    """Open incidents, and the switch that makes this browser ring for new ones."""

    library = _BELL.importable_path
    tag = "Bell"

    rows: rx.Var[list[BellRow]]
    known: rx.Var[bool]
    tone: rx.Var[str]
    words: rx.Var[str]
    seconds: rx.Var[float]
    on_beat: rx.EventHandler[rx.event.no_args_event_spec]
    on_shift: rx.EventHandler[rx.event.passthrough_event_spec(bool)]


bell = _Bell.create
