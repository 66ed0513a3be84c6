"""Geometry on the sphere and in the plane, and what makes a geofence's outline valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import asin, cos, degrees, hypot, isfinite, pi, radians, sin, sqrt
from typing import Any

EARTH_RADIUS_M = 6_371_008.8
MAX_VERTICES = 2000

Position = tuple[float, float]
"""Longitude, latitude: GeoJSON's order."""
Ring = tuple[Position, ...]
"""A closed line: the last position repeats the first."""
Polygon = tuple[Ring, ...]
"""An outer ring and its holes."""
Box = tuple[float, float, float, float]
"""West, south, east, north."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a geometry, and where: a JSON pointer inside it."""

    pointer: str
    code: str
    detail: str


def haversine_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in metres between two points in degrees."""
    phi1, phi2 = radians(lat1), radians(lat2)
    half = sin((phi2 - phi1) / 2) ** 2 + cos(phi1) * cos(phi2) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))


def bounding_box(polygons: Sequence[Polygon]) -> Box:
    """The smallest box around the outer rings."""
    outer = [position for polygon in polygons for position in polygon[0]]
    lons = [lon for lon, _ in outer]
    lats = [lat for _, lat in outer]
    return min(lons), min(lats), max(lons), max(lats)


def in_box(box: Box, lat: float, lon: float) -> bool:
    """Whether the point lies in the box or on its edge."""
    west, south, east, north = box
    return south <= lat <= north and west <= lon <= east


def in_ring(ring: Ring, lat: float, lon: float) -> bool:
    """Whether the point lies inside the ring, by counting crossings (even-odd rule)."""
    inside = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def contains(polygons: Sequence[Polygon], lat: float, lon: float) -> bool:
    """Whether the point lies in any of the polygons and in none of that polygon's holes."""
    return any(
        in_ring(outer, lat, lon) and not any(in_ring(hole, lat, lon) for hole in holes)
        for outer, *holes in polygons
    )


def edge_distance_m(polygons: Sequence[Polygon], lat: float, lon: float) -> float:
    """Metres from the point to the nearest edge, whichever side it is on.

    Measured in the plane tangent at the point: good to 0.1 % within 50 km.
    """
    metres = EARTH_RADIUS_M * pi / 180
    wide = metres * cos(radians(lat))
    nearest = float("inf")
    for polygon in polygons:
        for ring in polygon:
            for (lon1, lat1), (lon2, lat2) in pairwise(ring):
                x1, y1 = (lon1 - lon) * wide, (lat1 - lat) * metres
                dx, dy = (lon2 - lon1) * wide, (lat2 - lat1) * metres
                length2 = dx * dx + dy * dy
                t = max(0.0, min(1.0, -(x1 * dx + y1 * dy) / length2)) if length2 else 0.0
                nearest = min(nearest, hypot(x1 + t * dx, y1 + t * dy))
    return nearest


def circle(lat: float, lon: float, radius_m: float, corners: int = 24) -> Ring:
    """A closed ring of `corners` positions about a point."""
    tall = degrees(radius_m / EARTH_RADIUS_M)
    wide = tall / cos(radians(lat))
    ring = [
        (round(lon + wide * sin(turn), 6), round(lat + tall * cos(turn), 6))
        for turn in (-2 * pi * step / corners for step in range(corners))
    ]
    return (*ring, ring[0])


def polygons_of(geometry: Mapping[str, Any]) -> tuple[Polygon, ...]:
    """The polygons of a valid GeoJSON Polygon or MultiPolygon."""
    coordinates = geometry["coordinates"]
    parts = [coordinates] if geometry["type"] == "Polygon" else coordinates
    return tuple(
        tuple(tuple((float(p[0]), float(p[1])) for p in ring) for ring in polygon)
        for polygon in parts
    )


def geometry_faults(geometry: Any) -> list[Fault]:
    """Everything wrong with a GeoJSON Polygon or MultiPolygon (RFC 7946); empty when valid."""
    if not isinstance(geometry, Mapping):
        return [Fault("", "not_an_object", "A geometry is a GeoJSON object.")]
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        return [Fault("/type", "unsupported_type", "The type is Polygon or MultiPolygon.")]
    if not isinstance(coordinates, Sequence) or isinstance(coordinates, str) or not coordinates:
        return [Fault("/coordinates", "not_an_array", "Coordinates are an array of rings.")]
    polygons = [coordinates] if kind == "Polygon" else coordinates
    faults: list[Fault] = []
    vertices = 0
    for at, polygon in enumerate(polygons):
        place = "/coordinates" if kind == "Polygon" else f"/coordinates/{at}"
        if not isinstance(polygon, Sequence) or isinstance(polygon, str) or not polygon:
            faults.append(Fault(place, "not_an_array", "A polygon is an array of rings."))
            continue
        for index, ring in enumerate(polygon):
            vertices += len(ring) if isinstance(ring, Sequence) else 0
            if vertices > MAX_VERTICES:
                detail = f"A geometry has at most {MAX_VERTICES} positions."
                return [Fault("/coordinates", "too_many_positions", detail)]
            faults.extend(_ring_faults(ring, f"{place}/{index}"))
    return faults


def _ring_faults(ring: Any, place: str) -> list[Fault]:
    if not isinstance(ring, Sequence) or isinstance(ring, str):
        return [Fault(place, "not_an_array", "A ring is an array of positions.")]
    faults = []
    for index, position in enumerate(ring):
        problem = _position_problem(position)
        if problem:
            faults.append(Fault(f"{place}/{index}", *problem))
    if faults:
        return faults
    positions = tuple((float(p[0]), float(p[1])) for p in ring)
    if len(positions) < 4:
        return [Fault(place, "too_few_positions", "A ring has four positions or more.")]
    if positions[0] != positions[-1]:
        return [Fault(place, "ring_not_closed", "The last position must repeat the first.")]
    for index, (before, after) in enumerate(pairwise(positions)):
        if before == after:
            detail = "The position repeats the one before it."
            return [Fault(f"{place}/{index + 1}", "repeated_position", detail)]
    crossing = crossing_edge(positions)
    if crossing is not None:
        detail = f"The ring crosses itself at the edge that starts at position {crossing}."
        return [Fault(f"{place}/{crossing}", "self_intersection", detail)]
    if abs(_area(positions)) < 1e-12:
        return [Fault(place, "no_area", "The ring encloses no area.")]
    return []


def _position_problem(position: Any) -> tuple[str, str] | None:
    if not isinstance(position, Sequence) or isinstance(position, str) or len(position) < 2:
        return "not_a_position", "A position is an array of longitude and latitude."
    lon, lat = position[0], position[1]
    for number in (lon, lat):
        if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
            return "not_a_number", "Longitude and latitude are finite numbers."
    if not -180 <= lon <= 180:
        return "longitude_out_of_range", "The first number is a longitude between -180 and 180."
    if not -90 <= lat <= 90:
        return "latitude_out_of_range", "The second number is a latitude between -90 and 90."
    return None


def _area(ring: Ring) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring)) / 2


def crossing_edge(ring: Ring) -> int | None:
    """The index of the first edge that meets one it is not joined to; None for a simple ring.

    Edges are swept from west to east, so that only those whose longitudes overlap are compared.
    """
    edges = sorted(_edges(ring), key=lambda edge: min(edge[1][0], edge[2][0]))
    last = len(ring) - 2
    open_edges: list[tuple[int, Position, Position]] = []
    for index, a, b in edges:
        west = min(a[0], b[0])
        open_edges = [edge for edge in open_edges if max(edge[1][0], edge[2][0]) >= west]
        for other, c, d in open_edges:
            joined = abs(index - other) == 1 or {index, other} == {0, last}
            if not joined and _meet(a, b, c, d):
                return min(index, other)
            if joined and _fold_back(a, b, c, d):
                return min(index, other)
        open_edges.append((index, a, b))
    return None


def _edges(ring: Ring) -> Iterator[tuple[int, Position, Position]]:
    for index, (a, b) in enumerate(pairwise(ring)):
        yield index, a, b


def _turn(a: Position, b: Position, c: Position) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _on(a: Position, b: Position, c: Position) -> bool:
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def _meet(a: Position, b: Position, c: Position, d: Position) -> bool:
    one, two = _turn(a, b, c), _turn(a, b, d)
    three, four = _turn(c, d, a), _turn(c, d, b)
    if ((one > 0) != (two > 0)) and ((three > 0) != (four > 0)) and one and two and three and four:
        return True
    return (
        (one == 0 and _on(a, b, c))
        or (two == 0 and _on(a, b, d))
        or (three == 0 and _on(c, d, a))
        or (four == 0 and _on(c, d, b))
    )


def _fold_back(a: Position, b: Position, c: Position, d: Position) -> bool:
    """Whether two joined edges lie on each other, leaving a spike without area."""
    shared, first, second = (b, a, d) if b == c else (a, b, c)
    if shared not in (c, d):
        return False
    dot = (first[0] - shared[0]) * (second[0] - shared[0]) + (first[1] - shared[1]) * (
        second[1] - shared[1]
    )
    return _turn(shared, first, second) == 0 and dot > 0
