"""Times of a replay: moved to today, never ahead of the clock, speeds kept true."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.simulation.fixes import Fix
from backend.simulation.timing import BadSpeed, complete, parse_speed, schedule, true_span

NOW = 1_790_000_000.0


def drive(*times: float) -> list[Fix]:
    return [Fix(at, 13.0 + n * 1e-4, 100.0) for n, at in enumerate(times)]


def test_at_1x_the_trace_starts_now_and_keeps_its_pace() -> None:
    plan = schedule(drive(100, 105, 130), 1, NOW)
    assert [d.fix.at - NOW for d in plan] == [0, 5, 30]
    assert [d.send_at - NOW for d in plan] == [0, 5, 30]


def test_at_max_the_trace_ends_now_and_goes_at_once() -> None:
    plan = schedule(drive(100, 105, 130), inf, NOW)
    assert [d.fix.at - NOW for d in plan] == [-30, -25, 0]
    assert {d.send_at for d in plan} == {NOW}


@given(st.lists(st.floats(0, 1e5), min_size=2, max_size=40).map(sorted), st.floats(1, 500))
def test_faster_than_recorded_no_fix_is_ahead_of_the_clock(times: list[float], x: float) -> None:
    span = true_span(drive(*times))
    for departure, at in zip(schedule(drive(*times), x, NOW), times, strict=True):
        if span[0] <= at <= span[1]:
            assert departure.fix.at <= departure.send_at + 0.01


def test_a_single_future_fix_does_not_move_the_drive_into_the_past() -> None:
    times = [*range(0, 600, 5), 9e6, *range(600, 1200, 5)]
    plan = schedule(drive(*times), inf, NOW)
    assert plan[-1].fix.at == NOW
    assert plan[120].fix.at > NOW + 8e6
    slow = schedule(drive(*times), 1, NOW)
    assert slow[120].send_at == slow[119].send_at
    assert slow[121].send_at == NOW + 600


def test_out_of_order_and_doubled_fixes_keep_their_place_in_the_file() -> None:
    plan = schedule(drive(0, 10, 5, 10, 20), 1, NOW)
    assert [d.fix.at - NOW for d in plan] == [0, 10, 5, 10, 20]
    assert [d.send_at - NOW for d in plan] == [0, 10, 10, 10, 20]


def test_speed_and_bearing_come_from_the_step_where_the_phone_gave_none() -> None:
    still, east, jump = complete(
        [
            Fix(0, 0.0, 100.0, speed=-1, bearing=-1),
            Fix(10, 0.0, 100.001),
            Fix(11, 1.0, 100.001),
        ]
    )
    assert (still.speed, still.bearing) == (None, None)
    assert east.speed == pytest.approx(11.12, abs=0.02)
    assert east.bearing == pytest.approx(90)
    # 111 km in a second: left for the server to judge.
    assert jump.speed is None


@pytest.mark.parametrize(("text", "factor"), [("max", inf), ("1x", 1), ("2.5x", 2.5), ("60", 60)])
def test_speeds_are_read(text: str, factor: float) -> None:
    assert parse_speed(text) == factor


@pytest.mark.parametrize("text", ["", "x", "0x", "-1x", "nan", "fast", "infx"])
def test_other_speeds_are_refused(text: str) -> None:
    with pytest.raises(BadSpeed):
        parse_speed(text)
