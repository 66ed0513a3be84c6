"""When a sample is bad, when that is told, and when it is taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.insights.definitions import Detector, detectors
from backend.insights.detector_rules import Signal, Thresholds, advance
from backend.insights.readings import READERS

START = datetime(2026, 11, 1, tzinfo=UTC)
LIMITS = Thresholds(fire=0.2, clear=0.1, for_s=10, clear_for_s=30, least=3)


def run(*samples: float, every_s: float = 5, limits: Thresholds = LIMITS) -> list[tuple[int, str]]:
    """What was told at which sample."""
    signal: Signal | None = None
    told = []
    for number, value in enumerate(samples):
        at = START + timedelta(seconds=number * every_s)
        signal, news = advance(signal, value, 10, limits, at)
        if news is not None:
            told.append((number, news))
    return told


def test_bad_samples_are_told_once_they_have_lasted() -> None:
    assert run(0, 0.3, 0.3) == []
    assert run(0, 0.3, 0.3, 0.3, 0.3, 0.3) == [(3, "fired")]


def test_one_good_sample_begins_the_wait_anew() -> None:
    assert run(0.3, 0.3, 0.0, 0.3, 0.3) == []
    assert run(0.3, 0.3, 0.0, 0.3, 0.3, 0.3) == [(5, "fired")]


def test_between_the_thresholds_a_signal_stays_what_it_was() -> None:
    assert run(0.15, 0.15, 0.15, 0.15) == []
    assert run(0.3, 0.15, 0.15) == [(2, "fired")]
    assert run(*[0.3] * 3, *[0.15] * 20) == [(2, "fired")]


def test_it_is_taken_back_after_good_samples_that_lasted() -> None:
    assert run(*[0.3] * 3, *[0.0] * 6) == [(2, "fired")]
    assert run(*[0.3] * 3, *[0.0] * 7) == [(2, "fired"), (9, "cleared")]


def test_flapping_inside_the_delay_is_one_alert() -> None:
    assert run(*[0.3] * 3, *[0.0, 0.0, 0.3] * 5, *[0.0] * 7) == [(2, "fired"), (24, "cleared")]


def test_a_share_of_very_few_means_nothing() -> None:
    signal, news = advance(None, 1.0, 2, LIMITS, START)
    assert (signal.bad, news) == (False, None)


def test_what_was_bad_stays_so_while_half_as_many_are() -> None:
    bad, _ = advance(None, 1.0, 3, LIMITS, START)
    later = START + timedelta(seconds=5)
    assert advance(bad, 1.0, 2, LIMITS, later)[0].bad
    assert not advance(bad, 1.0, 1, LIMITS, later)[0].bad


def test_the_impact_begins_with_the_first_bad_sample() -> None:
    signal, _ = advance(None, 0.3, 10, LIMITS, START)
    signal, news = advance(signal, 0.3, 10, LIMITS, START + timedelta(seconds=12))
    assert news == "fired"
    assert signal.started_at == START
    well = START + timedelta(seconds=60)
    signal, _ = advance(signal, 0.0, 0, LIMITS, well)
    signal, news = advance(signal, 0.0, 0, LIMITS, well + timedelta(seconds=40))
    assert news == "cleared"
    assert (signal.started_at, signal.since) == (START, well)


@given(st.lists(st.floats(0, 1), max_size=60))
def test_news_alternate_and_begin_with_a_firing(samples: list[float]) -> None:
    news = [what for _, what in run(*samples)]
    assert news == ["fired", "cleared"] * (len(news) // 2) + ["fired"] * (len(news) % 2)


def test_thresholds_are_the_nearest_regions() -> None:
    known = Detector(
        title="t", service="s", severity="SEV2", fire=0.2, clear=0.1, for_s=10, clear_for_s=30,
        regions={"IN": {"fire": 0.4}, "IN-KA": {"fire": 0.5, "for_s": 60}},
    )  # fmt: skip
    assert known.thresholds("TH-10").fire == 0.2
    assert known.thresholds("IN-DL").fire == 0.4
    here = known.thresholds("IN-KA.indiranagar")
    assert (here.fire, here.for_s, here.clear) == (0.5, 60, 0.1)


@pytest.mark.parametrize("name", list(READERS))
def test_every_detector_is_defined_and_can_be_taken_back(name: str) -> None:
    assert detectors()[name].clear <= detectors()[name].fire
    assert detectors().keys() == READERS.keys()
