"""Burn rates and budgets against figures reckoned by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.insights.slo_rules import PAIRS, WINDOWS, Tally, budget_left, burn_rate, burning

QUIET = {window: Tally(100_000, 100_000) for window in WINDOWS}


def series(**bad: tuple[int, int]) -> dict[str, Tally]:
    """Windows in which nothing was bad, but for those given as (valid, bad)."""
    named = {"m5": "5m", "m30": "30m", "h1": "1h", "h2": "2h", "h6": "6h", "d1": "1d", "d3": "3d"}
    given = {named[name]: Tally(valid, valid - lost) for name, (valid, lost) in bad.items()}
    return {**QUIET, **given}


@pytest.mark.parametrize(
    ("valid", "bad", "target", "rate"),
    [
        (1_000, 1, 0.999, 1.0),
        (10_000, 144, 0.999, 14.4),
        (100, 6, 0.99, 6.0),
        (200, 10, 0.95, 1.0),
        (50, 50, 0.99, 100.0),
        (50, 0, 0.99, 0.0),
    ],
)
def test_a_burn_rate_is_the_bad_share_over_the_allowed_share(
    valid: int, bad: int, target: float, rate: float
) -> None:
    assert burn_rate(Tally(valid, valid - bad), target) == pytest.approx(rate)


def test_nothing_counted_has_no_rate_and_no_budget() -> None:
    assert burn_rate(Tally(), 0.999) is None
    assert budget_left(Tally(), 0.999) is None
    assert burning({}, 0.999, 1) is None


def test_an_overspent_budget_is_told_below_zero() -> None:
    # 1,000,000 requests at 99.9 % allow 1,000 bad ones.
    assert budget_left(Tally(1_000_000, 999_750), 0.999) == pytest.approx(0.75)
    assert budget_left(Tally(1_000_000, 999_000), 0.999) == pytest.approx(0.0)
    assert budget_left(Tally(1_000_000, 996_000), 0.999) == pytest.approx(-3.0)


@pytest.mark.parametrize(
    ("windows", "alarm", "pair"),
    [
        # 15 in 1,000 at 99.9 % is 15 times too fast, in both windows of the first pair.
        (series(h1=(12_000, 180), m5=(1_000, 15)), "page", ("1h", "5m")),
        # The hour burnt, but the last five minutes are clean: it is over.
        (series(h1=(12_000, 180), m5=(1_000, 0)), None, None),
        # The last five minutes alone, in an hour that is well: 60 of 12,000 is 5 times.
        (series(h1=(12_000, 60), m5=(1_000, 60)), None, None),
        (series(h6=(72_000, 504), m30=(6_000, 42)), "page", ("6h", "30m")),
        (series(d1=(288_000, 900), h2=(24_000, 75)), "ticket", ("1d", "2h")),
        (series(d3=(864_000, 900), h6=(72_000, 73)), "ticket", ("3d", "6h")),
        (series(d3=(864_000, 800), h6=(72_000, 73)), None, None),
        (series(), None, None),
    ],
)
def test_both_windows_of_a_pair_have_to_burn(
    windows: dict[str, Tally], alarm: str | None, pair: tuple[str, str] | None
) -> None:
    found = burning(windows, 0.999, least_bad=10)
    assert (found.pair.alarm if found else None) == alarm
    assert ((found.pair.long, found.pair.short) if found else None) == pair


def test_the_fastest_pair_is_the_one_that_is_told() -> None:
    worst = series(
        m5=(1_000, 100), m30=(6_000, 600), h1=(12_000, 1_200), h2=(24_000, 1_200),
        h6=(72_000, 1_200), d1=(288_000, 1_200), d3=(864_000, 1_200),
    )  # fmt: skip
    found = burning(worst, 0.999, least_bad=10)
    assert found is not None
    assert (found.pair.rate, found.rate) == (14.4, pytest.approx(100.0))
    assert found.in_words == "100.0 times too fast over 1h and 5m"


def test_a_few_bad_things_at_night_wake_nobody() -> None:
    night = series(h1=(40, 9), m5=(4, 1))
    assert burning(night, 0.999, least_bad=10) is None
    assert burning(night, 0.999, least_bad=9) is not None


@given(st.integers(1, 10**6), st.floats(0.5, 0.9999), st.data())
def test_a_window_at_exactly_the_targets_share_spends_the_whole_budget(
    valid: int, target: float, data: st.DataObject
) -> None:
    bad = data.draw(st.integers(0, valid))
    counted = Tally(valid, valid - bad)
    rate, left = burn_rate(counted, target), budget_left(counted, target)
    assert rate is not None
    assert left == pytest.approx(1 - rate)
    assert rate == pytest.approx((bad / valid) / (1 - target))


def test_the_pairs_are_those_agreed() -> None:
    assert [(pair.alarm, pair.rate, pair.long, pair.short) for pair in PAIRS] == [
        ("page", 14.4, "1h", "5m"),
        ("page", 6.0, "6h", "30m"),
        ("ticket", 3.0, "1d", "2h"),
        ("ticket", 1.0, "3d", "6h"),
    ]
