"""The dispatcher's loop: every few seconds each busy city is matched, by one process at a time."""

from __future__ import annotations

import asyncio

from backend.dispatch import cities, matching_repository, redispatch
from backend.dispatch.dispatcher import close_offers, match_city
from backend.dispatch.matching_schemas import RunResult
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.resources import Resources
from backend.platform.switches import switched_on
from backend.platform.telemetry import get_logger, meter
from backend.platform.turns import pause
from backend.regions import service as regions
from backend.regions.schemas import Region

_log = get_logger(__name__)
_offers = meter.create_counter("waypost.dispatch.offers", "1", "Offers made, by city")
_took = meter.create_histogram("waypost.dispatch.match", "ms", "Time of one matching of a city")
_LEAST_PAUSE_S = 0.05
MATCHING_FLAG = "automatic-matching"


async def dispatch(resources: Resources, stop: asyncio.Event) -> None:
    """Match every busy city each `DISPATCH_EVERY_S`, until `stop`."""
    loop = asyncio.get_running_loop()
    every_s = resources.settings.dispatch_every_s
    while not stop.is_set():
        began = loop.time()
        await dispatch_once(resources)
        await pause(stop, max(_LEAST_PAUSE_S, every_s - (loop.time() - began)))


async def dispatch_once(resources: Resources) -> list[RunResult]:
    """One round of every busy city, each in a unit of work of its own."""
    async with resources.database.unit_of_work() as session:
        busy = await matching_repository.busy_cities(session)
        if not busy:
            return []
        directory = await regions.directory(session, SYSTEM)
        switched = await matching_repository.switches(session)
    results = []
    for code in sorted(busy):
        city = directory.get(code)
        if city is None:
            continue
        automatic = code not in switched or switched[code].automatic
        # Beside the city's own switch there is the flag, for many cities at once.
        automatic = automatic and switched_on(
            MATCHING_FLAG, country=code.partition("-")[0], city=code
        )
        result = await _one_city(resources, city, automatic=automatic)
        if result is not None:
            results.append(result)
    return results


async def _one_city(resources: Resources, city: Region, *, automatic: bool) -> RunResult | None:
    if not automatic:
        async with resources.database.unit_of_work() as session:
            if await matching_repository.lock_city(session, city.code):
                await close_offers(session, city.code)
        return None
    async with resources.database.unit_of_work() as session:
        if not await matching_repository.lock_city(session, city.code):
            return RunResult(city=city.code, busy=True)
        taken = await redispatch.sweep_city(session, city)
    if taken:
        _log.info("orders_taken_back", city=city.code, numbers=taken)
    async with resources.database.unit_of_work() as session:
        # Read again in the round's own transaction: a pause counts from the moment it is committed.
        switch = (await matching_repository.switches(session)).get(city.code)
        if switch is not None and not switch.automatic:
            return None
        result = await match_city(session, SYSTEM, city)
    if not result.busy:
        await cities.note_run(city.code, clock.now())
        _offers.add(result.offers, {"city": city.code})
        _took.record(result.took_ms, {"city": city.code})
    return result
