"""A list's bar and its rows' boxes: saved views, columns, CSV and bulk actions, from lists.jsx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import reflex as rx

from dashboard.components.browser_parts import part

_LISTS = part(__file__, "lists.jsx")
part(__file__, "list_picks.js")


class _ListBox(rx.Component):
    """A table under its bar."""

    library = _LISTS.importable_path
    tag = "ListBox"

    name: rx.Var[str]
    columns: rx.Var[list[dict[str, Any]]]
    views: rx.Var[list[Any]]
    momentary: rx.Var[list[str]]
    csv: rx.Var[str]
    csv_title: rx.Var[str]
    on_save: rx.EventHandler[rx.event.passthrough_event_spec(str, str)]
    on_remove: rx.EventHandler[rx.event.passthrough_event_spec(str)]


class _Bulk(rx.Component):
    """Acts on the ticked rows."""

    library = _LISTS.importable_path
    tag = "Bulk"

    name: rx.Var[str]
    rows: rx.Var[list[Any]]
    actions: rx.Var[list[dict[str, Any]]]
    on_act: rx.EventHandler[rx.event.passthrough_event_spec(str, list[str])]


list_box = _ListBox.create


@dataclass(frozen=True, slots=True)
class BulkAction:
    """Something to do with all chosen rows; `ask` is the question before it is done."""

    key: str
    word: str
    ask: str = ""
    risk: bool = False


def bulk(name: str, rows: rx.Var, actions: Sequence[BulkAction], on_act: Any) -> rx.Component:
    """The bar of the chosen rows; `on_act` gets an action's key and the chosen ids."""
    return _Bulk.create(
        name=name, rows=rows, actions=[asdict(action) for action in actions], on_act=on_act
    )


def pick(name: str, row_id: rx.Var[str], label: str | rx.Var[str]) -> rx.Component:
    """The cell with a row's box, in the first column of the list `name`."""
    return rx.el.td(
        rx.el.input(
            type="checkbox",
            value=row_id,
            # Another row in this place is another box.
            key=row_id,
            aria_label=label,
            custom_attrs={"data-pick": name},
        ),
        class_name="wp-pick",
    )


def pick_all(name: str) -> rx.Component:
    """The box that ticks all rows of this page."""
    return rx.el.input(
        type="checkbox",
        aria_label="Choose all rows of this page",
        custom_attrs={"data-pick-all": name},
    )
