"""Parts of the support desk's pages, wrapped from support_parts.jsx and its neighbours."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.browser_parts import part

_PARTS = part(__file__, "support_parts.jsx")
_COMPOSER = part(__file__, "support_composer.jsx")
_MACROS = part(__file__, "support_macros.jsx")
_CALENDAR = part(__file__, "support_calendar.jsx")


class _Due(rx.Component):
    """An SLA clock that runs."""

    library = _PARTS.importable_path
    tag = "Due"

    state: rx.Var[str]
    due: rx.Var[str]
    left: rx.Var[int]
    word: rx.Var[str]
    zone: rx.Var[str]


class _Hotkeys(rx.Component):
    """Presses what is marked with `data-hotkey`."""

    library = _PARTS.importable_path
    tag = "Hotkeys"


class _Newest(rx.Component):
    """A conversation whose newest words stay in sight."""

    library = _PARTS.importable_path
    tag = "Newest"

    count: rx.Var[int]


class _Composer(rx.Component):
    """Where an agent writes; `sent` moves on when what was written is done with."""

    library = _COMPOSER.importable_path
    tag = "Composer"

    ticket: rx.Var[str]
    draft: rx.Var[str]
    draft_at: rx.Var[str]
    outdated: rx.Var[bool]
    known: rx.Var[bool]
    sent: rx.Var[int]
    version: rx.Var[int]
    last: rx.Var[str]
    last_by: rx.Var[str]
    macros: rx.Var[list[Any]]
    may_reply: rx.Var[bool]
    may_note: rx.Var[bool]
    working: rx.Var[bool]
    fault: rx.Var[str]
    on_send: rx.EventHandler[rx.event.passthrough_event_spec(str, str, str, int, str)]
    on_draft: rx.EventHandler[rx.event.passthrough_event_spec(str, str, int)]
    on_typing: rx.EventHandler[rx.event.no_args_event_spec]


class _Calendar(rx.Component):
    """The editor of a calendar's shifts and holidays."""

    library = _CALENDAR.importable_path
    tag = "CalendarEditor"

    calendar: rx.Var[dict[str, Any]]
    serial: rx.Var[str]
    regions: rx.Var[list[Any]]
    working: rx.Var[bool]
    fault: rx.Var[str]
    on_save: rx.EventHandler[rx.event.passthrough_event_spec(dict[str, Any])]
    on_leave: rx.EventHandler[rx.event.no_args_event_spec]


due = _Due.create
hotkeys = _Hotkeys.create
newest = _Newest.create
composer = _Composer.create
calendar_editor = _Calendar.create
