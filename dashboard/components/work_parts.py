"""Parts of the pages on orders and drivers, wrapped from work_parts.jsx and chart.jsx."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.browser_parts import part

_PARTS = part(__file__, "work_parts.jsx")
_CHART = part(__file__, "chart.jsx")
part(__file__, "list_picks.js")


class _Drawer(rx.Component):
    """A panel over the page."""

    library = _PARTS.importable_path
    tag = "Drawer"

    open: rx.Var[bool]
    label: rx.Var[str]
    on_leave: rx.EventHandler[rx.event.no_args_event_spec]


class _Secret(rx.Component):
    """A masked field; `rx.set_value` on its id shows what it hides for half a minute."""

    library = _PARTS.importable_path
    tag = "Secret"

    masked: rx.Var[str]
    label: rx.Var[str]
    may: rx.Var[bool]
    on_reveal: rx.EventHandler[rx.event.no_args_event_spec]


class _Copied(rx.Component):
    """A button that copies a code."""

    library = _PARTS.importable_path
    tag = "Copied"

    text: rx.Var[str]
    label: rx.Var[str]


class _RowKeys(rx.Component):
    """Keys that act on chosen rows."""

    library = _PARTS.importable_path
    tag = "RowKeys"

    name: rx.Var[str]
    keys: rx.Var[list[dict[str, str]]]
    on_act: rx.EventHandler[rx.event.passthrough_event_spec(str, list[str])]


class _Changed(rx.Component):
    """Fires when a value has become another one."""

    library = _PARTS.importable_path
    tag = "Changed"

    value: rx.Var[Any]
    on_other: rx.EventHandler[rx.event.no_args_event_spec]


class _Photo(rx.Component):
    """A picture that can be enlarged."""

    library = _PARTS.importable_path
    tag = "Photo"

    src: rx.Var[str]
    alt: rx.Var[str]
    note: rx.Var[str]


class _Chart(rx.NoSSRComponent):
    """A Plotly figure in the colours of the theme."""

    library = _CHART.importable_path
    tag = "Chart"
    # The bundle that `rx.plotly.basic` loads: lines, bars and pies.
    lib_dependencies: list[str] = ["plotly.js-basic-dist-min@3.7.0"]

    figure: rx.Var[dict[str, Any]]
    template: rx.Var[dict[str, Any]]
    label: rx.Var[str]


drawer = _Drawer.create
secret = _Secret.create
copied = _Copied.create
row_keys = _RowKeys.create
changed = _Changed.create
photo = _Photo.create


def chart(figure: rx.Var[dict[str, Any]], label: str | rx.Var[str]) -> rx.Component:
    """A figure `{data, layout}` drawn by the console's one template; `label` tells it in words."""
    from dashboard.theme import CHART_TEMPLATE

    return _Chart.create(figure=figure, template=CHART_TEMPLATE, label=label)
