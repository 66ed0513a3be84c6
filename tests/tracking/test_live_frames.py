"""The binary layout of the live feed, byte by byte and both ways."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backend.tracking import live_frames
from backend.tracking.live_frames import (
    CELL_BYTES,
    DRIVER_BYTES,
    HEADER,
    Cells,
    Drivers,
    FrameFlag,
    FrameKind,
    Header,
)


def header(**changes: object) -> Header:
    values: dict[str, object] = {
        "kind": FrameKind.DELTA,
        "tick": 7,
        "server_ms": 1_760_000_000_123.0,
        "newest_ms": 1_760_000_000_001.0,
        "counts": (1, 2, 3, 4),
        "seq": 9,
        "in_view": 5,
    }
    return Header(**{**values, **changes})  # type: ignore[arg-type]


def drivers(n: int, removed: int = 0) -> Drivers:
    return Drivers(
        slot=np.arange(n, dtype=np.uint32),
        state=np.full(n, 0x81, np.uint8),
        lat_e7=np.arange(n, dtype=np.int32) - 5,
        lon_e7=np.arange(n, dtype=np.int32) + 1_000_000_000,
        bearing=np.full(n, 45, np.uint8),
        speed=np.full(n, 20, np.uint8),
        age=np.full(n, 3, np.uint8),
        removed=np.arange(removed, dtype=np.uint32),
    )


def test_one_driver_and_one_removal_lie_where_the_table_says() -> None:
    frame = live_frames.pack_drivers(
        header(),
        Drivers(
            slot=np.array([0x123456], np.uint32),
            state=np.array([0xAB], np.uint8),
            lat_e7=np.array([137_500_000], np.int32),
            lon_e7=np.array([-1_005_000_000], np.int32),
            bearing=np.array([45], np.uint8),
            speed=np.array([20], np.uint8),
            age=np.array([8], np.uint8),
            removed=np.array([77], np.uint32),
        ),
    )
    assert len(frame) == 56 + 15 + 4
    assert frame[:4] == bytes([2, 1, 0, 0])
    assert struct.unpack_from("<I", frame, 4) == (7,)
    assert struct.unpack_from("<dd", frame, 8) == (1_760_000_000_123.0, 1_760_000_000_001.0)
    assert struct.unpack_from("<II", frame, 24) == (1, 1)
    assert struct.unpack_from("<IIII", frame, 32) == (1, 2, 3, 4)
    assert struct.unpack_from("<II", frame, 48) == (9, 5)
    assert frame[56:60] == bytes([0x56, 0x34, 0x12, 0xAB])
    assert struct.unpack_from("<ii", frame, 60) == (137_500_000, -1_005_000_000)
    assert struct.unpack_from("<I", frame, 68) == (77,)
    assert frame[72:] == bytes([45, 20, 8])


def test_ten_thousand_changed_drivers_cost_less_than_sixteen_bytes_each() -> None:
    frame = live_frames.pack_drivers(header(), drivers(10_000))
    assert len(frame) == HEADER.size + 10_000 * DRIVER_BYTES < 16 * 10_000


@given(st.integers(0, 40), st.integers(0, 40))
def test_drivers_come_back_as_they_were_packed(n: int, removed: int) -> None:
    sent = drivers(n, removed)
    told, got = live_frames.unpack(live_frames.pack_drivers(header(flags=FrameFlag.RESUMED), sent))
    assert told == header(flags=FrameFlag.RESUMED)
    assert isinstance(got, Drivers)
    for name in Drivers.__slots__:
        assert getattr(got, name).tolist() == getattr(sent, name).tolist(), name


def test_cells_come_back_as_they_were_packed() -> None:
    sent = Cells(
        np.array([0x8928308280FFFFF, 2**63 + 1], np.uint64),
        np.array([1, -2], np.int32),
        np.array([3, -4], np.int32),
        np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.uint32),
    )
    frame = live_frames.pack_cells(header(kind=FrameKind.CELLS, resolution=6), sent)
    assert len(frame) == HEADER.size + 2 * CELL_BYTES
    assert struct.unpack_from("<II", frame, HEADER.size + 32) == (1, 5)
    told, got = live_frames.unpack(frame)
    assert told.resolution == 6
    assert isinstance(got, Cells)
    assert got.index.tolist() == sent.index.tolist()
    assert got.counts.tolist() == sent.counts.tolist()


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        live_frames.unpack(content)


@given(arrays(np.int64, 20, elements=st.integers(-10_000, 57_900_000 - 1)))
def test_age_is_rounded_down_to_its_step(ages_ms: np.ndarray) -> None:
    for age_ms, code in zip(ages_ms, live_frames.encode_age(ages_ms), strict=True):
        decoded = live_frames.decode_age(int(code))
        assert decoded is not None
        late = max(age_ms, 0) / 1000 - decoded
        step = 0.25 if decoded < 30 else 5 if decoded < 330 else 60 if decoded < 3930 else 3600
        assert 0 <= late < step


def test_age_beyond_the_scale_is_unknown() -> None:
    assert live_frames.encode_age(np.array([57_900_000, 10**12])).tolist() == [255, 255]
    assert live_frames.decode_age(255) is None


@pytest.mark.parametrize(
    ("percent", "step"), [(0, 1), (5, 1), (6, 2), (10, 2), (20, 3), (41, 5), (100, 7), (255, 0)]
)
def test_battery_becomes_its_step(percent: int, step: int) -> None:
    assert live_frames.battery_steps(np.array([percent], np.uint8)).tolist() == [step]
