"""Business time against cases that were counted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.support.clock_rules import Calendar, Pause, after, between, run

HOUR = 3600.0
SPLIT = ((time(9), time(12)), (time(13), time(18)))
BANGKOK = Calendar(
    "Asia/Bangkok",
    (SPLIT, SPLIT, SPLIT, SPLIT, SPLIT, ((time(10), time(14)),), ()),
    frozenset({date(2026, 12, 7)}),
)
BENGALURU = Calendar("Asia/Kolkata", (SPLIT,) * 6 + ((),), frozenset({date(2026, 11, 26)}))
MANILA_NIGHTS = Calendar("Asia/Manila", (((time(20), time(2)),),) * 7)
NEW_YORK = Calendar("America/New_York", (((time(0), time(0)),),) * 7)


def at(place: str, *when: int) -> datetime:
    return datetime(2026, *when, tzinfo=ZoneInfo(place)).astimezone(UTC)  # type: ignore[arg-type]


def bangkok(*when: int) -> datetime:
    return at("Asia/Bangkok", *when)


@pytest.mark.parametrize(
    ("since", "hours", "due"),
    [
        # Wednesday, over the lunch between two shifts: half an hour before it, half after.
        (bangkok(11, 25, 11, 30), 1, datetime(2026, 11, 25, 6, 30, tzinfo=UTC)),
        # Exactly to the end of a shift, and a moment more.
        (bangkok(11, 25, 11, 0), 1, datetime(2026, 11, 25, 5, 0, tzinfo=UTC)),
        # Friday evening into Saturday's short day: 0.5 h and 3.5 h.
        (bangkok(11, 27, 17, 30), 4, datetime(2026, 11, 28, 6, 30, tzinfo=UTC)),
        # Saturday, over Sunday and the holiday of Monday the 7th, into Tuesday.
        (bangkok(12, 5, 13, 0), 2, datetime(2026, 12, 8, 3, 0, tzinfo=UTC)),
        # On a Sunday nothing runs until Monday at nine.
        (bangkok(11, 29, 4, 0), 1, datetime(2026, 11, 30, 3, 0, tzinfo=UTC)),
        # During the holiday the same.
        (bangkok(12, 7, 10, 0), 8, datetime(2026, 12, 8, 11, 0, tzinfo=UTC)),
        # A whole week of 44 hours.
        (bangkok(11, 23, 9, 0), 44, datetime(2026, 11, 28, 7, 0, tzinfo=UTC)),
    ],
)
def test_time_is_up_in_bangkok(since: datetime, hours: int, due: datetime) -> None:
    assert after(BANGKOK, since, hours * HOUR) == due
    assert between(BANGKOK, since, due) == hours * HOUR


def test_the_same_moment_is_up_at_another_time_in_another_zone() -> None:
    # 04:30 UTC on the Wednesday: 10:00 in Bengaluru, 11:30 in Bangkok. Three hours later it is
    # 14:00 there (2 h, lunch, 1 h) and 15:30 here (0.5 h, lunch, 2.5 h).
    since = datetime(2026, 11, 25, 4, 30, tzinfo=UTC)
    assert after(BENGALURU, since, 3 * HOUR) == at("Asia/Kolkata", 11, 25, 14, 0)
    assert after(BANGKOK, since, 3 * HOUR) == bangkok(11, 25, 15, 30)
    # Nine hours run over a holiday in Bengaluru: 7 h on the 25th, 2 h on the 27th.
    assert after(BENGALURU, since, 9 * HOUR) == at("Asia/Kolkata", 11, 27, 11, 0)


def test_a_shift_runs_over_midnight() -> None:
    since = at("Asia/Manila", 11, 25, 23, 0)
    assert after(MANILA_NIGHTS, since, 4 * HOUR) == at("Asia/Manila", 11, 26, 21, 0)
    # One in the morning still lies in the shift of the day before.
    early = at("Asia/Manila", 11, 25, 1, 0)
    assert after(MANILA_NIGHTS, early, HOUR / 2) == at("Asia/Manila", 11, 25, 1, 30)


def test_an_hour_that_the_clocks_repeat_is_counted_twice() -> None:
    # The first of November 2026 has 25 hours there.
    midnight = at("America/New_York", 11, 1, 0, 0)
    assert after(NEW_YORK, midnight, 24 * HOUR) == at("America/New_York", 11, 1, 23, 0)
    # And the eighth of March has 23.
    midnight = at("America/New_York", 3, 8, 0, 0)
    assert after(NEW_YORK, midnight, 24 * HOUR) == at("America/New_York", 3, 9, 1, 0)


def test_without_a_calendar_all_time_counts() -> None:
    since = bangkok(11, 29, 4, 0)
    assert after(None, since, 90) == since + timedelta(seconds=90)
    assert between(None, since, since + timedelta(seconds=90)) == 90


def test_a_pause_takes_its_business_time_out_and_nothing_else() -> None:
    opened = bangkok(11, 25, 9, 0)
    # Two hours used; waits from Wednesday 11:00 to Thursday 10:00; six left: 2 h, lunch, 4 h.
    waited = Pause(bangkok(11, 25, 11, 0), bangkok(11, 26, 10, 0))
    clock = run(BANGKOK, opened, 8 * HOUR, [waited])
    assert clock.due_at == bangkok(11, 26, 17, 0)
    # 6.4 h are four fifths: 4.4 h after the pause.
    assert clock.warn_at == bangkok(11, 26, 15, 24)
    # Whoever waits through the night loses nothing by it.
    night = Pause(bangkok(11, 25, 19, 0), bangkok(11, 26, 8, 0))
    assert run(BANGKOK, opened, 9 * HOUR, [night]).due_at == bangkok(11, 26, 10, 0)
    # Two pauses: 1 h used, 2 h used, 5 h left of 8 from Friday 13:00 on.
    twice = [
        Pause(bangkok(11, 25, 10, 0), bangkok(11, 26, 9, 0)),
        Pause(bangkok(11, 26, 11, 0), bangkok(11, 27, 13, 0)),
    ]
    assert run(BANGKOK, opened, 8 * HOUR, twice).due_at == bangkok(11, 27, 18, 0)


def test_a_clock_that_stands_still_tells_what_is_left() -> None:
    clock = run(BANGKOK, bangkok(11, 25, 9, 0), 8 * HOUR, [Pause(bangkok(11, 25, 11, 0), None)])
    assert (clock.due_at, clock.left_s) == (None, 6 * HOUR)


def test_a_pause_does_not_save_what_was_up_before_it() -> None:
    opened = bangkok(11, 25, 9, 0)
    late = Pause(bangkok(11, 26, 10, 0), None)
    assert run(BANGKOK, opened, 8 * HOUR, [late]).due_at == bangkok(11, 25, 18, 0)
    mended = [Pause(bangkok(11, 26, 10, 0), bangkok(11, 27, 10, 0))]
    assert run(BANGKOK, opened, 8 * HOUR, mended).due_at == bangkok(11, 25, 18, 0)


_CALENDARS = st.sampled_from([BANGKOK, BENGALURU, MANILA_NIGHTS, NEW_YORK])
_MOMENTS = st.datetimes(
    datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)  # noqa: DTZ001
)  # fmt: skip


@given(_CALENDARS, _MOMENTS, st.integers(1, 300 * 3600))
def test_what_is_counted_forward_is_counted_back(
    calendar: Calendar, since: datetime, seconds: int
) -> None:
    assert between(calendar, since, after(calendar, since, seconds)) == pytest.approx(seconds)


@given(_CALENDARS, _MOMENTS, st.integers(60, 100 * 3600), st.lists(st.integers(1, 60), max_size=5))
def test_a_pause_never_brings_the_end_nearer(
    calendar: Calendar, since: datetime, seconds: int, spans: list[int]
) -> None:
    pauses, reached = [], since
    for hours in spans:
        began = reached + timedelta(hours=hours)
        reached = began + timedelta(hours=hours / 2)
        pauses.append(Pause(began, reached))
    plain, paused = run(calendar, since, seconds), run(calendar, since, seconds, pauses)
    assert plain.due_at is not None
    assert paused.due_at is not None
    assert paused.due_at >= plain.due_at
    assert paused.warn_at is not None
    assert paused.warn_at <= paused.due_at
