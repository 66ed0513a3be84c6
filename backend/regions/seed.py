"""Fills in the twelve demo cities from the data file beside this module."""

from __future__ import annotations

from collections.abc import Collection, Iterator
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
    added = await repository.add_regions(session, [*_countries(content), *_cities(content)])
    await repository.add_geofences(session, _fences(content, added))
    if added:
        publish_after_commit(session, "seeded")
    return len(added)


def _countries(content: dict[str, Any]) -> Iterator[RegionRow]:
    for country in content["countries"]:
        cities = [c for c in content["cities"] if c["code"].startswith(country["code"] + "-")]
        yield RegionRow(
            kind="country",
            time_zone=cities[0]["time_zone"] if len(cities) == 1 else _shared_zone(cities),
            lat=sum(c["lat"] for c in cities) / len(cities),
            lon=sum(c["lon"] for c in cities) / len(cities),
            **country,
        )


def _shared_zone(cities: list[dict[str, Any]]) -> str | None:
    zones = {city["time_zone"] for city in cities}
    return str(zones.pop()) if len(zones) == 1 else None


def _cities(content: dict[str, Any]) -> Iterator[RegionRow]:
    """Each city and its hubs."""
    for city in content["cities"]:
        code = city["code"]
        yield RegionRow(
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
        for hub in city["hubs"]:
            yield RegionRow(
                code=hub["code"],
                parent=code,
                kind="hub",
                name=hub["name"],
                lat=hub["lat"],
                lon=hub["lon"],
            )


def _fences(content: dict[str, Any], regions: Collection[str]) -> Iterator[GeofenceRow]:
    """The geofences of the cities and hubs among `regions`."""
    for city in content["cities"]:
        if city["code"] in regions:
            for fence in city["geofences"]:
                yield _fence(city["code"], fence["kind"], fence["name"], fence["ring"])
        for hub in city["hubs"]:
            if hub["code"] in regions:
                ring = circle(hub["lat"], hub["lon"], hub["radius_m"])
                yield _fence(hub["code"], "hub", hub["name"], ring)


def _fence(region: str, kind: str, name: str, ring: Any) -> GeofenceRow:
    outer = [list(position) for position in ring]
    geometry = {"type": "Polygon", "coordinates": [outer]}
    return GeofenceRow(region=region, kind=kind, name=name, geometry=geometry)
