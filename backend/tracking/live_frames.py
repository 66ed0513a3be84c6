"""The binary frames of the live feed: what the server packs and the map unpacks.

Everything is little-endian. A frame is one 56-byte header, then columns, each the whole of one
field, so that the browser lays typed arrays over the received buffer without copying. Every
column starts at a multiple of its own width.

Header, 56 bytes

| at | type  | field       | meaning                                                              |
| -- | ----- | ----------- | -------------------------------------------------------------------- |
| 0  | u8    | kind        | 1 snapshot, 2 delta, 3 cells                                         |
| 1  | u8    | version     | 1; a client that reads another number reloads itself                 |
| 2  | u8    | flags       | bit 0: the hub has lost its source; bit 1: the answer to a resume    |
| 3  | u8    | resolution  | H3 resolution of a cells frame, else 0                               |
| 4  | u32   | tick        | the hub's tick; with the epoch of `hello` it names this moment       |
| 8  | f64   | server_ms   | the server's clock, milliseconds since 1970                          |
| 16 | f64   | newest_ms   | time of the newest fix of the whole fleet, 0 when there is none      |
| 24 | u32   | n           | drivers (snapshot, delta) or cells that follow                       |
| 28 | u32   | m           | removals that follow (delta only)                                    |
| 32 | u32*4 | counts      | live, stale, offline, off shift: all drivers of the scope that pass  |
|    |       |             | the filters, wherever the view is, the status filter left aside      |
| 48 | u32   | seq         | the `seq` of the view message that this frame answers to             |
| 52 | u32   | in_view     | drivers inside the view that pass every filter                       |

Snapshot and delta, 15 bytes for each driver and 4 for each removal

| at           | type   | column                                                                 |
| ------------ | ------ | ---------------------------------------------------------------------- |
| 56           | u32[n] | slot (bits 0-23) and state (bits 24-31), see below                     |
| 56 + 4n      | i32[n] | latitude * 10^7                                                        |
| 56 + 8n      | i32[n] | longitude * 10^7                                                       |
| 56 + 12n     | u32[m] | slots to take off the map                                              |
| 56+12n+4m    | u8[n]  | bearing in steps of 2 degrees, 255 unknown                             |
| 56+13n+4m    | u8[n]  | speed in steps of 0.25 m/s, 255 unknown, 254 that or more              |
| 56+14n+4m    | u8[n]  | age of the fix at server_ms, see below                                 |

State byte: bits 0-1 status (0 live, 1 stale, 2 offline, 3 off shift); bit 2 moving; bits 3-5
battery (0 unknown, else at most 5, 10, 20, 40, 60, 80, 100 percent); bit 6 the fix is less
accurate than 100 m; bit 7 on shift.

Age byte: 0-119 quarter seconds; 120-179 30 s and 5 s for each above 120; 180-239 330 s and 60 s
for each above 180; 240-254 3930 s and 1 h for each above 240; 255 unknown or more.

A snapshot replaces everything shown. A delta changes what it names. The slot of a driver is the
same for all viewers as long as the epoch of `hello` is; it is never given to another driver.

Cells, 32 bytes for each cell; the frame replaces everything shown

| at       | type   | column                                                                     |
| -------- | ------ | -------------------------------------------------------------------------- |
| 56       | u64[n] | H3 index                                                                   |
| 56 + 8n  | i32[n] | latitude * 10^7 of the middle of the cell's drivers                        |
| 56 + 12n | i32[n] | longitude * 10^7 of the same                                               |
| 56 + 16n | u32[n] | live                                                                       |
| 56 + 20n | u32[n] | stale                                                                      |
| 56 + 24n | u32[n] | offline                                                                    |
| 56 + 28n | u32[n] | off shift                                                                  |
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

VERSION = 1
HEADER = struct.Struct("<BBBBIddIIIIIIII")
DRIVER_BYTES = 15
REMOVAL_BYTES = 4
CELL_BYTES = 32
MAX_SLOTS = 1 << 24
UNKNOWN = 255
BATTERY_STEPS = (5, 10, 20, 40, 60, 80)

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]


class FrameKind(IntEnum):
    """What a frame carries."""

    SNAPSHOT = 1
    DELTA = 2
    CELLS = 3


class FrameFlag(IntFlag):
    """What else is true of a frame."""

    NONE = 0
    SOURCE_LOST = 1
    RESUMED = 2


class StateBit(IntFlag):
    """The single bits of a driver's state byte; status and battery lie between them."""

    MOVING = 1 << 2
    INACCURATE = 1 << 6
    ON_SHIFT = 1 << 7


@dataclass(frozen=True, slots=True)
class Header:
    """The first 56 bytes of a frame, without its lengths."""

    kind: FrameKind
    tick: int
    server_ms: float
    newest_ms: float
    counts: tuple[int, int, int, int]
    seq: int = 0
    in_view: int = 0
    flags: FrameFlag = FrameFlag.NONE
    resolution: int = 0

    def pack(self, n: int, m: int) -> bytes:
        """The header of a frame with `n` drivers or cells and `m` removals."""
        return HEADER.pack(
            self.kind,
            VERSION,
            self.flags,
            self.resolution,
            self.tick,
            self.server_ms,
            self.newest_ms,
            n,
            m,
            *self.counts,
            self.seq,
            self.in_view,
        )


@dataclass(frozen=True, slots=True)
class Drivers:
    """The columns of a snapshot or delta, all of one length but `removed`."""

    slot: U32
    state: U8
    lat_e7: I32
    lon_e7: I32
    bearing: U8
    speed: U8
    age: U8
    removed: U32


@dataclass(frozen=True, slots=True)
class Cells:
    """The columns of a cells frame; `counts` has one row for each cell and four columns."""

    index: U64
    lat_e7: I32
    lon_e7: I32
    counts: U32


def pack_drivers(header: Header, drivers: Drivers) -> bytes:
    """A snapshot or delta frame."""
    slot_state = drivers.slot | (drivers.state.astype(np.uint32) << np.uint32(24))
    return b"".join(
        (
            header.pack(len(drivers.slot), len(drivers.removed)),
            slot_state.astype("<u4", copy=False).tobytes(),
            drivers.lat_e7.astype("<i4", copy=False).tobytes(),
            drivers.lon_e7.astype("<i4", copy=False).tobytes(),
            drivers.removed.astype("<u4", copy=False).tobytes(),
            drivers.bearing.tobytes(),
            drivers.speed.tobytes(),
            drivers.age.tobytes(),
        )
    )


def pack_cells(header: Header, cells: Cells) -> bytes:
    """A frame of map cells: index, centre and counts as columns, little-endian."""
    return b"".join(
        (
            header.pack(len(cells.index), 0),
            cells.index.astype("<u8", copy=False).tobytes(),
            cells.lat_e7.astype("<i4", copy=False).tobytes(),
            cells.lon_e7.astype("<i4", copy=False).tobytes(),
            np.ascontiguousarray(cells.counts.T).astype("<u4", copy=False).tobytes(),
        )
    )


def unpack(frame: bytes) -> tuple[Header, Drivers | Cells]:
    """Header and columns of a frame, as views into it; ValueError when it is not one of ours."""
    if len(frame) < HEADER.size:
        raise ValueError("shorter than a header")
    kind, version, flags, resolution, tick, server_ms, newest_ms, n, m, *rest = HEADER.unpack_from(
        frame
    )
    if version != VERSION:
        raise ValueError(f"version {version}")
    header = Header(
        FrameKind(kind),
        tick,
        server_ms,
        newest_ms,
        (rest[0], rest[1], rest[2], rest[3]),
        rest[4],
        rest[5],
        FrameFlag(flags),
        resolution,
    )
    cells = header.kind is FrameKind.CELLS
    expected = HEADER.size + (n * CELL_BYTES if cells else n * DRIVER_BYTES + m * REMOVAL_BYTES)
    if len(frame) != expected:
        raise ValueError(f"{len(frame)} bytes where {expected} were announced")
    at = HEADER.size
    if cells:
        index = np.frombuffer(frame, "<u8", n, at)
        lat = np.frombuffer(frame, "<i4", n, at + 8 * n)
        lon = np.frombuffer(frame, "<i4", n, at + 12 * n)
        counts = np.frombuffer(frame, "<u4", 4 * n, at + 16 * n).reshape(4, n).T
        return header, Cells(index, lat, lon, counts)
    slot_state = np.frombuffer(frame, "<u4", n, at)
    tail = at + 12 * n + 4 * m
    return header, Drivers(
        slot=slot_state & np.uint32(MAX_SLOTS - 1),
        state=(slot_state >> np.uint32(24)).astype(np.uint8),
        lat_e7=np.frombuffer(frame, "<i4", n, at + 4 * n),
        lon_e7=np.frombuffer(frame, "<i4", n, at + 8 * n),
        bearing=np.frombuffer(frame, "u1", n, tail),
        speed=np.frombuffer(frame, "u1", n, tail + n),
        age=np.frombuffer(frame, "u1", n, tail + 2 * n),
        removed=np.frombuffer(frame, "<u4", m, at + 12 * n),
    )


def battery_steps(percent: U8) -> U8:
    """Battery percent (255 unknown) as the three-bit step of the state byte."""
    step = np.searchsorted(np.array(BATTERY_STEPS, dtype=np.uint8), percent, side="left") + 1
    return np.where(percent == UNKNOWN, 0, step).astype(np.uint8)


def encode_age(age_ms: I64) -> U8:
    """Ages in milliseconds as age bytes, rounded down; negative ages are 0."""
    age = np.maximum(age_ms, 0)
    code = np.select(
        [age < 30_000, age < 330_000, age < 3_930_000, age < 57_900_000],
        [
            age // 250,
            120 + (age - 30_000) // 5_000,
            180 + (age - 330_000) // 60_000,
            240 + (age - 3_930_000) // 3_600_000,
        ],
        UNKNOWN,
    )
    return code.astype(np.uint8)


def decode_age(code: int) -> float | None:
    """The age in seconds that an age byte stands for, None when unknown."""
    if code == UNKNOWN:
        return None
    if code < 120:
        return code / 4
    if code < 180:
        return 30.0 + (code - 120) * 5
    if code < 240:
        return 330.0 + (code - 180) * 60
    return 3930.0 + (code - 240) * 3600
