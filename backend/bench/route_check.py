"""Checks routes against the definition of their problem, by arithmetic alone.

Written from the definitions of the vehicle routing problem with time windows (Solomon, 1987) and of
its pickup-and-delivery kind (Li and Lim, 2001); nothing here is shared with what makes the routes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

_EXACT = 1e-6


@dataclass(frozen=True, slots=True)
class Node:
    """A place: when service may begin at the earliest and latest, how long it takes, what is
    loaded (less than zero: unloaded).
    """

    ready: float
    due: float
    service: float
    load: float


@dataclass(frozen=True, slots=True)
class Problem:
    """Nodes, of which 0 is where every route begins, and what routes must keep.

    `pairs` leads from each delivery to its pickup. `loaded` is on board at the start, None where
    each route starts with whatever it unloads. A route that `comes_back` ends at node 0 by its due
    time. Times and distances are `way(a, b)`.
    """

    nodes: Sequence[Node]
    way: Callable[[int, int], float]
    capacity: float
    vehicles: int
    pairs: Mapping[int, int] = field(default_factory=dict)
    loaded: float | None = 0.0
    comes_back: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the routes measure, and everything that is wrong with them."""

    distance: float
    vehicles: int
    faults: list[str]


def check(problem: Problem, routes: Sequence[Sequence[int]]) -> Verdict:
    """Drive every route and look at every rule."""
    driven = [route for route in routes if route]
    faults = []
    if len(driven) > problem.vehicles:
        faults.append(f"{len(driven)} vehicles where there are {problem.vehicles}")
    seen = [node for route in driven for node in route]
    missing = set(range(1, len(problem.nodes))) - set(seen)
    if missing:
        faults.append(f"{len(missing)} places are not visited, as {min(missing)}")
    if len(seen) != len(set(seen)):
        faults.append("a place is visited twice")
    if 0 in seen:
        faults.append("the depot stands inside a route")
    distance = 0.0
    for number, route in enumerate(driven, 1):
        length, wrong = _drive(problem, route)
        distance += length
        faults += [f"route {number}: {fault}" for fault in wrong]
    return Verdict(distance, len(driven), faults)


def _drive(problem: Problem, route: Sequence[int]) -> tuple[float, list[str]]:
    nodes, faults = problem.nodes, []
    load = problem.loaded
    if load is None:
        load = -sum(nodes[node].load for node in route)
    if load > problem.capacity + _EXACT:
        faults.append(f"starts with {load} of {problem.capacity}")
    at, now, length = 0, nodes[0].ready, 0.0
    done: set[int] = set()
    for node in route:
        length += problem.way(at, node)
        now = max(now + problem.way(at, node), nodes[node].ready)
        if now > nodes[node].due + _EXACT:
            faults.append(f"place {node} begins at {now:.2f}, due {nodes[node].due:.2f}")
        if node in problem.pairs and problem.pairs[node] not in done:
            faults.append(f"place {node} is delivered before it is picked up")
        load += nodes[node].load
        if not -_EXACT <= load <= problem.capacity + _EXACT:
            faults.append(f"carries {load} of {problem.capacity} after place {node}")
        now += nodes[node].service
        done.add(node)
        at = node
    left = [
        delivery
        for delivery, pickup in problem.pairs.items()
        if pickup in done and delivery not in done
    ]
    if left:
        faults.append(f"place {left[0]} is not delivered by the route that picks up for it")
    if problem.comes_back:
        length += problem.way(at, 0)
        if now + problem.way(at, 0) > nodes[0].due + _EXACT:
            faults.append("comes back too late")
    return length, faults
