"""Reads public instances of routing problems, in the formats of Solomon and of Li and Lim."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from pathlib import Path

from backend.bench.route_check import Node, Problem
from backend.settings import SettingsError


@dataclass(frozen=True, slots=True)
class BestKnown:
    """The best published cost, and its vehicles where they count before the distance."""

    cost: float
    vehicles: int | None


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem with its places; distances are Euclidean, and take as long as they are far."""

    name: str
    places: Sequence[tuple[float, float]]
    problem: Problem
    best: BestKnown | None

    @property
    def with_pickups(self) -> bool:
        """Whether parcels are fetched on the way."""
        return bool(self.problem.pairs)


def read_instances(folder: Path) -> list[Instance]:
    """Every `*.txt` below the folder, with what `best_known.json` there says of it."""
    files = sorted(folder.rglob("*.txt"))
    if not files:
        raise SettingsError(f"there are no instances (*.txt) below {folder}")
    known = folder / "best_known.json"
    costs = json.loads(known.read_text()) if known.exists() else {}
    return [read_instance(file.stem, file.read_text(), _best(costs, file.stem)) for file in files]


def _best(costs: dict[str, dict[str, float]], name: str) -> BestKnown | None:
    """The least distance where that was published, else the least with the fewest vehicles."""
    if (least := costs.get(f"{name}_distance")) is not None:
        return BestKnown(least["best_known_cost"], None)
    if (fewest := costs.get(name)) is not None:
        return BestKnown(fewest["best_known_cost"], int(fewest["vehicles"]))
    return None


def read_instance(name: str, text: str, best: BestKnown | None = None) -> Instance:
    """An instance in either format; raises SettingsError for a file in neither."""
    rows = [_numbers(line) for line in text.splitlines()]
    numbers = [row for row in rows if row]
    try:
        if len(numbers[0]) == 3 and len(numbers[1]) == 9:
            return _pickups_and_deliveries(name, numbers, best)
        if len(numbers[0]) == 2 and len(numbers[1]) == 7:
            return _deliveries(name, numbers, best)
    except IndexError:
        pass
    raise SettingsError(f"{name}: neither Solomon's nor Li and Lim's format")


def _numbers(line: str) -> list[float]:
    """The numbers of a line; none of one with anything else in it."""
    try:
        return [float(word) for word in line.split()]
    except ValueError:
        return []


def _deliveries(name: str, rows: list[list[float]], best: BestKnown | None) -> Instance:
    """`vehicles capacity`, then `number x y demand ready due service`, the depot first.

    Everything is loaded at the depot.
    """
    (vehicles, capacity), *places = rows
    nodes = [Node(row[4], row[5], row[6], -row[3]) for row in places]
    return _instance(name, places, nodes, capacity, vehicles, {}, None, best)


def _pickups_and_deliveries(name: str, rows: list[list[float]], best: BestKnown | None) -> Instance:
    """`vehicles capacity speed`, then `task x y demand ready due service pickup delivery`.

    A delivery names its pickup, a pickup its delivery; 0 stands for none.
    """
    (vehicles, capacity, _), *places = rows
    nodes = [Node(row[4], row[5], row[6], row[3]) for row in places]
    pairs = {int(row[0]): int(row[7]) for row in places if row[7]}
    return _instance(name, places, nodes, capacity, vehicles, pairs, 0.0, best)


def _instance(
    name: str,
    rows: list[list[float]],
    nodes: list[Node],
    capacity: float,
    vehicles: float,
    pairs: dict[int, int],
    loaded: float | None,
    best: BestKnown | None,
) -> Instance:
    if [int(row[0]) for row in rows] != list(range(len(rows))):
        raise SettingsError(f"{name}: the places are not numbered from 0 on")
    places = [(row[1], row[2]) for row in rows]

    def way(a: int, b: int) -> float:
        return hypot(places[a][0] - places[b][0], places[a][1] - places[b][1])

    problem = Problem(nodes, way, capacity, int(vehicles), pairs, loaded=loaded)
    return Instance(name, places, problem, best)
