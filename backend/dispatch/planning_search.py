"""A driver's tour as a problem for PyVRP: shipments, parcels on board, windows, an open end."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from pyvrp import (
    Activity,
    ActivityType,
    Client,
    Depot,
    Location,
    ProblemData,
    Route,
    Shipment,
    Solution,
    VehicleType,
    solve,
)
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.stop import MaxRuntime, MultipleCriteria, NoImprovement

from backend.dispatch.planning import STOP_S, Errand, Stop, Tour, schedule

_NO_BETTER_FOR = 400
_START, _END = 0, 1
_FIRST_PLACE = 2


def search(
    tour: Tour, warm: Sequence[Stop], slack_s: int, seconds: float
) -> tuple[tuple[Stop, ...], bool]:
    """A better order of what is not fixed, from `warm` on; whether it keeps every window.

    Windows are hard for PyVRP: `slack_s` widens them all until they can be kept.
    """
    fixed = tuple(warm[: tour.fixed])
    done = set(fixed)
    left = [errand for errand in tour.errands if Stop(errand.order, "drop") not in done]
    carried = [e for e in left if e.pickup is None or Stop(e.order, "pickup") in done]
    fetched = [e for e in left if e not in carried]
    data = _problem(tour, fixed, carried, fetched, slack_s)
    activities = _activities(carried, fetched)
    known = Route(data, [activities[stop] for stop in warm[tour.fixed :]], 0)
    with warnings.catch_warnings():
        # Windows that cannot be kept are no surprise here: they are widened the next time.
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        result = solve(
            data,
            MultipleCriteria([MaxRuntime(seconds), NoImprovement(_NO_BETTER_FOR)]),
            seed=len(warm),
            collect_stats=False,
            initial_solution=Solution(data, [known]),
        )
    stop_of = {activity: stop for stop, activity in activities.items()}
    driven = [step for route in result.best.routes() for step in route if not step.is_depot()]
    found = fixed + tuple(stop_of[Activity(step.type, step.idx)] for step in driven)
    if len(found) != len(warm):
        return tuple(warm), False
    return found, bool(result.best.is_feasible())


def _activities(carried: Sequence[Errand], fetched: Sequence[Errand]) -> dict[Stop, Activity]:
    found = {
        Stop(errand.order, "drop"): Activity(ActivityType.CLIENT, number)
        for number, errand in enumerate(carried)
    }
    for number, errand in enumerate(fetched):
        found[Stop(errand.order, "pickup")] = Activity(ActivityType.PICKUP, number)
        found[Stop(errand.order, "drop")] = Activity(ActivityType.DELIVERY, number)
    return found


def _problem(
    tour: Tour,
    fixed: Sequence[Stop],
    carried: Sequence[Errand],
    fetched: Sequence[Errand],
    slack_s: int,
) -> ProblemData:
    """What is left after the fixed stops; the tour is open, for its end is everywhere."""
    before = schedule(tour, fixed)
    start_s = before.duration_s
    start = before.visits[-1].place if before.visits else 0
    places = [start, start, *(errand.drop for errand in carried)]
    for errand in fetched:
        assert errand.pickup is not None
        places += [errand.pickup, errand.drop]
    seconds: Any = tour.seconds[np.ix_(places, places)].copy()
    seconds[:, _END] = seconds[_END, :] = 0
    np.fill_diagonal(seconds, 0)
    vehicle = VehicleType(
        capacity=[tour.most_weight_g, tour.most_volume_cm3],
        start_depot=_START,
        end_depot=_END,
        tw_early=start_s,
        start_late=start_s,
        tw_late=max(start_s, _until(tour.left_s, slack_s)),
        initial_load=list(tour.held),
        unit_distance_cost=1,
        unit_duration_cost=1,
    )
    return ProblemData(
        [Location(0, 0) for _ in places],
        [_client(_FIRST_PLACE + n, errand, slack_s) for n, errand in enumerate(carried)],
        [Depot(_START), Depot(_END)],
        [vehicle],
        # How far it is counts as how long it takes.
        [seconds],
        [seconds],
        shipments=[
            _shipment(_FIRST_PLACE + len(carried) + 2 * n, errand, slack_s)
            for n, errand in enumerate(fetched)
        ],
    )


def _client(place: int, errand: Errand, slack_s: int) -> Client:
    """The drop of parcels on board, which the driver starts out with."""
    return Client(
        place,
        delivery=[errand.weight_g, errand.volume_cm3],
        service_duration=STOP_S,
        tw_early=_opening(errand.drop_opens_s, errand.due_s, slack_s),
        tw_late=_until(errand.due_s, slack_s),
    )


def _shipment(place: int, errand: Errand, slack_s: int) -> Shipment:
    """A pickup and, at the place after it, its drop."""
    return Shipment(
        place,
        place + 1,
        # A window that opens after it must be left cannot be told; whoever judges the plan waits.
        pickup_tw_early=_opening(errand.opens_s, min(errand.closes_s, errand.due_s), slack_s),
        pickup_tw_late=_until(errand.closes_s, slack_s),
        pickup_service_duration=STOP_S,
        delivery_tw_early=_opening(errand.drop_opens_s, errand.due_s, slack_s),
        delivery_tw_late=_until(errand.due_s, slack_s),
        delivery_service_duration=STOP_S,
        amount=[errand.weight_g, errand.volume_cm3],
    )


def _until(due_s: int, slack_s: int) -> int:
    return max(due_s, 0) + slack_s


def _opening(opens_s: int, due_s: int, slack_s: int) -> int:
    return max(0, min(opens_s, _until(due_s, slack_s)))
