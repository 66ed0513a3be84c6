"""The map of one order's or one driver's way, wrapped from route_map.jsx."""

from __future__ import annotations

from typing import Any

import reflex as rx

from dashboard.components.fleet_map import ROUTE_MAP, MapPart


class _OrderWay(MapPart):
    """Stops, the planned line, the driven track and the driver now."""

    library = ROUTE_MAP.importable_path
    tag = "OrderWay"

    stops: rx.Var[list[Any]]
    planned: rx.Var[list[Any]]
    driver: rx.Var[str]
    since: rx.Var[str]
    until: rx.Var[str]
    zone: rx.Var[str]
    styles: rx.Var[list[str]]
    styles_known: rx.Var[bool]
    label: rx.Var[str]


order_way = _OrderWay.create
