"""All drivers' newest states as numpy columns, so that a viewer's frame is vector operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from backend.platform.scopes import covers, parent
from backend.tracking.live_frames import (
    I32,
    I64,
    MAX_SLOTS,
    U8,
    UNKNOWN,
    Drivers,
    StateBit,
    battery_steps,
    encode_age,
)

Mask = npt.NDArray[np.bool_]
Slots = npt.NDArray[np.intp]

_INACCURATE_M = 100
_MOVING_STEPS = 4
_UNKNOWN_ACCURACY = 0xFFFF
_FIRST_CAPACITY = 1024
_NOWHERE = ""
_COLUMNS: dict[str, Any] = {
    "effective_ms": np.int64,
    "lat_e7": np.int32,
    "lon_e7": np.int32,
    "bearing": np.uint8,
    "speed": np.uint8,
    "battery": np.uint8,
    "state_bits": np.uint8,
    "status": np.uint8,
    "on_shift": np.bool_,
    "place": np.uint32,
    "vehicle": np.uint16,
    "changed_tick": np.uint32,
    "details_version": np.uint32,
}


class Status(IntEnum):
    """How fresh a driver's position is, as the map shows it."""

    LIVE = 0
    STALE = 1
    OFFLINE = 2
    OFF_SHIFT = 3


@dataclass(frozen=True, slots=True)
class DriverDetails:
    """What the map says of a driver beside the position."""

    id: UUID
    code: str
    name: str
    plate: str | None
    vehicle: str
    hub: str | None
    region: str
    on_shift: bool

    @property
    def place(self) -> str:
        """The most precise region code of the driver: the hub when there is one, else the city."""
        return self.hub or self.region


@dataclass(frozen=True, slots=True)
class States:
    """Positions of several drivers, one column for each field; codes as in the live frames."""

    effective_ms: I64
    lat_e7: I32
    lon_e7: I32
    bearing: U8
    speed: U8
    battery: U8
    accuracy_m: npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a position stops being live and when its driver counts as offline, in seconds."""

    live_s: int = 30
    offline_s: int = 300


class LiveTable:
    """The newest state of every driver, addressed by slot; nothing here waits or does I/O.

    A slot is given once and never again. `changed_tick` is the tick in which something that the
    map shows of the driver changed last, so "what does this viewer lack" is one comparison.
    """

    def __init__(self, thresholds: Thresholds = Thresholds()) -> None:
        self.tick = 0
        self.size = 0
        self.newest_ms = 0
        # The last tick in which a driver's details changed or went: a viewer cannot resume from
        # before it, since the row no longer tells which filters the driver passed then.
        self.regrouped_tick = 0
        self.search_version = 0
        self.details: list[DriverDetails | None] = []
        self._slots: dict[bytes, int] = {}
        self._ids: list[bytes] = []
        self._columns = {name: np.zeros(_FIRST_CAPACITY, dtype) for name, dtype in _COLUMNS.items()}
        self._codes: list[str] = []
        self._names: list[str] = []
        self._places: dict[str, int] = {_NOWHERE: 0}
        self._place_names = [_NOWHERE]
        self._vehicles: dict[str, int] = {"": 0}
        self._default = thresholds
        self._overrides: dict[str, Thresholds] = {}
        self._limits_ms: npt.NDArray[np.int64] = np.zeros((0, 2), np.int64)

    def column(self, name: str) -> npt.NDArray[Any]:
        """The used part of a column, a view."""
        return self._columns[name][: self.size]

    def slot(self, driver_id: bytes) -> int | None:
        """The slot of a driver, None when the driver was never heard of."""
        return self._slots.get(driver_id)

    def unknown(self) -> list[bytes]:
        """Ids of drivers that have a state but no details yet."""
        lacking = np.flatnonzero(self.column("details_version") == 0)
        return [self._ids[slot] for slot in lacking.tolist()]

    def set_thresholds(self, default: Thresholds, overrides: Mapping[str, Thresholds]) -> None:
        """Use these limits from the next tick on; a region's also hold below it."""
        self._default = default
        self._overrides = dict(overrides)
        self._limits_ms = np.zeros((0, 2), np.int64)

    def apply(self, ids: Sequence[bytes], states: States) -> None:
        """Take over the states that are newer than those held."""
        if not len(ids):
            return
        known = self._slots
        slots: Slots = np.fromiter(
            (known[i] if i in known else self._new_slot(i) for i in ids), np.intp, len(ids)
        )
        held = self._columns
        newer = states.effective_ms - held["effective_ms"][slots]
        elsewhere = (states.lat_e7 != held["lat_e7"][slots]) | (
            states.lon_e7 != held["lon_e7"][slots]
        )
        # A correction bears the time of what it corrects; the same said again is no news.
        chosen = np.flatnonzero((newer > 0) | ((newer == 0) & elsewhere))
        if not len(chosen):
            return
        # Oldest first, because of several values for one slot the last is kept.
        chosen = chosen[np.argsort(states.effective_ms[chosen], kind="stable")]
        slots = slots[chosen]
        for name in ("effective_ms", "lat_e7", "lon_e7", "bearing", "speed", "battery"):
            held[name][slots] = getattr(states, name)[chosen]
        held["state_bits"][slots] = _state_bits(
            states.speed[chosen], states.battery[chosen], states.accuracy_m[chosen]
        )
        held["changed_tick"][slots] = self.tick + 1
        self.newest_ms = max(self.newest_ms, int(states.effective_ms[chosen[-1]]))

    def put(self, details: DriverDetails) -> int:
        """Add a driver or take over changed details; the driver's slot."""
        driver_id = details.id.bytes
        slot = self._slots.get(driver_id)
        if slot is None:
            slot = self._new_slot(driver_id)
        before = self.details[slot]
        if before == details:
            return slot
        columns = self._columns
        if before is not None and replace(before, on_shift=details.on_shift) != details:
            self.regrouped_tick = self.tick + 1
        self.details[slot] = details
        self._codes[slot] = details.code.casefold()
        self._names[slot] = f"{details.code}\n{details.name}\n{details.plate or ''}".casefold()
        self.search_version += 1
        if details.place not in self._places:
            self._places[details.place] = len(self._place_names)
            self._place_names.append(details.place)
        columns["place"][slot] = self._places[details.place]
        columns["vehicle"][slot] = self._vehicles.setdefault(details.vehicle, len(self._vehicles))
        columns["on_shift"][slot] = details.on_shift
        columns["details_version"][slot] += 1
        columns["changed_tick"][slot] = self.tick + 1
        return slot

    def remove(self, driver_id: bytes) -> None:
        """Take a driver off every map; the slot stays spent.

        One that was never described is on no map, and keeps its slot against being asked for anew.
        """
        slot = self._slots.get(driver_id)
        if slot is None or self.details[slot] is None:
            return
        del self._slots[driver_id]
        self.details[slot] = None
        self._codes[slot] = self._names[slot] = ""
        self.search_version += 1
        self._columns["place"][slot] = 0
        self._columns["effective_ms"][slot] = 0
        self.regrouped_tick = self.tick + 1

    def advance(self, now_ms: int) -> int:
        """Begin the next tick and let positions age; how many drivers changed status by it."""
        self.tick += 1
        status = self.status_at(now_ms)
        column = self.column("status")
        changed = status != column
        column[changed] = status[changed]
        self.column("changed_tick")[changed] = self.tick
        return int(np.count_nonzero(changed))

    def status_at(self, now_ms: int) -> U8:
        """Every driver's status at a time; a driver without any position is offline."""
        if len(self._limits_ms) != len(self._places):
            self._limits_ms = self._compiled_limits()
        limits = self._limits_ms[self.column("place")]
        age = now_ms - self.column("effective_ms")
        status: U8 = (age > limits[:, 0]).astype(np.uint8) + (age > limits[:, 1]).astype(np.uint8)
        status[~self.column("on_shift")] = Status.OFF_SHIFT
        return status

    def place_name(self, place: int) -> str:
        """The region code that a value of the `place` column stands for."""
        return self._place_names[place]

    def place_mask(self, accepts: Callable[[str], bool]) -> Mask:
        """Which drivers stand in a place that `accepts`; never one without a place."""
        allowed = np.fromiter(
            (bool(place) and accepts(place) for place in self._places), np.bool_, len(self._places)
        )
        mask: Mask = allowed[self.column("place")]
        return mask

    def scope_mask(self, scopes: Sequence[str]) -> Mask:
        """Which drivers stand in one of the region codes or below."""
        return self.place_mask(lambda place: any(covers(scope, place) for scope in scopes))

    def vehicle_mask(self, vehicles: Sequence[str]) -> Mask:
        """Which drivers have one of the vehicles."""
        allowed = np.fromiter(
            (name in vehicles for name in self._vehicles), np.bool_, len(self._vehicles)
        )
        mask: Mask = allowed[self.column("vehicle")]
        return mask

    def search_mask(self, text: str, *, names: bool = True) -> Mask:
        """Which drivers have the text in code, name or plate (or code alone), letter case aside."""
        wanted = text.casefold()
        entries = self._names if names else self._codes
        return np.fromiter((wanted in entry for entry in entries), np.bool_, self.size)

    def bbox_mask(self, bbox: tuple[float, float, float, float]) -> Mask:
        """Which drivers have a position inside west, south, east, north; west may exceed east."""
        west, south, east, north = (round(degrees * 1e7) for degrees in bbox)
        lat, lon = self.column("lat_e7"), self.column("lon_e7")
        inside: Mask = (lat >= south) & (lat <= north) & (self.column("effective_ms") > 0)
        if west <= east:
            inside &= (lon >= west) & (lon <= east)
        else:
            inside &= (lon >= west) | (lon <= east)
        return inside

    def counts(self, mask: Mask) -> tuple[int, int, int, int]:
        """How many of the drivers are live, stale, offline and off shift."""
        live, stale, offline, off = np.bincount(self.column("status")[mask], minlength=4).tolist()
        return live, stale, offline, off

    def drivers(self, slots: Slots, removed: Slots, now_ms: int) -> Drivers:
        """The columns of a frame about `slots`."""
        columns = self._columns
        effective = columns["effective_ms"][slots]
        on_shift = columns["on_shift"][slots].astype(np.uint8) * np.uint8(StateBit.ON_SHIFT)
        return Drivers(
            slot=slots.astype(np.uint32),
            state=columns["state_bits"][slots] | columns["status"][slots] | on_shift,
            lat_e7=columns["lat_e7"][slots],
            lon_e7=columns["lon_e7"][slots],
            bearing=columns["bearing"][slots],
            speed=columns["speed"][slots],
            age=encode_age(now_ms - effective),
            removed=removed.astype(np.uint32),
        )

    def _new_slot(self, driver_id: bytes) -> int:
        slot = self.size
        if slot >= MAX_SLOTS:
            raise OverflowError("the live table has no slot left")
        capacity = len(self._columns["lat_e7"])
        if slot == capacity:
            for name, old in self._columns.items():
                grown = np.zeros(capacity * 2, old.dtype)
                grown[:capacity] = old
                self._columns[name] = grown
        self.size += 1
        self._slots[driver_id] = slot
        self._ids.append(driver_id)
        self.details.append(None)
        self._codes.append("")
        self._names.append("")
        for name in ("bearing", "speed", "battery"):
            self._columns[name][slot] = UNKNOWN
        return slot

    def _compiled_limits(self) -> npt.NDArray[np.int64]:
        rows = []
        for place in self._places:
            limit, code = self._default, place or None
            while code is not None:
                if code in self._overrides:
                    limit = self._overrides[code]
                    break
                code = parent(code)
            rows.append((limit.live_s * 1000, limit.offline_s * 1000))
        return np.array(rows, np.int64)


def _state_bits(speed: U8, battery: U8, accuracy_m: npt.NDArray[np.uint16]) -> U8:
    moving = (speed >= _MOVING_STEPS) & (speed != UNKNOWN)
    inaccurate = (accuracy_m > _INACCURATE_M) & (accuracy_m != _UNKNOWN_ACCURACY)
    bits: U8 = (
        battery_steps(battery) << np.uint8(3)
        | moving.astype(np.uint8) * np.uint8(StateBit.MOVING)
        | inaccurate.astype(np.uint8) * np.uint8(StateBit.INACCURATE)
    )
    return bits
