"""How fast a large city is matched, and how much dearer than the optimum over every pair."""

from __future__ import annotations

import statistics
from time import perf_counter
from uuid import UUID

import numpy as np

from backend.bench.report import Figure
from backend.dispatch.matching import Weighed, match, weigh
from backend.dispatch.matching_rules import Fleet, Ints, OpenOrders, pairs_of, worth_s
from backend.dispatch.travel import speeds_m_s

ORDERS = 1_000
DRIVERS = 5_000
_ROUNDS = 7
_CITIES = 3
_HOUR = 9
_CENTRE = (13.7456, 100.5341)
_SKILLS = ("cold", "id_check", "stairs")
_SHOPS = 40


def bench_matching() -> list[Figure]:
    """Match generated cities with candidate search, and compare with the dense optimum."""
    times, ratios, pairs = [], [], []
    for seed in range(_CITIES):
        orders, fleet = generated_city(np.random.default_rng(seed), ORDERS, DRIVERS)
        speeds, nobody = speeds_m_s(_HOUR), np.empty(0, dtype=np.int64)
        for _ in range(_ROUNDS):
            began = perf_counter()
            weighed = weigh(orders, fleet, speeds, nobody)
            chosen = match(orders, fleet, weighed)
            times.append(perf_counter() - began)
        pairs.append(len(weighed.pairs.order))
        every = pairs_of(
            orders, fleet, np.repeat(np.arange(ORDERS), DRIVERS),
            np.tile(np.arange(DRIVERS), ORDERS), speeds,
        )  # fmt: skip
        whole = weigh(orders, fleet, speeds, nobody, pairs=every)
        optimum = match(orders, fleet, whole, dense=True)
        ratios.append(_cost(orders, weighed, chosen) / _cost(orders, whole, optimum))
    return [
        Figure(
            f"matching {ORDERS:,} orders with {DRIVERS:,} drivers", statistics.median(times), "s",
            "< 1", f"slowest {max(times):.2f} s, candidate search included",
        ),
        Figure("pairs weighed up", statistics.mean(pairs), "", "", f"of {ORDERS * DRIVERS:,}"),
        Figure(
            "cost to the dense optimum", max(ratios), "", "<= 1.01",
            f"worst of {_CITIES} cities, over all {ORDERS * DRIVERS:,} pairs",
        ),
    ]  # fmt: skip


def _cost(orders: OpenOrders, weighed: Weighed, chosen: Ints) -> float:
    """What an assignment costs, the orders left over at their worth."""
    left = worth_s(orders)[chosen < 0].sum()
    return float(weighed.total[chosen[chosen >= 0]].sum() + left)


def generated_city(rng: np.random.Generator, orders: int, drivers: int) -> tuple[OpenOrders, Fleet]:
    """A city at noon: shops in clusters, drivers all over it, loads, skills and batteries mixed."""
    lat, lon = _CENTRE
    shops = rng.normal(0, 0.06, (_SHOPS, 2))
    shop = rng.integers(0, _SHOPS, orders)
    vehicle = rng.choice(3, drivers, p=(0.7, 0.25, 0.05))
    most = np.array([6, 40, 80])[vehicle]
    fleet = Fleet(
        ids=[UUID(int=n + 1) for n in range(drivers)],
        codes=[f"DRV-{n:05}" for n in range(drivers)],
        vehicle=vehicle,
        lat=lat + rng.normal(0, 0.09, drivers),
        lon=lon + rng.normal(0, 0.09, drivers),
        heard=rng.random(drivers) < 0.97,
        on_shift=np.ones(drivers, dtype=bool),
        battery=rng.beta(5, 2, drivers),
        orders=rng.binomial(most, 0.4),
        weight_g=rng.integers(0, 20_000, drivers),
        volume_cm3=rng.integers(0, 100_000, drivers),
        most_orders=most,
        most_weight_g=np.array([30_000, 900_000, 5_000_000])[vehicle],
        most_volume_cm3=np.array([150_000, 7_000_000, 25_000_000])[vehicle],
        open_offers=rng.binomial(3, 0.2, drivers),
        given=rng.poisson(9, drivers),
        shift_left_s=rng.uniform(600, 30_000, drivers),
        skills=[frozenset(s for s in _SKILLS if rng.random() < 0.4) for _ in range(drivers)],
    )
    waiting = OpenOrders(
        ids=[UUID(int=n + 1) for n in range(orders)],
        lat=lat + shops[shop, 0] + rng.normal(0, 0.01, orders),
        lon=lon + shops[shop, 1] + rng.normal(0, 0.01, orders),
        drop_lat=lat + rng.normal(0, 0.07, orders),
        drop_lon=lon + rng.normal(0, 0.07, orders),
        vehicle=rng.choice(np.array([-1, 0, 1, 2]), orders, p=(0.85, 0.08, 0.06, 0.01)),
        weight_g=rng.integers(200, 8_000, orders),
        volume_cm3=rng.integers(500, 40_000, orders),
        skills=[frozenset(s for s in _SKILLS if rng.random() < 0.05) for _ in range(orders)],
        ready_in_s=np.maximum(0, rng.normal(0, 500, orders)),
        due_in_s=rng.uniform(1_500, 14_000, orders),
        waited_s=rng.exponential(30, orders),
        express=rng.random(orders) < 0.2,
    )
    return waiting, fleet
