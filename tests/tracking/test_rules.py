"""Which fixes are refused, doubted or taken twice, and how fresh a driver is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.tracking import anchors
from backend.tracking.rules import (
    FLAG_IMPOSSIBLE_SPEED,
    FLAG_PING,
    FLAGS_NOT_SHOWN,
    Anchor,
    Code,
    Fault,
    Fix,
    Point,
    Status,
    Verdict,
    distance_m,
    freshness,
    screen,
)

NOW = 1_714_532_400_000
HOUR = 3_600_000
LAT, LON = 13.7456, 100.5341
FAR = LAT + 1.0
NONE: frozenset[int] = frozenset()


def at(seconds: float, lat: float = LAT, lon: float = LON, flags: int = 0) -> Fix:
    """A fix so many seconds before now."""
    return Fix(NOW - round(seconds * 1000), lat, lon, flags=flags)


def words(verdicts: list[Verdict]) -> list[str]:
    return [verdict.code or verdict.status for verdict in verdicts]


def judged(*items: Fix | Fault, anchor: Anchor | None = None) -> list[str]:
    return words(screen(items, anchor, NOW, NONE)[0])


@pytest.mark.parametrize(
    ("fix", "code"),
    [
        (at(48 * 3600), "accepted"),
        (at(48 * 3600 + 1), Code.TOO_OLD),
        (at(-300), "accepted"),
        (at(-301), Code.IN_FUTURE),
        (at(0, 0.0, 0.0), Code.NULL_ISLAND),
        (at(0, 0.0, 100.0), "accepted"),
        (at(0, 90.0, 180.0), "accepted"),
        (at(0, 90.1, 0.0), Code.OUT_OF_RANGE),
        (at(0, 0.0, -180.1), Code.OUT_OF_RANGE),
        (at(0, float("nan"), 1.0), Code.OUT_OF_RANGE),
        (at(0, 1.0, float("inf")), Code.OUT_OF_RANGE),
    ],
)
def test_fix_is_refused_by_its_time_and_place(fix: Fix, code: str) -> None:
    assert judged(fix) == [code]


def test_refused_fix_says_why_and_the_others_are_taken() -> None:
    verdicts, _ = screen(
        [at(9), at(0, 0, 0), Fault(Code.INVALID, "lat: x"), at(8)], None, NOW, NONE
    )
    assert words(verdicts) == ["accepted", "null_island", "invalid", "accepted"]
    assert [bool(verdict.detail) for verdict in verdicts] == [False, True, True, False]


def test_distance_is_the_great_circle() -> None:
    # One degree of a meridian of the mean sphere is 111,195 m.
    assert distance_m(0, 0, 1, 0) == pytest.approx(111_195, abs=1)
    assert distance_m(0, 179.5, 0, -179.5) == pytest.approx(111_195, abs=1)


def test_drive_across_the_date_line_is_no_jump() -> None:
    assert judged(at(20, -16.5, 179.9999), at(10, -16.5, -179.9999)) == ["accepted", "accepted"]


@pytest.mark.parametrize(("metres", "doubted"), [(890, False), (910, True)])
def test_more_than_90_metres_a_second_is_doubted(metres: float, doubted: bool) -> None:
    verdicts, _ = screen([at(20), at(10, LAT + metres / 111_195)], None, NOW, NONE)
    assert bool(verdicts[1].flags & FLAG_IMPOSSIBLE_SPEED) is doubted
    assert verdicts[1].status is Status.ACCEPTED


def test_one_wild_fix_is_doubted_and_the_next_good_one_is_not() -> None:
    assert judged(at(30), at(20, FAR), at(10)) == ["accepted", "impossible_speed", "accepted"]


def test_three_doubted_fixes_that_agree_move_the_anchor() -> None:
    jump = [at(seconds, FAR) for seconds in (40, 30, 20, 10)]
    assert judged(at(50), *jump) == ["accepted", *["impossible_speed"] * 2, "accepted", "accepted"]


def test_doubted_fixes_that_disagree_do_not_move_the_anchor() -> None:
    wild = [at(40 - i, LAT + i + 1) for i in range(6)]
    verdicts, anchor = screen([at(50), *wild], None, NOW, NONE)
    assert words(verdicts)[1:] == ["impossible_speed"] * 6
    assert anchor is not None
    assert anchor.last.lat == LAT


def test_anchor_is_the_same_whether_fixes_come_at_once_or_one_by_one() -> None:
    fixes = [at(50), at(40, FAR), at(30, FAR), at(20), at(10, LAT + 0.001)]
    _, together = screen(fixes, None, NOW, NONE)
    single: Anchor | None = None
    for fix in fixes:
        _, single = screen([fix], single, NOW, NONE)
    assert single == together


def test_fix_sent_twice_is_a_duplicate() -> None:
    assert judged(at(5), at(5, LAT + 0.0001)) == ["accepted", "duplicate"]
    verdicts, _ = screen([at(5), at(4)], None, NOW, frozenset({at(5).recorded_ms}))
    assert words(verdicts) == ["duplicate", "accepted"]


def test_late_fix_leaves_the_anchor_alone() -> None:
    _, anchor = screen([at(10)], None, NOW, NONE)
    verdicts, after = screen([at(600, LAT + 0.01)], anchor, NOW, NONE)
    assert words(verdicts) == ["accepted"]
    assert after == anchor


def test_late_fix_that_nobody_could_have_come_from_is_doubted() -> None:
    _, anchor = screen([at(10)], None, NOW, NONE)
    assert judged(at(20, FAR), anchor=anchor) == ["impossible_speed"]


def test_future_fix_does_not_make_later_ones_late_or_doubted() -> None:
    """A phone whose clock runs four minutes ahead, corrected while it drives on."""
    _, anchor = screen([at(-240)], None, NOW, NONE)
    moved = LAT + 0.005
    verdicts, after = screen([Fix(NOW + 10_000, moved, LON)], anchor, NOW + 10_000, NONE)
    assert words(verdicts) == ["accepted"]
    assert after is not None
    assert after.last.lat == moved
    assert after.newest_ms == NOW + 240_000


def test_ping_does_not_move_the_anchor() -> None:
    _, anchor = screen([at(10)], None, NOW, NONE)
    verdicts, after = screen([at(0, FAR, flags=FLAG_PING)], anchor, NOW, NONE)
    assert words(verdicts) == [Code.PING]
    assert verdicts[0].flags & FLAGS_NOT_SHOWN
    assert anchor is not None
    assert after is not None
    assert after.last == anchor.last


FIXES = st.lists(
    st.builds(
        at,
        st.floats(-400, 200_000),
        st.floats(-91, 91),
        st.floats(-181, 181),
        st.sampled_from([0, 2, FLAG_PING]),
    ),
    min_size=1,
    max_size=12,
)


@given(FIXES, st.randoms(use_true_random=False))
def test_order_of_a_batch_changes_no_verdict(fixes: list[Fix], random: object) -> None:
    """Where no two fixes share a time: of those the first that is sent is the one that counts."""
    unique = list({fix.recorded_ms: fix for fix in fixes}.values())
    shuffled = list(unique)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    straight, anchor = screen(unique, None, NOW, NONE)
    turned, turned_anchor = screen(shuffled, None, NOW, NONE)
    by_time = dict(zip((fix.recorded_ms for fix in unique), straight, strict=True))
    assert [by_time[fix.recorded_ms] for fix in shuffled] == turned
    assert anchor == turned_anchor


@given(FIXES, FIXES)
def test_every_fix_gets_a_verdict_and_the_anchor_only_moves_forward(
    first: list[Fix], second: list[Fix]
) -> None:
    verdicts, before = screen(first, None, NOW, NONE)
    assert len(verdicts) == len(first)
    again, after = screen(second, before, NOW, NONE)
    assert len(again) == len(second)
    if before is not None and after is not None:
        assert after.last.effective_ms >= before.last.effective_ms
        assert after.newest_ms >= before.newest_ms
        assert anchors.unpack(anchors.pack(after)) == after


@given(FIXES)
def test_what_was_accepted_is_a_duplicate_when_it_is_known(fixes: list[Fix]) -> None:
    verdicts, anchor = screen(fixes, None, NOW, NONE)
    taken = frozenset(
        fix.recorded_ms
        for fix, verdict in zip(fixes, verdicts, strict=True)
        if verdict.status is Status.ACCEPTED
    )
    again, _ = screen(fixes, anchor, NOW, taken)
    assert Status.ACCEPTED not in {verdict.status for verdict in again}


@given(st.floats(-80, 80), st.floats(-179, 179), st.integers(3, 8))
def test_no_place_freezes_a_driver_for_more_than_three_fixes(
    lat: float, lon: float, count: int
) -> None:
    """Wherever the last believed fix lay, somebody who stands still is believed soon."""
    anchor = Anchor(Point(NOW - 60_000, NOW - 60_000, FAR, LON), NOW - 60_000)
    _, after = screen([at(20 - n, lat + 0.5, lon) for n in range(count)], anchor, NOW, NONE)
    assert after is not None
    assert after.last.lat == lat + 0.5


@pytest.mark.parametrize(
    ("age_s", "on_shift", "status"),
    [
        (30, True, "live"),
        (30.1, True, "stale"),
        (300, True, "stale"),
        (300.1, True, "offline"),
        (float("inf"), True, "offline"),
        (1, False, "off_shift"),
    ],
)
def test_status_follows_the_age_of_the_newest_fix(
    age_s: float, on_shift: bool, status: str
) -> None:
    assert freshness(age_s, on_shift=on_shift, live_s=30, offline_s=300) == status
