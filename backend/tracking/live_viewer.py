"""One viewer of the live map: what it may see, what it looks at, and the frame it lacks."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from backend.platform.switches import number
from backend.tracking.live_cells import CellIndex, resolution_for
from backend.tracking.live_frames import (
    HEADER,
    U32,
    FrameFlag,
    FrameKind,
    Header,
    pack_cells,
    pack_drivers,
)
from backend.tracking.live_messages import Filters, View
from backend.tracking.live_table import LiveTable, Mask, Slots

CELLS_BELOW_ZOOM = 6.0
CELLS_ABOVE_DRIVERS = 10_000
DENSITY_FLAG = "live-map-points"
# A view in cells goes back to points at fewer drivers than sent it there, so as not to flicker.
_BACK_TO_POINTS = 0.9
# With more in view a map that comes back may have been showing cells when it left.
RESUME_BELOW_DRIVERS = 5_000
WINDOW = 2
DETAILS_PER_TICK = 1_000

_NO_SLOTS: Slots = np.zeros(0, np.intp)


class Access(NamedTuple):
    """What a viewer may see: positions in `scopes`, and names and plates or codes only."""

    scopes: tuple[str, ...]
    names: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """What a frame says of its time."""

    now_ms: int
    source_lost: bool = False


class Selections:
    """Which drivers pass scope and filters, worked out once a tick for all who ask the same."""

    def __init__(self, table: LiveTable) -> None:
        self._table = table
        self._made_at = (-1, -1, -1)
        self._made: dict[tuple[Access, Filters], tuple[Mask, tuple[int, int, int, int]]] = {}

    def passing(self, access: Access, filters: Filters) -> tuple[Mask, tuple[int, int, int, int]]:
        """The drivers that pass the filters, that by status aside, and how many there are of each.

        `filters` have no status filter, so that views that differ in it alone share the work.
        """
        table = self._table
        now = (table.tick, table.size, table.search_version)
        if now != self._made_at:
            self._made.clear()
            self._made_at = now
        key = (access, filters)
        found = self._made.get(key)
        if found is None:
            mask = self._mask(access, filters)
            found = self._made[key] = (mask, table.counts(mask))
        return found

    def _mask(self, access: Access, filters: Filters) -> Mask:
        table = self._table
        mask = table.scope_mask(access.scopes)
        if filters.region:
            mask = mask & table.scope_mask(filters.region)
        if filters.hub:
            mask = mask & table.scope_mask(filters.hub)
        if filters.vehicle:
            mask = mask & table.vehicle_mask(filters.vehicle)
        if filters.q:
            mask = mask & table.search_mask(filters.q, names=access.names)
        return mask


@dataclass(slots=True, eq=False)
class Viewer:
    """One open map.

    `due` says that a frame is owed, `wake` rouses the writer, `recheck` asks for its rights to be
    looked up again.
    """

    person: str
    session_id: str | None
    access: Access
    view: View | None = None
    due: bool = False
    skipped_since: int = 0
    heard_at: float = 0.0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    recheck: asyncio.Event = field(default_factory=asyncio.Event)
    close_code: int = 1000
    close_reason: tuple[str, str] | None = None
    _filters: Filters = field(default_factory=Filters)
    _known: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    _described: U32 = field(default_factory=lambda: np.zeros(0, np.uint32))
    _has_points: bool = False
    _in_cells: bool = False
    _cells_body: bytes = b""
    _sent_tick: int = 0
    _resume_tick: int | None = None
    _in_flight: deque[tuple[int, int]] = field(default_factory=deque)
    _acknowledges: bool = False

    def look(self, view: View, epoch: str) -> None:
        """Look at something else; the next frame goes out at once."""
        if view.resume is not None and self.view is None and view.resume.epoch == epoch:
            self._resume_tick = view.resume.tick
        elif self.view is None or self.view.filters != view.filters or self._in_flight:
            # A map may pass over frames about what it no longer looks at, so that only what it
            # acknowledged before is sure to be on it.
            self._has_points = False
        self.view = view
        self._filters = view.filters.but_status()
        self.due = True
        self.wake.set()

    def rescope(self, access: Access) -> None:
        """See by other rights from now on, beginning with a snapshot."""
        self.access = access
        self._has_points = False
        self._described[:] = 0
        self._resume_tick = None
        self.due = self.view is not None
        self.wake.set()

    def end(self, close_code: int, code: str, detail: str) -> None:
        """Have the connection closed, the reason told first."""
        if not self.ending.is_set():
            self.close_code, self.close_reason = close_code, (code, detail)
            self.ending.set()

    def tick(self) -> None:
        """Owe a frame; one that was still owed is skipped for good."""
        if self.view is None:
            return
        self.skipped_since += self.due
        self.due = True
        self.wake.set()

    def acknowledge(self, tick: int, seq: int) -> None:
        """The viewer has applied the frame of this tick that answered this view, and those before.

        The first such frame is meant: every frame is acknowledged, in the order they came.
        """
        self._acknowledges = True
        while self._in_flight and self._in_flight[0][0] <= tick:
            if self._in_flight.popleft() == (tick, seq):
                break
        if self.due:
            self.wake.set()

    @property
    def ready(self) -> bool:
        """Whether a frame is owed and the viewer keeps up with those it was sent."""
        keeps_up = not self._acknowledges or len(self._in_flight) < WINDOW
        return self.due and keeps_up and self.view is not None

    def frame(
        self, table: LiveTable, cells: CellIndex, selections: Selections, moment: Moment
    ) -> bytes:
        """What this viewer lacks of the table's present, as one frame; counted as sent."""
        view = self.view
        assert view is not None
        base, counts = selections.passing(self.access, self._filters)
        allowed = np.zeros(4, np.bool_)
        allowed[list(view.filters.statuses)] = True
        passing = base & allowed[table.column("status")]
        inside = passing & table.bbox_mask(view.box)
        in_view = int(np.count_nonzero(inside))
        header = Header(
            kind=FrameKind.DELTA,
            tick=table.tick,
            server_ms=moment.now_ms,
            newest_ms=table.newest_ms,
            counts=counts,
            seq=view.seq,
            in_view=in_view,
            flags=FrameFlag.SOURCE_LOST if moment.source_lost else FrameFlag.NONE,
        )
        if self._wants_cells(view, in_view):
            packed = self._cells_frame(cells, header, passing, inside, view.zoom)
        else:
            packed = self._points_frame(table, header, base, inside, moment.now_ms)
        self._sent_tick = table.tick
        self._resume_tick = None
        self.due = False
        if self._acknowledges or len(self._in_flight) < WINDOW:
            self._in_flight.append((table.tick, view.seq))
        return packed

    def details(self, table: LiveTable) -> Sequence[tuple[object, ...]]:
        """Details of drivers on the map that this viewer lacks, a bounded number at a time."""
        if not self._has_points:
            return ()
        self._fit(table)
        versions = table.column("details_version")
        pending = np.flatnonzero(self._known & (self._described != versions))[:DETAILS_PER_TICK]
        if not len(pending):
            return ()
        self._described[pending] = versions[pending]
        names = self.access.names
        return [
            (
                slot,
                str(known.id),
                known.code,
                known.name if names else None,
                known.plate if names else None,
                known.vehicle,
                known.hub,
                known.region,
            )
            for slot in pending.tolist()
            if (known := table.details[slot]) is not None
        ]

    def _wants_cells(self, view: View, in_view: int) -> bool:
        if view.mode == "cells":
            return True
        most: float = max(0, number(DENSITY_FLAG, CELLS_ABOVE_DRIVERS))
        if self._in_cells:
            most *= _BACK_TO_POINTS
        return in_view > most or (view.mode == "auto" and view.zoom < CELLS_BELOW_ZOOM)

    def _cells_frame(
        self, cells: CellIndex, header: Header, passing: Mask, inside: Mask, zoom: float
    ) -> bytes:
        counted, resolution = cells.count(passing, inside, resolution_for(zoom))
        packed = pack_cells(replace(header, kind=FrameKind.CELLS, resolution=resolution), counted)
        body = packed[HEADER.size :]
        if self._in_cells and body == self._cells_body:
            return header.pack(0, 0)
        self._in_cells, self._cells_body = True, body
        self._has_points = False
        return packed

    def _points_frame(
        self, table: LiveTable, header: Header, base: Mask, inside: Mask, now_ms: int
    ) -> bytes:
        self._in_cells, self._cells_body = False, b""
        self._fit(table)
        removed = _NO_SLOTS
        if self._resumable(table, header.in_view):
            touched = table.column("changed_tick") > self._resume_tick
            slots = np.flatnonzero(inside & touched)
            removed = np.flatnonzero(base & touched & ~inside)
            header = replace(header, flags=header.flags | FrameFlag.RESUMED)
        elif self._has_points:
            newer = table.column("changed_tick") > self._sent_tick
            slots = np.flatnonzero(inside & (newer | ~self._known))
            removed = np.flatnonzero(self._known & ~inside)
        else:
            slots = np.flatnonzero(inside)
            header = replace(header, kind=FrameKind.SNAPSHOT)
        self._known = inside
        self._has_points = True
        return pack_drivers(header, table.drivers(slots, removed, now_ms))

    def _resumable(self, table: LiveTable, in_view: int) -> bool:
        """Whether what the viewer still shows can be mended by what changed since then.

        A driver that changed place or name may have left the filters, which its present row does
        not tell any more; then everything is sent afresh.
        """
        since = self._resume_tick
        if since is None or in_view > RESUME_BELOW_DRIVERS:
            return False
        return table.regrouped_tick <= since <= table.tick

    def _fit(self, table: LiveTable) -> None:
        lacking = table.size - len(self._known)
        if lacking > 0:
            self._known = np.concatenate((self._known, np.zeros(lacking, np.bool_)))
        lacking = table.size - len(self._described)
        if lacking > 0:
            self._described = np.concatenate((self._described, np.zeros(lacking, np.uint32)))
