"""Parts of the pages on incidents, wrapped from incident_parts.jsx."""

from __future__ import annotations

import reflex as rx

from dashboard.components.browser_parts import part

_PARTS = part(__file__, "incident_parts.jsx")


class _Running(rx.Component):
    """How long something lasts, counted on every second."""

    library = _PARTS.importable_path
    tag = "Running"

    since: rx.Var[str]
    until: rx.Var[str]
    goal: rx.Var[float]
    word: rx.Var[str]


class _Clock(rx.Component):
    """A moment as the clock of a time zone shows it."""

    library = _PARTS.importable_path
    tag = "Clock"

    at: rx.Var[str]
    zone: rx.Var[str]
    day: rx.Var[bool]


class _Draft(rx.Component):
    """A text area whose text is kept in the browser until `serial` moves on."""

    library = _PARTS.importable_path
    tag = "Draft"

    name: rx.Var[str]
    draft: rx.Var[str]
    initial: rx.Var[str]
    mark: rx.Var[str]
    serial: rx.Var[int]
    label: rx.Var[str]
    rows: rx.Var[int]
    placeholder: rx.Var[str]
    required: rx.Var[bool]


class _Runbook(rx.Component):
    """A Markdown text of ours."""

    library = _PARTS.importable_path
    tag = "Runbook"

    text: rx.Var[str]


class _WallClock(rx.Component):
    """The time of a zone."""

    library = _PARTS.importable_path
    tag = "WallClock"

    zone: rx.Var[str]


running = _Running.create
clock_time = _Clock.create
draft = _Draft.create
runbook = _Runbook.create
wall_clock = _WallClock.create
