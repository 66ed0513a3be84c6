"""The checker of routes passes what the definitions allow and names what they forbid."""

from __future__ import annotations

import multiprocessing
from math import sqrt
from pathlib import Path

import pytest

from backend.bench.dispatch_instances import read_instance, read_instances
from backend.bench.dispatch_routes import solve
from backend.bench.route_check import check
from backend.settings import SettingsError

DELIVERIES = """tiny

VEHICLE
NUMBER     CAPACITY
  2          10

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE TIME

    0       0          0          0          0        100          0
    1       3          4          6          0         10          5
    2       6          8          4         20         30          5
    3       0          5          5          0        100          5
"""
PICKUPS = """2\t10\t1
0\t0\t0\t0\t0\t100\t0\t0\t0
1\t3\t4\t6\t0\t10\t5\t0\t2
2\t6\t8\t-6\t0\t100\t5\t1\t0
3\t0\t5\t5\t0\t100\t5\t0\t4
4\t0\t10\t-5\t0\t100\t5\t3\t0
"""


def faults(text: str, routes: list[list[int]]) -> list[str]:
    return check(read_instance("tiny", text).problem, routes).faults


def test_a_good_solution_passes_with_its_length() -> None:
    verdict = check(read_instance("tiny", DELIVERIES).problem, [[1, 2], [3], []])
    assert verdict.faults == []
    assert (verdict.distance, verdict.vehicles) == (5 + 5 + 10 + 10, 2)


@pytest.mark.parametrize(
    ("routes", "fault"),
    [
        ([[1, 2]], "1 places are not visited, as 3"),
        ([[1, 2], [3], [3]], "3 vehicles where there are 2"),
        ([[1, 2], [3, 3]], "a place is visited twice"),
        ([[1, 2, 3]], "route 1: starts with 15.0 of 10.0"),
        ([[2, 1], [3]], "route 1: place 1 begins at 30.00, due 10.00"),
        ([[1, 0, 2], [3]], "the depot stands inside a route"),
    ],
)
def test_what_breaks_a_rule_of_deliveries_is_named(routes: list[list[int]], fault: str) -> None:
    assert fault in faults(DELIVERIES, routes)


@pytest.mark.parametrize(
    ("routes", "fault"),
    [
        ([[2, 1], [3, 4]], "route 1: place 2 is delivered before it is picked up"),
        ([[1, 3, 2, 4]], "route 1: carries 11.0 of 10.0 after place 3"),
        ([[1, 4], [3, 2]], "route 1: place 2 is not delivered by the route that picks up for it"),
        ([[3, 4, 1, 2]], "route 1: place 1 begins at"),
    ],
)
def test_what_breaks_a_rule_of_pickups_is_named(routes: list[list[int]], fault: str) -> None:
    assert any(told.startswith(fault) for told in faults(PICKUPS, routes))


def test_coming_back_too_late_is_a_fault() -> None:
    late = PICKUPS.replace("0\t0\t0\t0\t0\t100\t0\t0\t0", "0\t0\t0\t0\t0\t20\t0\t0\t0")
    assert any("comes back too late" in told for told in faults(late, [[1, 2], [3, 4]]))


def test_a_file_in_no_known_format_is_refused() -> None:
    with pytest.raises(SettingsError, match="neither"):
        read_instance("odd", "one two three\n1 2 3 4\n")


@pytest.mark.parametrize("text", [DELIVERIES, PICKUPS])
def test_the_solver_finds_the_optimum_of_a_tiny_instance(tmp_path: Path, text: str) -> None:
    (tmp_path / "tiny.txt").write_text(text)
    (tmp_path / "best_known.json").write_text('{"tiny": {"best_known_cost": 30, "vehicles": 2}}')
    [instance] = read_instances(tmp_path)
    assert instance.best is not None
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        routes = pool.apply(solve, ("tiny", tmp_path, 0.2, 1))
    verdict = check(instance.problem, routes)
    assert verdict.faults == []
    if text is DELIVERIES:
        assert verdict.distance == pytest.approx(30)
    else:
        assert verdict.distance <= 20 + 10 + 10 + sqrt(6 * 6 + 2 * 2) + 5
