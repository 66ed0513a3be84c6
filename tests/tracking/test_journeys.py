"""A driver's fixes are told as stretches: driven, stood still, not heard of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backend.tracking.journeys import stretches

BEGAN = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Fix:
    recorded_at: datetime
    lat: float
    lon: float = 100.5


def drive(minutes: list[float], metres: list[float]) -> list[Fix]:
    """Fixes at these minutes, so far to the north of the start."""
    return [
        Fix(BEGAN + timedelta(minutes=at), 13.7 + far / 111_195)
        for at, far in zip(minutes, metres, strict=True)
    ]


def kinds(fixes: list[Fix]) -> list[tuple[str, int, int]]:
    return [
        (each.kind, round((each.until - each.since).total_seconds() / 60), round(each.distance_m))
        for each in stretches(fixes)
    ]


def test_one_fix_tells_nothing() -> None:
    assert stretches([]) == []
    assert stretches(drive([0], [0])) == []


def test_a_drive_is_one_stretch_with_its_length() -> None:
    minutes = [float(n) for n in range(11)]
    assert kinds(drive(minutes, [n * 300 for n in minutes])) == [("moved", 10, 3000)]


def test_a_long_stop_stands_between_two_drives() -> None:
    minutes = [float(n) for n in range(21)]
    metres = [n * 300 if n <= 5 else 1500 + max(0, n - 12) * 300 for n in minutes]
    assert kinds(drive(minutes, metres)) == [
        ("moved", 5, 1500), ("stood", 7, 0), ("moved", 8, 2400),
    ]  # fmt: skip


def test_a_short_stop_belongs_to_the_drive() -> None:
    minutes = [float(n) for n in range(8)]
    metres = [0, 300, 600, 600, 600, 900, 1200, 1500]
    assert kinds(drive(minutes, [float(each) for each in metres])) == [("moved", 7, 1500)]


def test_silence_is_told_with_where_it_ended() -> None:
    told = kinds(drive([0, 1, 2, 12, 13], [0, 300, 600, 4000, 4300]))
    assert told == [("moved", 2, 600), ("silent", 10, 3400), ("moved", 1, 300)]


@given(
    st.lists(st.floats(0.05, 12), min_size=1, max_size=80),
    st.lists(st.floats(0, 900), min_size=80, max_size=80),
)
def test_stretches_follow_each_other_from_the_first_fix_to_the_last(
    gaps: list[float], legs: list[float]
) -> None:
    minutes, metres = [0.0], [0.0]
    for gap, leg in zip(gaps, legs, strict=False):
        minutes.append(minutes[-1] + gap)
        metres.append(metres[-1] + leg)
    fixes = drive(minutes, metres)
    told = stretches(fixes)
    assert told[0].since == fixes[0].recorded_at
    assert told[-1].until == fixes[-1].recorded_at
    assert all(one.until == after.since for one, after in pairwise(told))
    assert not any(one.kind == after.kind == "moved" for one, after in pairwise(told))
