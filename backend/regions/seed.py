"""Fills in the twelve demo cities from the data file beside this module."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.identity.service import authorize
from backend.platform.scopes import EVERYWHERE
from backend.regions import repository
from backend.regions.geofences import publish_after_commit
from backend.regions.models import GeofenceRow, RegionRow
from backend.regions.rules import circle
from backend.regions.sample import sample


async def seed(session: AsyncSession, principal: Principal) -> int:
    """Add the regions that are missing; answers how many.

    A region that is there is left as it is, and so are its geofences: what an operator changed or
    removed stays so across starts.
    """
    authorize(principal, "geofences:write", EVERYWHERE)
    content = sample()
    added = 0
    for country in content["countries"]:
        cities = [c for c in content["cities"] if c["code"].startswith(country["code"] + "-")]
        row = RegionRow(
            kind="country",
            time_zone=cities[0]["time_zone"] if len(cities) == 1 else _shared_zone(cities),
            lat=sum(c["lat"] for c in cities) / len(cities),
            lon=sum(c["lon"] for c in cities) / len(cities),
            **country,
        )
        added += await repository.add_region(session, row)
    for city in content["cities"]:
        added += await _seed_city(session, city)
    if added:
        publish_after_commit(session, "seeded")
    return added


def _shared_zone(cities: list[dict[str, Any]]) -> str | None:
    zones = {city["time_zone"] for city in cities}
    return str(zones.pop()) if len(zones) == 1 else None


async def _seed_city(session: AsyncSession, city: dict[str, Any]) -> int:
    code = city["code"]
    row = RegionRow(
        code=code,
        parent=code.partition("-")[0],
        kind="city",
        name=city["name"],
        local_name=city["local_name"],
        time_zone=city["time_zone"],
        currency=city["currency"],
        lat=city["lat"],
        lon=city["lon"],
        outline={"type": "Polygon", "coordinates": [city["outline"]]},
    )
    added = 0
    if await repository.add_region(session, row):
        added += 1
        for fence in city["geofences"]:
            _add_fence(session, code, fence["kind"], fence["name"], fence["ring"])
    for hub in city["hubs"]:
        row = RegionRow(
            code=hub["code"],
            parent=code,
            kind="hub",
            name=hub["name"],
            lat=hub["lat"],
            lon=hub["lon"],
        )
        if await repository.add_region(session, row):
            added += 1
            ring = circle(hub["lat"], hub["lon"], hub["radius_m"])
            _add_fence(session, hub["code"], "hub", hub["name"], ring)
    await session.flush()
    return added


def _add_fence(session: AsyncSession, region: str, kind: str, name: str, ring: Any) -> None:
    outer = [list(position) for position in ring]
    geometry = {"type": "Polygon", "coordinates": [outer]}
    session.add(GeofenceRow(region=region, kind=kind, name=name, geometry=geometry))
