"""Dispatch: orders without a driver, drivers with room, their tours, and matching itself."""

from __future__ import annotations

import reflex as rx

from dashboard.components.dispatch_board import dispatch_board
from dashboard.shell import console_page
from dashboard.states.dispatch import DispatchBeat, DispatchState
from dashboard.states.shell import ShellState
from dashboard.states.views import ViewsState


@console_page(
    "/dispatch",
    "Dispatch",
    on_load=[DispatchState.open, DispatchState.find_styles, ViewsState.load],
    flush=True,
    regional=True,
    keys=[
        ("j k", "Down and up the queue"),
        ("Enter", "Take the order at hand"),
        ("1 9", "Pick the nth best driver"),
        ("a", "Assign to the driver picked"),
        ("x", "Mark for a bulk deed"),
        ("J K", "Mark a range"),
        ("u", "Take back from the driver"),
        ("h", "Hold, or release"),
        ("r", "Match anew"),
        ("c", "Cancel"),
        ("w", "Why this driver"),
        ("n", "Show what is new"),
        ("/", "Find an order"),
        ("Alt ← →", "Move a stop of a tour"),
        ("p", "Pin a stop of a tour"),
        ("Esc", "Let go"),
    ],
)
def dispatch() -> rx.Component:
    """The board."""
    return dispatch_board(
        # Empty until it is known who is asking: the board waits for that.
        region=rx.cond(ShellState.person == "", "", ShellState.region),
        zone=ShellState.region_zone,
        styles=DispatchState.styles,
        styles_known=DispatchState.styles_known,
        ready=DispatchState.ready,
        fault=DispatchState.fault,
        view=DispatchState.view,
        loaded=DispatchState.loaded,
        changes=DispatchBeat.changes,
        orders=DispatchState.orders,
        gone=DispatchState.gone,
        counts=DispatchState.counts,
        drivers=DispatchState.drivers,
        plans=DispatchState.plans,
        tour=DispatchState.tour,
        matching=DispatchState.matching,
        chosen_detail=DispatchState.chosen,
        outcome=DispatchState.outcome,
        may=DispatchState.may,
        csv=DispatchState.csv,
        views=ViewsState.views,
        on_beat=DispatchBeat.tick,
        on_refresh=DispatchState.refresh,
        on_look=DispatchState.look,
        on_choose=DispatchState.choose,
        on_tour=DispatchState.show_tour,
        on_assign=DispatchState.assign,
        on_reassign=DispatchState.reassign,
        on_unassign=DispatchState.unassign,
        on_hold=DispatchState.hold,
        on_release=DispatchState.release,
        on_cancel=DispatchState.cancel,
        on_redispatch=DispatchState.redispatch,
        on_switch=DispatchState.switch,
        on_edit_route=DispatchState.edit_route,
        on_save_view=ViewsState.save,
        on_remove_view=ViewsState.remove,
    )
