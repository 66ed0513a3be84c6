"""How good routes are on public instances after a fixed time, checked by rules of our own."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from backend.bench.dispatch_instances import Instance, read_instances
from backend.bench.report import Figure
from backend.bench.route_check import Verdict, check
from backend.settings import SettingsError

# PyVRP's penalties have a bound that data on a much finer scale would run into.
_SCALE = 1_000
_LARGE_S, _SMALL_S = 60.0, 10.0
_LARGE = 500
_LARGE_GAP, _SMALL_GAP = 3.0, 1.0


def bench_routes(folder: Path, seconds: float | None = None) -> list[Figure]:
    """Solve every instance, 60 s for large ones and 10 s for others, or so many `seconds` each.

    On two cores: one looks among as few vehicles as the best known has, where these count first,
    the other among all.
    """
    figures = []
    context = multiprocessing.get_context("spawn")
    cores = os.cpu_count() or 1
    gaps: dict[bool, list[float]] = {True: [], False: []}
    with ProcessPoolExecutor(min(2, cores), mp_context=context) as pool:
        for instance in read_instances(folder):
            large = len(instance.places) > _LARGE
            limit = seconds or (_LARGE_S if large else _SMALL_S)
            fewest = instance.best.vehicles if instance.best else None
            runs = [
                pool.submit(solve, instance.name, folder, limit, seed, most)
                for seed, most in ((1, fewest), (2, None))
            ]
            found = _feasible(instance, (run.result() for run in runs))
            figures.append(_figure(instance, found, limit))
            if instance.best is not None:
                gaps[large].append(_gap(instance, found[0]))
    return [*figures, *_summary(gaps)]


def _feasible(instance: Instance, found: Iterable[list[list[int]]]) -> list[Verdict]:
    """Those that the checker passes: with no more vehicles than the best known, then shortest.

    Raises SettingsError where it passes none.
    """
    verdicts = [check(instance.problem, routes) for routes in found]
    good = [verdict for verdict in verdicts if not verdict.faults]
    if not good:
        raise SettingsError(f"{instance.name}: no feasible routes, {verdicts[0].faults[0]}")
    fewest = instance.best.vehicles if instance.best else None
    return sorted(
        good, key=lambda one: (fewest is not None and one.vehicles > fewest, one.distance)
    )


def _gap(instance: Instance, verdict: Verdict) -> float:
    assert instance.best is not None
    return (verdict.distance / instance.best.cost - 1) * 100


def _figure(instance: Instance, found: list[Verdict], seconds: float) -> Figure:
    verdict, shortest = found[0], min(found, key=lambda one: one.distance)
    kind = "pickups and deliveries" if instance.with_pickups else "deliveries"
    name = f"{instance.name}, {len(instance.places) - 1} {kind}, {seconds:.0f} s"
    if instance.best is None:
        return Figure(name, verdict.distance, "", "", f"{verdict.vehicles} vehicles, feasible")
    told = f"{verdict.distance:,.2f} with {verdict.vehicles} vehicles, best {instance.best.cost:,}"
    if instance.best.vehicles is not None:
        told += f" with {instance.best.vehicles}"
        if shortest is not verdict:
            told += f"; {shortest.distance:,.2f} with {shortest.vehicles}"
    wanted = _LARGE_GAP if len(instance.places) > _LARGE else _SMALL_GAP
    return Figure(name, _gap(instance, verdict), "% over", f"<= {wanted:.0f}", told)


def _summary(gaps: dict[bool, list[float]]) -> list[Figure]:
    return [
        Figure(name, float(np.mean(found)), "% over", f"<= {wanted:.0f}", f"{len(found)} instances")
        for large, name, wanted in (
            (True, "large instances, mean gap", _LARGE_GAP),
            (False, "small instances, mean gap", _SMALL_GAP),
        )
        if (found := gaps[large])
    ]


def solve(
    name: str, folder: Path, seconds: float, seed: int, most_vehicles: int | None = None
) -> list[list[int]]:
    """Routes of the named instance as lists of places, the depot left out.

    PyVRP counts in whole numbers: distances are rounded, times rounded up, so that what keeps a
    window there keeps it in exact arithmetic too.
    """
    from pyvrp import ActivityType
    from pyvrp import solve as search
    from pyvrp.exceptions import PenaltyBoundWarning
    from pyvrp.stop import MaxRuntime

    # It warns where feasible routes are hard to find; the checker says whether any were.
    warnings.simplefilter("ignore", PenaltyBoundWarning)
    [instance] = [one for one in read_instances(folder) if one.name == name]
    data, pickups, drops = _data(instance, most_vehicles or instance.problem.vehicles)
    best = search(data, MaxRuntime(seconds), seed=seed, collect_stats=False).best
    place_of = {
        ActivityType.CLIENT: drops,
        ActivityType.PICKUP: pickups,
        ActivityType.DELIVERY: drops,
    }
    return [
        [place_of[step.type][step.idx] for step in route if not step.is_depot()]
        for route in best.routes()
    ]


def _data(instance: Instance, vehicles: int) -> tuple[Any, list[int], list[int]]:
    """The problem for PyVRP, and the places of its pickups and of its drops, in order."""
    from pyvrp import Client, Depot, Location, ProblemData, Shipment, VehicleType

    problem, nodes = instance.problem, instance.problem.nodes
    at = np.array(instance.places)
    exact = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) * _SCALE
    distances: Any = np.rint(exact).astype(np.int64)
    durations: Any = np.ceil(exact - 1e-6).astype(np.int64)

    def scaled(value: float) -> int:
        return round(value * _SCALE)

    deliveries = sorted(problem.pairs)
    pickups = [problem.pairs[place] for place in deliveries]
    drops = deliveries or list(range(1, len(nodes)))
    clients = [
        Client(
            place, [round(-nodes[place].load)], [], scaled(nodes[place].service),
            scaled(nodes[place].ready), scaled(nodes[place].due),
        )
        for place in (() if deliveries else drops)
    ]  # fmt: skip
    shipments = [
        Shipment(
            pickup, drop,
            scaled(nodes[pickup].ready), scaled(nodes[pickup].due), scaled(nodes[pickup].service),
            scaled(nodes[drop].ready), scaled(nodes[drop].due), scaled(nodes[drop].service),
            [round(nodes[pickup].load)],
        )
        for pickup, drop in zip(pickups, deliveries, strict=True)
    ]  # fmt: skip
    vehicle = VehicleType(
        vehicles, [round(problem.capacity)],
        tw_early=scaled(nodes[0].ready), tw_late=scaled(nodes[0].due),
    )  # fmt: skip
    data = ProblemData(
        [Location(x, y) for x, y in instance.places],
        clients,
        [Depot(0)],
        [vehicle],
        [distances],
        [durations],
        shipments=shipments,
    )
    return data, pickups, drops
