"""The small map of a customer's page: an SVG of water, districts, their area and their driver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from math import cos, hypot, radians
from pathlib import Path
from typing import Any

import orjson

from backend.dispatch.customer_schemas import Area, Near
from backend.dispatch.customer_words import Words

_BASEMAP = Path(__file__).resolve().parents[2] / "assets" / "basemap"
_METRES_PER_DEGREE = 111_320.0
_LEAST_HALF_M = 1_300.0
_MARGIN_M = 620.0
_SHAPE = 0.62
"""Height by width."""
_MOST_LABELS = 6

Point = tuple[float, float]


@lru_cache(maxsize=32)
def _features(name: str) -> list[dict[str, Any]]:
    file = _BASEMAP / f"{name}.json"
    if not file.exists():
        return []
    found: list[dict[str, Any]] = orjson.loads(file.read_bytes())["features"]
    return found


class _Frame:
    """A view in metres around the customer's area, y downwards."""

    def __init__(self, area: Area, near: Near) -> None:
        self._lat, self._lon = area.lat, area.lon
        self._shrink = cos(radians(area.lat))
        x, y = self.point(near.lon, near.lat)
        half = max(_LEAST_HALF_M, abs(x) / 2 + _MARGIN_M, (abs(y) / 2 + _MARGIN_M) / _SHAPE)
        self.half_m = half
        self.west, self.north = x / 2 - half, y / 2 - half * _SHAPE

    def point(self, lon: float, lat: float) -> Point:
        """Where a place lies, in metres east and south of the area's middle."""
        east = (lon - self._lon) * self._shrink * _METRES_PER_DEGREE
        return east, (self._lat - lat) * _METRES_PER_DEGREE

    @property
    def view_box(self) -> str:
        """The part that is shown."""
        width = 2 * self.half_m
        return f"{self.west:.0f} {self.north:.0f} {width:.0f} {width * _SHAPE:.0f}"

    def touches(self, points: Sequence[Point]) -> bool:
        """Whether a line's box reaches into the view."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        east, south = self.west + 2 * self.half_m, self.north + 2 * self.half_m * _SHAPE
        return min(xs) < east and max(xs) > self.west and min(ys) < south and max(ys) > self.north

    def holds(self, point: Point, margin_m: float) -> bool:
        """Whether a point lies in the view, no closer to its edge than that."""
        x, y = point[0] - self.west, point[1] - self.north
        width, height = 2 * self.half_m, 2 * self.half_m * _SHAPE
        return margin_m < x < width - margin_m and margin_m / 2 < y < height - margin_m / 2

    def line(self, positions: Iterable[Sequence[float]]) -> list[Point]:
        """A line of longitudes and latitudes in metres."""
        return [self.point(lon, lat) for lon, lat in positions]


def draw(city: str, area: Area, near: Near, words: Words) -> str:
    """The map as SVG; colours come from classes, so that the page's policy may forbid styles."""
    frame = _Frame(area, near)
    x, y = frame.point(near.lon, near.lat)
    unit = frame.half_m / 100
    turn = f" rotate({near.bearing:.0f})" if near.bearing is not None else ""
    arrow = f'<path class="heading" d="M0 -7L5 6L0 3L-5 6Z" transform="scale({unit:.1f}){turn}"/>'
    still = f'<circle class="heading" r="{unit * 4.5:.0f}"/>'
    return (
        f'<svg class="map" viewBox="{frame.view_box}" role="img" '
        f'aria-label="{words.html("map.label")}">'
        f"{_water(city, frame)}{_rivers(frame)}{_districts(frame, unit)}"
        f'<circle class="area" r="{area.radius_m}"/>{_way(x, y, area.radius_m)}'
        f'<text class="area-name" y="{_beside(y, area.radius_m, unit):.0f}" '
        f'font-size="{unit * 7:.0f}">{words.html("map.area")}</text>'
        f'<g transform="translate({x:.0f} {y:.0f})"><circle class="halo" r="{unit * 11:.0f}"/>'
        f"{arrow if near.bearing is not None else still}</g></svg>"
    )


def _beside(y: float, radius_m: float, unit: float) -> float:
    """Where the area's name stands: outside its rim, on the side that the driver is not on."""
    return radius_m + unit * 9 if y <= 0 else -radius_m - unit * 4


def _way(x: float, y: float, radius_m: float) -> str:
    """The way from the driver to the rim of the area; none for who is in it."""
    far = hypot(x, y)
    if far <= radius_m:
        return ""
    share = radius_m / far
    return (
        f'<line class="way" x1="{x:.0f}" y1="{y:.0f}" x2="{x * share:.0f}" y2="{y * share:.0f}"/>'
    )


def _water(city: str, frame: _Frame) -> str:
    paths = []
    for feature in _features(f"water/{city}"):
        if feature["properties"]["kind"] != "water":
            continue
        for polygon in feature["geometry"]["coordinates"]:
            rings = [frame.line(ring) for ring in polygon]
            if frame.touches(rings[0]):
                paths += [f"{_path(ring)}Z" for ring in rings]
    return f'<path class="water" fill-rule="evenodd" d="{"".join(paths)}"/>' if paths else ""


def _rivers(frame: _Frame) -> str:
    drawn = []
    for feature in _features("rivers"):
        line = frame.line(feature["geometry"]["coordinates"])
        if frame.touches(line):
            width = feature["properties"]["width_km"] * 1000
            drawn.append(f'<path class="river" stroke-width="{width:.0f}" d="{_path(line)}"/>')
    return "".join(drawn)


def _districts(frame: _Frame, unit: float) -> str:
    words = []
    for feature in _features("places"):
        point = frame.point(*feature["geometry"]["coordinates"])
        if feature["properties"]["kind"] == "district" and frame.holds(point, unit * 20):
            x, y = point
            name = escape(feature["properties"]["name"])
            words.append(
                f'<text class="district" x="{x:.0f}" y="{y:.0f}" font-size="{unit * 7:.0f}">'
                f"{name}</text>"
            )
    return "".join(words[:_MOST_LABELS])


def _path(points: Iterable[Point]) -> str:
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points)
