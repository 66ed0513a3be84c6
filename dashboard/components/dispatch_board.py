"""The dispatcher's board as a component, wrapped from dispatch_board.jsx around the live map."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components import fleet_map
from dashboard.components.browser_parts import part

_BOARD = part(__file__, "dispatch_board.jsx")
# Named one by one: each part is linked beside the first, where its imports look for it; the map's
# parts are linked in a folder of their own, beside this one.
_PARTS = [
    part(__file__, "dispatch_board.css"),
    part(__file__, "dispatch_board_ask.jsx"),
    part(__file__, "dispatch_board_card.jsx"),
    part(__file__, "dispatch_board_deeds.js"),
    part(__file__, "dispatch_board_drag.js"),
    part(__file__, "dispatch_board_drawer.jsx"),
    part(__file__, "dispatch_board_drivers.jsx"),
    part(__file__, "dispatch_board_keys.js"),
    part(__file__, "dispatch_board_layers.js"),
    part(__file__, "dispatch_board_map.jsx"),
    part(__file__, "dispatch_board_plans.jsx"),
    part(__file__, "dispatch_board_queue.jsx"),
    part(__file__, "dispatch_board_row.jsx"),
    part(__file__, "dispatch_board_state.js"),
    part(__file__, "dispatch_board_steady.js"),
    part(__file__, "dispatch_board_switch.jsx"),
    part(__file__, "dispatch_board_time.js"),
]

_one = rx.event.passthrough_event_spec(dict[str, Any])
_word = rx.event.passthrough_event_spec(str)


class _DispatchBoard(rx.NoSSRComponent):
    """The whole board; everything it shows comes in, everything done on it goes out."""

    library = _BOARD.importable_path
    tag = "DispatchBoard"
    lib_dependencies: list[str] = fleet_map.DEPENDENCIES

    region: rx.Var[str]
    zone: rx.Var[str]
    styles: rx.Var[list[str]]
    styles_known: rx.Var[bool]
    ready: rx.Var[bool]
    fault: rx.Var[str]
    view: rx.Var[str]
    loaded: rx.Var[int]
    changes: rx.Var[int]
    orders: rx.Var[list[Any]]
    gone: rx.Var[list[Any]]
    counts: rx.Var[dict[str, int]]
    drivers: rx.Var[list[Any]]
    plans: rx.Var[dict[str, Any]]
    tour: rx.Var[dict[str, Any]]
    matching: rx.Var[dict[str, Any]]
    chosen_detail: rx.Var[dict[str, Any]]
    outcome: rx.Var[dict[str, Any]]
    may: rx.Var[dict[str, bool]]
    csv: rx.Var[str]
    views: rx.Var[list[Any]]

    on_beat: rx.EventHandler[_word]
    on_refresh: rx.EventHandler[_one]
    on_look: rx.EventHandler[_one]
    on_choose: rx.EventHandler[_word]
    on_tour: rx.EventHandler[_word]
    on_assign: rx.EventHandler[_one]
    on_reassign: rx.EventHandler[_one]
    on_unassign: rx.EventHandler[_one]
    on_hold: rx.EventHandler[_one]
    on_release: rx.EventHandler[_one]
    on_cancel: rx.EventHandler[_one]
    on_redispatch: rx.EventHandler[_one]
    on_switch: rx.EventHandler[_one]
    on_edit_route: rx.EventHandler[_one]
    on_save_view: rx.EventHandler[rx.event.passthrough_event_spec(str, str)]
    on_remove_view: rx.EventHandler[_word]


dispatch_board = _DispatchBoard.create
