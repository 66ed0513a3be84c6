"""When a delivery is tried again, and when an endpoint counts as lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backend.notifications.rules import MOST_ATTEMPTS, delay_after, is_lost, wants

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def test_attempts_are_spread_over_about_a_day_each_wait_no_shorter_than_the_one_before() -> None:
    waits = [delay_after(attempts, 0.5) for attempts in range(1, MOST_ATTEMPTS)]
    assert waits[0] == timedelta(seconds=5)
    assert all(before <= after for before, after in pairwise(waits))
    assert timedelta(hours=23) < sum(waits, timedelta()) < timedelta(hours=26)


@given(st.integers(1, 1000), st.floats(0, 1))
def test_chance_moves_a_wait_by_a_fifth_at_most(attempts: int, chance: float) -> None:
    plain = delay_after(attempts, 0.5)
    assert 0.79 * plain <= delay_after(attempts, chance) <= 1.21 * plain


def test_an_endpoint_is_lost_after_many_failures_over_a_whole_day() -> None:
    day_ago = NOW - timedelta(days=1)
    assert is_lost(20, day_ago, NOW)
    assert not is_lost(19, day_ago, NOW)
    assert not is_lost(500, NOW - timedelta(hours=23), NOW)
    assert not is_lost(0, None, NOW)


def test_no_types_named_means_every_event() -> None:
    assert wants([], "order.created")
    assert wants(["order.created"], "order.created")
    assert not wants(["order.delivered"], "order.created")
