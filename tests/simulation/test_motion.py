"""A simulated day: never too fast, never a jump, and the same again from the same seed."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.regions.rules import contains, haversine_m
from backend.simulation.fixes import Fix
from backend.simulation.motion import MAX_SPEED, VEHICLES, Activity, Journey
from backend.simulation.places import City
from tests.simulation.world import CITIES

START = 1_790_000_000.0

journeys = st.builds(
    lambda city, hub, vehicle, seed, hour: Journey(
        city, city.hubs[hub % len(city.hubs)], vehicle, str(seed), START + hour * 3600
    ),
    st.sampled_from(CITIES),
    st.integers(0, 20),
    st.sampled_from(sorted(VEHICLES)),
    st.integers(0, 1 << 30),
    st.integers(0, 23),
)


def _drive(journey: Journey, hours: float, step: float = 4.0) -> list[Fix]:
    begin = journey.now
    samples = (journey.advance(begin + n * step) for n in range(1, int(hours * 3600 / step)))
    return [sample.fix for sample in samples if sample.fix is not None]


@settings(max_examples=25)
@given(journeys, st.floats(2.0, 6.0))
def test_nobody_moves_faster_than_a_vehicle_can(journey: Journey, step: float) -> None:
    fixes = _drive(journey, 1.5, step)
    for before, after in pairwise(fixes):
        elapsed = after.at - before.at
        assert elapsed > 0
        moved = haversine_m(before.lat, before.lon, after.lat, after.lon)
        # The receiver's error drifts on top of the drive.
        drift = 1.5 * (before.accuracy or 0) + 1.5 * (after.accuracy or 0)
        assert moved <= MAX_SPEED * elapsed + drift
        assert moved / elapsed < 40


@settings(max_examples=25)
@given(journeys)
def test_every_fix_is_one_a_phone_could_report(journey: Journey) -> None:
    for fix in _drive(journey, 1.0):
        assert fix.speed is not None
        assert 0 <= fix.speed <= MAX_SPEED
        assert fix.bearing is None or 0 <= fix.bearing < 360
        assert fix.accuracy is not None
        assert 1 < fix.accuracy < 60
        assert fix.battery is not None
        assert 0 <= fix.battery <= 1


def test_the_same_seed_lives_the_same_day() -> None:
    city = CITIES[0]
    first, second, other = (
        _drive(Journey(city, city.hubs[0], "bike", seed, START), 1.0) for seed in ("a", "a", "b")
    )
    assert first == second
    assert first != other


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.code)
def test_a_city_is_alive_and_its_drivers_stay_on_its_land(city: City) -> None:
    crew = [Journey(city, city.hubs[n % len(city.hubs)], "van", f"{n}", START) for n in range(24)]
    fixes = [fix for journey in crew for fix in _drive(journey, 1.0, 20)]
    outside = sum(not contains(city.polygons, fix.lat, fix.lon) for fix in fixes)
    assert outside / len(fixes) < 0.01
    assert sum((fix.speed or 0) > 1 for fix in fixes) / len(fixes) > 0.25
    assert {fix.seq for fix in fixes}


def test_a_long_day_holds_shifts_stops_breaks_and_silence() -> None:
    city = CITIES[6]
    seen: set[Activity] = set()
    silent = mute = low = 0
    for number in range(30):
        journey = Journey(city, city.hubs[0], "bike", f"day {number}", START)
        for step in range(1, 12 * 60):
            sample = journey.advance(START + step * 60)
            seen.add(journey.activity)
            assert sample.on_shift == (journey.activity is not Activity.OFF)
            assert sample.fix is None or sample.on_shift
            silent += sample.on_shift and sample.fix is None
            mute += sample.fix is not None and not sample.reachable
            low += sample.fix is not None and (sample.fix.battery or 0) < 0.15
    assert seen == set(Activity)
    assert min(silent, mute, low) > 0


def test_a_vehicle_speeds_up_and_brakes_within_its_means() -> None:
    city = CITIES[3]
    journey = Journey(city, city.hubs[1], "truck", "calm", START)
    speeds = [(f.at, f.speed or 0.0) for f in _drive(journey, 1.0, 1.0)]
    truck = VEHICLES["truck"]
    for (t1, before), (t2, after) in pairwise(speeds):
        if t2 - t1 == 1:
            # The receiver's speed is off by some tenths, and the last metre to a stop is rolled.
            assert after - before <= truck.accelerate + 2.5
            assert before - after <= 1.5 * truck.brake + 2.5


@given(st.sampled_from(CITIES), st.floats(-9000, 9000), st.floats(-9000, 9000))
def test_grid_and_ground_are_two_names_of_a_place(city: City, along: float, across: float) -> None:
    back = city.streets.to_grid(*city.streets.to_ground(along, across))
    assert back == pytest.approx((along, across), abs=0.05)


@settings(max_examples=60)
@given(st.sampled_from(CITIES), st.randoms(use_true_random=False))
def test_a_route_follows_streets_and_ends_at_its_goal(city: City, rng) -> None:  # type: ignore[no-untyped-def]
    start = (rng.uniform(-4000, 4000), rng.uniform(-4000, 4000))
    goal = (rng.uniform(-4000, 4000), rng.uniform(-4000, 4000))
    way = city.streets.route(start, goal, rng, lambda _: True)
    last = way[-1]
    assert abs(last.along - goal[0]) + abs(last.across - goal[1]) <= 1.5
    here = start
    for node in way:
        # Each stretch runs along one street: one coordinate stays.
        assert min(abs(node.along - here[0]), abs(node.across - here[1])) <= 1.01
        here = (node.along, node.across)
