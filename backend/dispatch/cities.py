"""Which cities match by themselves, and how matching does there."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import matching_repository, offer_repository, offers
from backend.dispatch.matching_models import CityRow
from backend.dispatch.matching_schemas import CityFigures, CitySwitch, MatchingFigures
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.platform.outbox import Event, emit
from backend.platform.resources import current
from backend.platform.scopes import covers
from backend.regions import service as regions
from backend.regions.schemas import Region

_RAN_KEY = "dispatch:ran"


async def city_switches(session: AsyncSession, principal: Principal) -> list[CitySwitch]:
    """The caller's cities by name, each with its switch."""
    identity.authorize(principal, "dispatch:read")
    rows = await matching_repository.switches(session)
    return [_switch(city, rows.get(city.code)) for city in await _cities(session, principal, None)]


async def paused_cities(session: AsyncSession) -> list[str]:
    """The codes of the cities in which automatic matching is switched off."""
    rows = await matching_repository.switches(session)
    return sorted(code for code, row in rows.items() if not row.automatic)


async def set_city_switch(
    session: AsyncSession, principal: Principal, city: str, *, automatic: bool, reason: str
) -> CitySwitch:
    """Switch a city's automatic matching; needs `dispatch:write` there.

    A paused city's open offers are withdrawn; its orders stay in the queue for people to assign.
    """
    identity.authorize(principal, "dispatch:write")
    found = {region.code: region for region in await _cities(session, principal, city)}
    region = found.get(city)
    if region is None:
        raise NotFound(f"{city} is not a city's code.")
    identity.authorize(principal, "dispatch:write", city)
    await matching_repository.await_city(session, city)
    before = (await matching_repository.switches(session)).get(city)
    now = clock.now()
    row = CityRow(
        code=city,
        automatic=automatic,
        changed_by=principal.id,
        changed_by_name=principal.name,
        reason=reason,
        changed_at=now,
    )
    await matching_repository.put_switch(session, row)
    if not automatic:
        closed = await offer_repository.withdraw_in_city(session, city, now, "paused")
        await offers.tell(session, principal, closed)
    kind = "dispatch.city_resumed" if automatic else "dispatch.city_paused"
    await emit(session, Event(kind, city, principal.id, {"reason": reason}, city))
    await identity.record(
        session,
        principal,
        kind,
        f"city:{city}",
        region=city,
        before={"automatic": before is None or before.automatic},
        after={"automatic": automatic},
        reason=reason,
    )
    return _switch(region, row)


def _switch(city: Region, row: CityRow | None) -> CitySwitch:
    if row is None:
        return CitySwitch(code=city.code, name=city.name, automatic=True)
    told = row.model_dump(exclude={"changed_by"})
    return CitySwitch(name=city.name, **told)


async def _cities(session: AsyncSession, principal: Principal, region: str | None) -> list[Region]:
    """The cities whose dispatch the caller may see in whole or part, below or around `region`."""
    held = identity.scopes(principal, "dispatch:read")
    return sorted(
        (
            city
            for city in await regions.directory(session, SYSTEM)
            if city.kind == "city"
            and any(covers(scope, city.code) or covers(city.code, scope) for scope in held)
            and (region is None or covers(region, city.code) or covers(city.code, region))
        ),
        key=lambda city: city.name,
    )


async def matching_figures(
    session: AsyncSession, principal: Principal, region: str
) -> MatchingFigures:
    """How matching does in the caller's part of a region; `*` is all of it."""
    identity.authorize(principal, "dispatch:read")
    settings, now = current().settings, clock.now()
    cities = await _cities(session, principal, region)
    codes = [city.code for city in cities]
    queue = await matching_repository.queue_by_city(session, codes)
    made = await matching_repository.offer_figures(session, codes, now)
    waiting_since = now - timedelta(seconds=settings.dispatch_unmatched_after_s)
    unmatched = await matching_repository.unmatched_by_city(session, codes, waiting_since)
    rows = await matching_repository.switches(session)
    ran = await _last_runs(codes)
    figures = [
        CityFigures(
            code=city.code,
            name=city.name,
            automatic=city.code not in rows or rows[city.code].automatic,
            queue=queue.get(city.code, 0),
            open_offers=found.open if found else 0,
            offers_last_hour=found.made if found else 0,
            accepted_last_hour=found.accepted if found else 0,
            median_offer_s=None
            if found is None or found.median_s is None
            else round(float(found.median_s), 1),
            unmatched=unmatched.get(city.code, 0),
            last_run_at=ran.get(city.code),
        )
        for city in cities
        for found in (made.get(city.code),)
    ]
    medians = [city.median_offer_s for city in figures if city.median_offer_s is not None]
    return MatchingFigures(
        every_s=settings.dispatch_every_s,
        offer_s=settings.dispatch_offer_s,
        queue=sum(city.queue for city in figures),
        open_offers=sum(city.open_offers for city in figures),
        median_offer_s=statistics.median(medians) if medians else None,
        cities=figures,
    )


async def note_run(city: str, at: datetime) -> None:
    """Remember when the city was matched last."""
    await current().redis.hset(_RAN_KEY, city, at.isoformat())  # type: ignore[misc]


async def _last_runs(codes: Iterable[str]) -> dict[str, datetime]:
    stored = await current().redis.hgetall(_RAN_KEY)  # type: ignore[misc]
    ran = {code.decode(): datetime.fromisoformat(at.decode()) for code, at in stored.items()}
    return {code: ran[code] for code in codes if code in ran}
