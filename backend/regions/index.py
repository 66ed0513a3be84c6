"""Finds the areas around a point fast: H3 cells first, exact geometry only on the edges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

import h3

from backend.regions.rules import Box, Polygon, bounding_box, contains, in_box


class Shaped(Protocol):
    """Anything with an area."""

    @property
    def polygons(self) -> tuple[Polygon, ...]: ...


Item = TypeVar("Item", bound=Shaped)

_MAX_CELLS_PER_AREA = 4000


class AreaIndex(Generic[Item]):
    """Areas by the H3 cells they touch.

    A cell that lies wholly inside an area needs no geometry; at the edge the polygon decides.
    An area too large for the resolution is kept by its box instead.
    """

    def __init__(self, items: Iterable[Item], resolution: int) -> None:
        self.items: tuple[Item, ...] = tuple(items)
        self._resolution = resolution
        self._cells: dict[str, list[tuple[Item, bool]]] = {}
        self._boxed: list[tuple[Box, Item]] = []
        for item in self.items:
            self._add(item)

    def _add(self, item: Item) -> None:
        cells = _cells_of(item.polygons, self._resolution)
        if cells is None:
            self._boxed.append((bounding_box(item.polygons), item))
            return
        for cell, whole in cells:
            self._cells.setdefault(cell, []).append((item, whole))

    def at(self, lat: float, lon: float) -> list[Item]:
        """The areas that contain the point, in the order they were given."""
        near = self._cells.get(h3.latlng_to_cell(lat, lon, self._resolution), ())
        found = [item for item, whole in near if whole or contains(item.polygons, lat, lon)]
        for box, item in self._boxed:
            if in_box(box, lat, lon) and contains(item.polygons, lat, lon):
                found.append(item)
        return found


@lru_cache(maxsize=1024)
def _cells_of(
    polygons: tuple[Polygon, ...], resolution: int
) -> tuple[tuple[str, bool], ...] | None:
    """The cells that the shape touches, and whether each lies in it; None where it is too large.

    Kept, because the same few outlines are indexed with every reading of the region tree.
    """
    west, south, east, north = bounding_box(polygons)
    cell_degrees = h3.average_hexagon_edge_length(resolution, "km") / 100
    if (east - west) * (north - south) > _MAX_CELLS_PER_AREA * cell_degrees**2:
        return None
    shape = h3.LatLngMultiPoly(*[_h3_polygon(polygon) for polygon in polygons])
    whole = set(h3.h3shape_to_cells_experimental(shape, resolution, "full"))
    touching = h3.h3shape_to_cells_experimental(shape, resolution, "overlap")
    return tuple((cell, cell in whole) for cell in touching)


def _h3_polygon(polygon: Sequence[Sequence[tuple[float, float]]]) -> h3.LatLngPoly:
    rings = [[(lat, lon) for lon, lat in ring] for ring in polygon]
    return h3.LatLngPoly(rings[0], *rings[1:])
