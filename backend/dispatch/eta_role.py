"""The loop that keeps every live order's ETA true, city by city."""

from __future__ import annotations

import asyncio

from backend.dispatch import eta_repository, matching_repository
from backend.dispatch.etas import refresh_city
from backend.dispatch.travel import travel_of
from backend.identity.schemas import SYSTEM
from backend.platform.resources import Resources
from backend.platform.telemetry import meter, tracer
from backend.platform.turns import pause
from backend.regions import service as regions

EVERY_S = 15.0
_told = meter.create_counter("waypost.dispatch.etas", "1", "ETAs told anew, by city")


async def foretell(resources: Resources, stop: asyncio.Event) -> None:
    """Refresh the ETAs of every city each fifteen seconds, until `stop`."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        began = loop.time()
        await foretell_once(resources)
        await pause(stop, max(0.1, EVERY_S - (loop.time() - began)))


async def foretell_once(resources: Resources) -> int:
    """One round of every city in which an order is awaited; answers how many ETAs moved."""
    travel = travel_of(resources.settings.routing_url)
    async with resources.database.unit_of_work() as session:
        directory = await regions.directory(session, SYSTEM)
        cities = await eta_repository.cities_expecting(session)
    moved = 0
    for code in cities:
        city = directory.get(code)
        if city is None:
            continue
        async with resources.database.unit_of_work() as session:
            if not await matching_repository.try_lock(session, f"dispatch:eta:{code}"):
                continue
            with tracer.start_as_current_span("refresh etas", attributes={"city": code}):
                count = await refresh_city(session, city, travel)
        _told.add(count, {"city": code})
        moved += count
    return moved
