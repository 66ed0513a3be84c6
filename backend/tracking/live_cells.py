"""Drivers counted by H3 cell and status, for views that hold too many points or too much ground."""

from __future__ import annotations

import h3.api.basic_int as h3
import numpy as np

from backend.tracking.live_frames import I32, U64, Cells
from backend.tracking.live_table import LiveTable, Mask, Slots

FINEST = 9
ZOOM_PER_RESOLUTION = 1.5
MAX_CELLS = 4096

_RESOLUTION_SHIFT = 52
_RESOLUTION_BITS = 0xF << _RESOLUTION_SHIFT
_DIGIT_BITS = 3
_DIGITS = 15


def resolution_for(zoom: float) -> int:
    """The H3 resolution whose cells are some 40 to 80 pixels wide at a map zoom."""
    return max(0, min(FINEST, int(zoom / ZOOM_PER_RESOLUTION)))


def parents(cells: U64, resolution: int) -> U64:
    """The ancestors of H3 cells at a coarser resolution.

    An index holds its resolution in bits 52-55 and one 3-bit digit for each of 15 resolutions,
    the finest lowest; a parent has its own resolution there and all ones in the digits below it
    (https://h3geo.org/docs/core-library/h3Indexing).
    """
    below = np.uint64((1 << (_DIGIT_BITS * (_DIGITS - resolution))) - 1)
    kept = cells & ~np.uint64(_RESOLUTION_BITS)
    return kept | np.uint64(resolution << _RESOLUTION_SHIFT) | below


class CellIndex:
    """The cell of every driver of a table, worked out only for those that moved, on demand."""

    def __init__(self, table: LiveTable) -> None:
        self._table = table
        self._lat: I32 = np.zeros(0, np.int32)
        self._lon: I32 = np.zeros(0, np.int32)
        self._finest: U64 = np.zeros(0, np.uint64)
        self._tick = -1
        self._groups: dict[int, tuple[U64, Slots]] = {}

    def count(self, among: Mask, touched: Mask, resolution: int) -> tuple[Cells, int]:
        """Cells that hold a driver of `touched`, with all of their drivers that are `among`.

        Coarser than asked when there would be more than MAX_CELLS; the resolution used comes
        second. A driver without a position is in no cell.
        """
        self._refresh()
        placed = self._table.column("effective_ms") > 0
        among = among & placed
        while True:
            cells, group = self._group(resolution)
            shown = np.bincount(group[touched & placed], minlength=len(cells)) > 0
            if resolution == 0 or np.count_nonzero(shown) <= MAX_CELLS:
                break
            resolution -= 1
        counted = among & shown[group]
        of = group[counted]
        status = self._table.column("status")[counted]
        counts = np.bincount(of * 4 + status, minlength=4 * len(cells)).reshape(-1, 4)[shown]
        total = np.maximum(counts.sum(axis=1), 1)
        lat = np.bincount(of, self._lat[counted], minlength=len(cells))[shown] / total
        lon = np.bincount(of, self._lon[counted], minlength=len(cells))[shown] / total
        return (
            Cells(
                cells[shown],
                lat.astype(np.int32),
                lon.astype(np.int32),
                counts.astype(np.uint32),
            ),
            resolution,
        )

    def _group(self, resolution: int) -> tuple[U64, Slots]:
        found = self._groups.get(resolution)
        if found is None:
            cells, inverse = np.unique(parents(self._finest, resolution), return_inverse=True)
            found = self._groups[resolution] = (cells, inverse.astype(np.intp))
        return found

    def _refresh(self) -> None:
        table = self._table
        if self._tick == table.tick and len(self._finest) == table.size:
            return
        lat, lon = table.column("lat_e7"), table.column("lon_e7")
        known = len(self._finest)
        if known < table.size:
            self._finest = np.concatenate(
                (self._finest, np.zeros(table.size - known, dtype=np.uint64))
            )
        moved = np.ones(table.size, np.bool_)
        moved[:known] = (lat[:known] != self._lat) | (lon[:known] != self._lon)
        moved &= table.column("effective_ms") > 0
        slots = np.flatnonzero(moved)
        self._finest[slots] = np.fromiter(
            (
                h3.latlng_to_cell(y / 1e7, x / 1e7, FINEST)
                for y, x in zip(lat[slots].tolist(), lon[slots].tolist(), strict=True)
            ),
            np.uint64,
            len(slots),
        )
        self._lat, self._lon = lat.copy(), lon.copy()
        self._tick = table.tick
        self._groups.clear()
