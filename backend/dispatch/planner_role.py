"""The loop that keeps a planned tour for every driver with orders, city by city."""

from __future__ import annotations

import asyncio

from backend.dispatch import eta_repository, planner_pool
from backend.dispatch.planning_rounds import improve_city
from backend.identity.schemas import SYSTEM
from backend.platform.resources import Resources
from backend.platform.telemetry import meter, tracer
from backend.platform.turns import pause
from backend.regions import service as regions

EVERY_S = 4.0
_made = meter.create_counter("waypost.dispatch.routes", "1", "Tours planned anew, by city")


async def plan_tours(resources: Resources, stop: asyncio.Event) -> None:
    """Plan every city each few seconds, until `stop`."""
    loop = asyncio.get_running_loop()
    try:
        while not stop.is_set():
            began = loop.time()
            await plan_once(resources)
            await pause(stop, max(0.1, EVERY_S - (loop.time() - began)))
    finally:
        planner_pool.close()


async def plan_once(resources: Resources) -> int:
    """One round of every city with orders on their way; answers how many versions were made."""
    async with resources.database.unit_of_work() as session:
        directory = await regions.directory(session, SYSTEM)
        cities = await eta_repository.cities_expecting(session)
    made = 0
    for code in cities:
        city = directory.get(code)
        if city is None:
            continue
        with tracer.start_as_current_span("plan city", attributes={"city": code}):
            count = await improve_city(resources, city)
        _made.add(count, {"city": code})
        made += count
    return made
