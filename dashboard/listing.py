"""A whole list of a page: its bar with saved views, columns and CSV, its table, and its pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx

from dashboard.components.lists import BulkAction, bulk, list_box, pick_all
from dashboard.components.tables import Head, pager, table
from dashboard.states.paging import ListState
from dashboard.states.views import ViewsState

MOMENTARY = ("after", "row")
"""What an address may ask for that is no part of a view: a page of the list, the chosen row."""


def listing(
    name: str,
    heads: Sequence[Head],
    rows: rx.Var[list[Any]],
    draw: Callable[[Any], rx.Component],
    *,
    state: type[ListState],
    label: str,
    empty: tuple[str, str],
    csv: str | rx.Var[str] = "",
    momentary: Sequence[str] = (),
    actions: Sequence[BulkAction] = (),
    on_act: Any = None,
    bones: int = 6,
) -> rx.Component:
    """The rows of `state` as a list called `name`; its page also loads `ViewsState.load`.

    The first column and silent ones always show, the others may be hidden. `momentary` names what
    else of the address is no part of a view. With `actions` each row begins with the cell
    `lists.pick(name, id, words)`, and `on_act` gets an action's key and the chosen ids.
    """
    shown: list[Head] = [(pick_all(name), "wp-pick"), *heads] if actions else [*heads]
    skipped = 2 if actions else 1
    columns = [
        {"at": at, "word": word}
        for at, head in enumerate(shown, 1)
        for word, kind in [head if isinstance(head, tuple) else (head, "")]
        if at > skipped and kind != "wp-silent"
    ]
    return rx.fragment(
        list_box(
            table(shown, rows, draw, ready=state.ready, label=label, empty=empty, bones=bones),
            bulk(name, rows, actions, on_act) if actions else rx.fragment(),
            name=name,
            columns=columns,
            views=ViewsState.views,
            momentary=[*MOMENTARY, *momentary],
            csv=csv,
            csv_title="Download the newest 10,000 rows that match",
            on_save=ViewsState.save,
            on_remove=ViewsState.remove,
        ),
        pager(state.first_page, state.next_page),
    )
