"""What wants somebody's attention, and in which order."""

from __future__ import annotations

import pytest

from backend.insights.rules import CityFacts, findings


def city(**facts: object) -> CityFacts:
    values: dict[str, object] = {
        "region": "TH-10", "name": "Bangkok", "live": 20, "stale": 0, "offline": 0,
        "low_battery": 0, "newest_age_s": 1.0,
    }  # fmt: skip
    return CityFacts(**{**values, **facts})  # type: ignore[arg-type]


def kinds(*cities: CityFacts, lag: int = 0) -> list[str]:
    return [found.kind for found in findings(cities, lag)]


def test_a_quiet_day_needs_nobody() -> None:
    assert kinds(city(), city(live=0), lag=100) == []


def test_a_silent_city_is_one_critical_finding_and_not_one_for_each_driver() -> None:
    [found] = findings([city(live=0, offline=12, newest_age_s=900.0)], 0)
    assert (found.kind, found.severity, found.for_s) == ("silent_city", "critical", 900.0)
    assert found.title == "Bangkok is silent"
    assert "12 drivers" in found.detail


def test_offline_drivers_are_named_the_first_of_them() -> None:
    [found] = findings([city(offline=5, longest_silent=("DRV-1", "DRV-2", "DRV-3"))], 0)
    assert found.title == "5 drivers offline on shift in Bangkok"
    assert found.detail == "DRV-1, DRV-2, DRV-3 and 2 more"
    assert (found.region, found.status) == ("TH-10", "offline")


@pytest.mark.parametrize(
    ("live", "stale", "wanted"), [(20, 3, []), (2, 2, []), (10, 3, ["stale"]), (0, 3, ["stale"])]
)
def test_stale_drivers_count_when_they_are_many_of_the_city(
    live: int, stale: int, wanted: list[str]
) -> None:
    assert kinds(city(live=live, stale=stale)) == wanted


@pytest.mark.parametrize(
    ("accepted", "refused", "wanted"),
    [(0, 19, []), (0, 20, ["refusals"]), (1000, 50, []), (900, 50, ["refusals"])],
)
def test_refusals_count_when_they_are_a_good_part_of_what_is_sent(
    accepted: int, refused: int, wanted: list[str]
) -> None:
    facts = city(accepted_last_hour=accepted, refused_last_hour=refused, refused_mostly="in_future")
    assert kinds(facts) == wanted
    if wanted:
        assert "in future" in findings([facts], 0)[0].detail


def test_the_worst_comes_first_and_the_larger_before_the_smaller() -> None:
    found = kinds(
        city(low_battery=9),
        city(offline=2),
        city(region="SG-01", name="Singapore", offline=4),
        city(region="BD-13", name="Dhaka", live=0, offline=1),
        lag=3_000,
    )
    assert found == ["silent_city", "behind", "offline", "offline", "low_battery"]
    assert kinds(lag=30_000) == ["behind"]
