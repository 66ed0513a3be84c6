"""One round of planning a city: new stops planned in, plans in force thought over."""

from __future__ import annotations

from collections.abc import Sequence

from backend.dispatch import matching_repository, planner_pool, route_repository
from backend.dispatch.planning import Stop, schedule
from backend.dispatch.tours import DriverTour, put_tour, tours_of_city, with_order
from backend.dispatch.travel import travel_of
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.resources import Resources
from backend.regions.schemas import Region

_MOST_URGENT = 60
_THOUGHT_OVER = 10
_THINK_S = 0.3
_GAIN_S = 60
_DRIFT_S = 300


async def improve_city(resources: Resources, city: Region) -> int:
    """New stops planned in, old plans thought over; answers how many versions were made.

    Nothing is done where another process is at it. Each tour is written by itself, so that nobody
    who gives orders to a driver waits for the others' tours.
    """
    travel = travel_of(resources.settings.routing_url)
    async with resources.database.unit_of_work() as session:
        if not await matching_repository.try_lock(session, f"dispatch:plan:{city.code}"):
            return 0
        idle = await route_repository.idle_with_route(session, city.code)
        chosen = _chosen(await tours_of_city(session, city, travel))
        plans = await planner_pool.plan([tour.tour for tour in chosen], _THINK_S)
        for driver in idle:
            async with resources.database.unit_of_work() as own:
                await route_repository.supersede_idle(own, driver, clock.now())
        made = 0
        for tour, plan in zip(chosen, plans, strict=True):
            if _worth_a_version(tour, plan):
                changed = with_order(tour, plan, tour.tour.fixed)
                async with resources.database.unit_of_work() as own:
                    made += await put_tour(own, SYSTEM, changed, travel) is not None
    return made


def _chosen(every: Sequence[DriverTour]) -> list[DriverTour]:
    """Tours that lack a stop, and those that were thought over the longest ago."""
    urgent = [tour for tour in every if tour.missing]
    calm = [tour for tour in every if not tour.missing]
    calm.sort(key=lambda tour: tour.route.made_at if tour.route else tour.now)
    return [*urgent[:_MOST_URGENT], *calm[:_THOUGHT_OVER]]


def _worth_a_version(held: DriverTour, plan: Sequence[Stop]) -> bool:
    """Whether the plan is news: new stops, a better order, or times that no longer hold."""
    if held.missing:
        return True
    before, after = schedule(held.tour, held.tour.plan), schedule(held.tour, plan)
    if after.late_s < before.late_s - _GAIN_S or (
        after.late_s <= before.late_s and after.duration_s < before.duration_s - _GAIN_S
    ):
        return True
    told = held.stops[0].arrive_at if held.stops else held.now
    told_s = (told - held.now).total_seconds()
    return plan == held.tour.plan and abs(before.visits[0].arrive_s - told_s) > _DRIFT_S
