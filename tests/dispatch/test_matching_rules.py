"""Matching breaks no hard constraint and chooses at the least cost, whatever the city is like."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.dispatch import candidates
from backend.dispatch.assignment import assign
from backend.dispatch.matching import also_asked, match, weigh
from backend.dispatch.matching_rules import (
    MOST_OPEN_OFFERS,
    REACH_S,
    Fleet,
    Ints,
    OpenOrders,
    costs_of,
    pairs_of,
    reasons_of,
    worth_s,
)
from backend.dispatch.travel import speeds_m_s

SPEEDS = speeds_m_s(9)
NOBODY: Ints = np.empty(0, dtype=np.int64)
SKILLS = ("cold", "id_check", "stairs")


def fleet(count: int, rng: np.random.Generator) -> Fleet:
    """Drivers about Bangkok, a good part of them unfit for something."""
    most = rng.integers(1, 6, count)
    return Fleet(
        ids=[UUID(int=n + 1) for n in range(count)],
        codes=[f"D{n}" for n in range(count)],
        vehicle=rng.integers(0, 3, count),
        lat=13.75 + rng.normal(0, 0.08, count),
        lon=100.5 + rng.normal(0, 0.08, count),
        heard=rng.random(count) < 0.9,
        on_shift=rng.random(count) < 0.9,
        battery=np.where(rng.random(count) < 0.2, np.nan, rng.random(count)),
        orders=rng.integers(0, 6, count),
        weight_g=rng.integers(0, 20_000, count),
        volume_cm3=rng.integers(0, 50_000, count),
        most_orders=most,
        most_weight_g=rng.integers(5_000, 40_000, count),
        most_volume_cm3=rng.integers(20_000, 150_000, count),
        open_offers=rng.integers(0, 4, count),
        given=rng.integers(0, 30, count),
        shift_left_s=np.where(rng.random(count) < 0.3, np.inf, rng.uniform(0, 20_000, count)),
        skills=[frozenset(s for s in SKILLS if rng.random() < 0.5) for _ in range(count)],
    )


def orders(count: int, rng: np.random.Generator) -> OpenOrders:
    """Orders about Bangkok, some with wishes."""
    return OpenOrders(
        ids=[UUID(int=n + 1) for n in range(count)],
        lat=13.75 + rng.normal(0, 0.06, count),
        lon=100.5 + rng.normal(0, 0.06, count),
        drop_lat=13.75 + rng.normal(0, 0.08, count),
        drop_lon=100.5 + rng.normal(0, 0.08, count),
        vehicle=rng.choice(np.array([-1, -1, -1, 0, 1, 2]), count),
        weight_g=rng.integers(100, 15_000, count),
        volume_cm3=rng.integers(100, 50_000, count),
        skills=[frozenset(s for s in SKILLS if rng.random() < 0.15) for _ in range(count)],
        ready_in_s=np.maximum(0, rng.normal(0, 600, count)),
        due_in_s=rng.uniform(-600, 9_000, count),
        waited_s=rng.uniform(0, 5_000, count),
        express=rng.random(count) < 0.3,
    )


seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, many=st.integers(1, 30), drivers=st.integers(1, 60), by_rings=st.booleans())
def test_no_chosen_pair_breaks_a_constraint(
    seed: int, many: int, drivers: int, by_rings: bool
) -> None:
    rng = np.random.default_rng(seed)
    city, waiting = fleet(drivers, rng), orders(many, rng)
    cooling = np.unique(rng.integers(0, many * drivers, many * drivers // 4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "_ALL_PAIRS", 0 if by_rings else 10**9)
        weighed = weigh(waiting, city, SPEEDS, cooling)
    chosen = match(waiting, city, weighed)
    more = also_asked(waiting, weighed, chosen, 2)
    pairs = [int(pair) for pair in chosen if pair >= 0] + [p for ps in more.values() for p in ps]
    asked = [int(weighed.pairs.driver[pair]) for pair in pairs]
    assert len(set(asked)) == len(asked), "one driver got two orders at once"
    for pair in pairs:
        o, d = int(weighed.pairs.order[pair]), int(weighed.pairs.driver[pair])
        assert city.on_shift[d]
        assert city.heard[d]
        assert waiting.vehicle[o] in (-1, city.vehicle[d])
        assert waiting.skills[o] <= city.skills[d]
        assert city.orders[d] + 1 <= city.most_orders[d]
        assert city.weight_g[d] + waiting.weight_g[o] <= city.most_weight_g[d]
        assert city.volume_cm3[d] + waiting.volume_cm3[o] <= city.most_volume_cm3[d]
        assert city.open_offers[d] < MOST_OPEN_OFFERS
        assert o * drivers + d not in cooling
        assert weighed.pairs.seconds[pair] <= REACH_S
        assert weighed.pairs.seconds[pair] <= city.shift_left_s[d]


@given(seed=seeds, many=st.integers(1, 25), drivers=st.integers(1, 25), share=st.floats(0, 1))
def test_sparse_and_dense_assignments_cost_the_same(
    seed: int, many: int, drivers: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    order, driver = np.nonzero(rng.random((many, drivers)) < share)
    cost = rng.uniform(1, 50_000, len(order))
    worth = rng.uniform(20_000, 50_000, many)

    def whole(chosen: Ints) -> float:
        left = np.ones(many, dtype=bool)
        left[order[chosen]] = False
        assert len(set(order[chosen])) == len(set(driver[chosen])) == len(chosen)
        return float(cost[chosen].sum() + worth[left].sum())

    sparse = assign(order, driver, cost, worth, drivers, dense=False)
    dense = assign(order, driver, cost, worth, drivers, dense=True)
    assert whole(sparse) == pytest.approx(whole(dense))


@given(seed=seeds, many=st.integers(1, 4), drivers=st.integers(1, 4))
def test_the_assignment_is_the_cheapest_of_all(seed: int, many: int, drivers: int) -> None:
    rng = np.random.default_rng(seed)
    order, driver = np.nonzero(rng.random((many, drivers)) < 0.7)
    cost, worth = rng.uniform(1, 100, len(order)), rng.uniform(50, 100, many)

    def cheapest(left: list[int], taken: frozenset[int]) -> float:
        if not left:
            return 0.0
        first, rest = left[0], left[1:]
        ways = [worth[first] + cheapest(rest, taken)]
        ways += [
            cost[pair] + cheapest(rest, taken | {int(driver[pair])})
            for pair in np.flatnonzero(order == first)
            if int(driver[pair]) not in taken
        ]
        return float(min(ways))

    chosen = assign(order, driver, cost, worth, drivers)
    left = set(range(many)) - set(order[chosen].tolist())
    found = cost[chosen].sum() + sum(worth[n] for n in left)
    assert found == pytest.approx(cheapest(list(range(many)), frozenset()))


def test_rings_find_nearly_the_optimum_of_every_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    city, waiting = fleet(1200, rng), orders(150, rng)

    def whole(all_pairs: int) -> tuple[float, int]:
        monkeypatch.setattr(candidates, "_ALL_PAIRS", all_pairs)
        weighed = weigh(waiting, city, SPEEDS, NOBODY)
        chosen = match(waiting, city, weighed)
        left = worth_s(waiting)[chosen < 0].sum()
        return float(weighed.total[chosen[chosen >= 0]].sum() + left), len(weighed.pairs.order)

    (near, few), (exact, every) = whole(0), whole(10**9)
    assert few < every
    assert exact <= near <= exact * 1.01


def _one(rng: np.random.Generator, count: int = 1) -> tuple[OpenOrders, Fleet]:
    return orders(1, rng), fleet(count, rng)


def test_every_reason_that_speaks_against_a_driver_is_told() -> None:
    rng = np.random.default_rng(3)
    waiting, city = _one(rng)
    waiting.vehicle[0], city.vehicle[0] = 1, 0
    city.on_shift[0] = city.heard[0] = False
    city.orders[0] = city.most_orders[0] = 3
    city.lat[0] = 15.0
    weighed = weigh(waiting, city, SPEEDS, np.array([0]))
    told = set(reasons_of(int(weighed.bits[0])))
    assert told >= {
        "off_shift", "not_heard", "vehicle", "orders_full", "cooling_down", "out_of_reach",
    }  # fmt: skip
    assert match(waiting, city, weighed).tolist() == [-1]


@given(seed=seeds)
def test_costs_grow_with_what_they_stand_for(seed: int) -> None:
    rng = np.random.default_rng(seed)
    waiting, city = _one(rng, 2)
    both = (np.array([0, 0]), np.array([0, 1]))
    city.lat[1], city.lon[1] = city.lat[0], city.lon[0]
    for name in ("vehicle", "orders", "given"):
        getattr(city, name)[1] = getattr(city, name)[0]
    city.battery[:] = (0.6, 0.05)
    city.given[1] += 5
    costs = costs_of(waiting, city, pairs_of(waiting, city, *both, SPEEDS), SPEEDS)
    assert costs.battery[0] == 0 < costs.battery[1]
    assert costs.fairness[1] > costs.fairness[0]
    assert costs.travel[0] == costs.travel[1]
    sooner = costs_of(waiting, city, pairs_of(waiting, city, *both, SPEEDS), SPEEDS)
    waiting.due_in_s[0] -= 3600
    later = costs_of(waiting, city, pairs_of(waiting, city, *both, SPEEDS), SPEEDS)
    assert (later.lateness >= sooner.lateness).all()


def test_who_has_waited_longest_gets_the_only_driver() -> None:
    rng = np.random.default_rng(5)
    waiting, city = orders(2, rng), fleet(1, rng)
    waiting.lat[:], waiting.lon[:] = city.lat[0], city.lon[0]
    waiting.drop_lat[:], waiting.drop_lon[:] = city.lat[0], city.lon[0]
    waiting.ready_in_s[:], waiting.due_in_s[:] = 0.0, 9_000.0
    waiting.waited_s[:] = (60.0, 1_800.0)
    chosen = assign(
        np.array([0, 1]), np.array([0, 0]), np.array([100.0, 300.0]), worth_s(waiting), 1
    )
    assert chosen.tolist() == [1]
