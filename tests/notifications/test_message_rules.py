"""When messages may be sent, and what follows a failure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.notifications.message_rules import (
    MOST_ATTEMPTS,
    Channel,
    MessageState,
    Quiet,
    after_failure,
    delay_after,
    send_after,
    ways,
)

NIGHT = Quiet(time(21), time(8))
BANGKOK = "Asia/Bangkok"


@pytest.mark.parametrize(
    ("now", "then"),
    [
        # 14:00 UTC is 21:00 in Bangkok, 1:00 UTC is 8:00.
        (datetime(2026, 3, 2, 13, 59, tzinfo=UTC), datetime(2026, 3, 2, 13, 59, tzinfo=UTC)),
        (datetime(2026, 3, 2, 14, 0, tzinfo=UTC), datetime(2026, 3, 3, 1, 0, tzinfo=UTC)),
        (datetime(2026, 3, 2, 17, 30, tzinfo=UTC), datetime(2026, 3, 3, 1, 0, tzinfo=UTC)),
        (datetime(2026, 3, 3, 0, 59, tzinfo=UTC), datetime(2026, 3, 3, 1, 0, tzinfo=UTC)),
        (datetime(2026, 3, 3, 1, 0, tzinfo=UTC), datetime(2026, 3, 3, 1, 0, tzinfo=UTC)),
    ],
)
def test_what_is_not_urgent_waits_for_the_morning(now: datetime, then: datetime) -> None:
    assert send_after(now, NIGHT, BANGKOK) == then


def test_quiet_hours_may_lie_within_a_day() -> None:
    noon = Quiet(time(12), time(14))
    assert send_after(datetime(2026, 3, 2, 6, 0, tzinfo=UTC), noon, BANGKOK) == datetime(
        2026, 3, 2, 7, 0, tzinfo=UTC
    )


@given(
    minutes=st.integers(0, 365 * 24 * 60),
    begins=st.times(),
    ends=st.times(),
    zone=st.sampled_from(["Asia/Kathmandu", "Asia/Manila", "UTC", "Europe/Berlin"]),
)
def test_nothing_is_held_longer_than_a_day_and_nothing_comes_while_it_is_quiet(
    minutes: int, begins: time, ends: time, zone: str
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    quiet = Quiet(begins, ends)
    then = send_after(now, quiet, zone)
    assert timedelta(0) <= then - now <= timedelta(hours=25)
    if zone != "Europe/Berlin":
        assert not quiet.holds(then.astimezone(ZoneInfo(zone)).time())


def test_the_same_hour_twice_is_never_quiet() -> None:
    assert not Quiet(time(0), time(0)).holds(time(3))


def test_channels_are_tried_in_the_order_wished_for_where_one_is_reached() -> None:
    usual = ["push", "whatsapp", "sms", "email"]
    assert ways([], usual, {Channel.SMS, Channel.WHATSAPP}) == ("whatsapp", "sms")
    assert ways(["sms", "email"], usual, {Channel.SMS, Channel.WHATSAPP}) == ("sms",)
    assert ways(["email"], usual, {Channel.SMS}) == ()


def test_a_passing_failure_is_tried_again_later_and_later() -> None:
    waits = [delay_after(n, 0.5).total_seconds() for n in range(1, MOST_ATTEMPTS + 1)]
    assert waits == [10, 30, 90, 270, 810, 1800]
    then = after_failure(["sms"], "sms", 1, final=False, chance=0.5)
    assert (then.state, then.channel, then.wait) == (
        MessageState.FAILED, "sms", timedelta(seconds=10)
    )  # fmt: skip


def test_what_fails_for_good_goes_on_with_the_next_channel_at_once() -> None:
    then = after_failure(["whatsapp", "sms"], "whatsapp", 1, final=True, chance=0.5)
    assert (then.state, then.channel, then.tried_here, then.wait) == (
        MessageState.QUEUED, "sms", 0, timedelta(0),
    )  # fmt: skip


def test_a_channel_that_fails_too_often_counts_as_failing_for_good() -> None:
    then = after_failure(["whatsapp", "sms"], "whatsapp", MOST_ATTEMPTS, final=False, chance=0.5)
    assert (then.state, then.channel) == (MessageState.QUEUED, "sms")
    last = after_failure(["whatsapp", "sms"], "sms", MOST_ATTEMPTS, final=False, chance=0.5)
    assert last.state is MessageState.GIVEN_UP
