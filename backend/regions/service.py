"""The verbs of the region tree: what is where, and who may see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.identity.service import authorize, scopes
from backend.platform.scopes import EVERYWHERE, covers
from backend.regions import repository
from backend.regions.directory import Directory
from backend.regions.errors import RegionNotFound
from backend.regions.geofences import (
    FenceIndex,
    create_geofence,
    fences,
    geofence_features,
    get_geofence,
    list_geofences,
    remove_geofence,
    replace_geofence,
)
from backend.regions.models import RegionRow
from backend.regions.naming import in_place, place_words
from backend.regions.rules import bounding_box, polygons_of
from backend.regions.schemas import (
    Feature,
    FeatureCollection,
    Region,
    RegionDetail,
    RegionKind,
    RegionOut,
    RegionTree,
)
from backend.regions.seed import seed
from backend.regions.watch import FenceWatch
from backend.settings import get_settings

__all__ = [
    "Directory",
    "FenceIndex",
    "FenceWatch",
    "city_of_point",
    "create_geofence",
    "directory",
    "fences",
    "geofence_features",
    "get_geofence",
    "get_region",
    "in_place",
    "list_geofences",
    "list_tree",
    "place_words",
    "region_codes",
    "region_features",
    "region_names",
    "remove_geofence",
    "replace_geofence",
    "seed",
    "time_zone_of",
]


async def directory(session: AsyncSession, principal: Principal) -> Directory:
    """The regions the caller may see, with what they inherit filled in."""
    authorize(principal, "regions:read")
    allowed = scopes(principal, "regions:read")
    resolved = _resolve(await repository.regions(session))
    seen = (each for each in resolved if any(covers(scope, each.code) for scope in allowed))
    return Directory(seen, {each.code: each.name for each in resolved})


async def region_codes(session: AsyncSession) -> frozenset[str]:
    """The codes of all regions, and `*`: what may stand where a place is named."""
    return frozenset({EVERYWHERE, *await repository.region_codes(session)})


async def region_names(session: AsyncSession) -> dict[str, str]:
    """The names of all regions by code: what a place is called is for whoever hears of it."""
    return await repository.names(session)


async def list_tree(session: AsyncSession, principal: Principal) -> RegionTree:
    """The caller's part of the tree, from its topmost regions down."""
    seen = await directory(session, principal)
    return RegionTree(items=[_branch(seen, region) for region in seen.tops()])


async def get_region(session: AsyncSession, principal: Principal, code: str) -> RegionDetail:
    """One region with its outline and the regions below it; raises RegionNotFound."""
    seen = await directory(session, principal)
    region = seen.get(code)
    if region is None:
        raise RegionNotFound
    branch = _branch(seen, region)
    return RegionDetail(**branch.model_dump(), outline=_geometry(region))


async def region_features(session: AsyncSession, principal: Principal) -> FeatureCollection:
    """Outlines of cities and points of hubs that the caller may see, as GeoJSON."""
    seen = await directory(session, principal)
    features = []
    for region in seen:
        geometry = _geometry(region)
        if geometry is None and region.kind == "hub":
            geometry = {"type": "Point", "coordinates": [region.lon, region.lat]}
        if geometry is not None:
            properties = {
                "code": region.code,
                "kind": region.kind,
                "name": region.name,
                "local_name": region.local_name,
                "parent": region.parent,
                "time_zone": region.time_zone,
            }
            features.append(Feature(id=region.code, geometry=geometry, properties=properties))
    return FeatureCollection(features=features)


async def city_of_point(
    session: AsyncSession, principal: Principal, lat: float, lon: float
) -> str | None:
    """The city around a point; for many points keep a `directory` and ask that."""
    return (await directory(session, principal)).city_of_point(lat, lon)


def _resolve(rows: Iterable[RegionRow]) -> list[Region]:
    """Regions with inherited values filled in; rows come with parents before children."""
    settings = get_settings()
    done: dict[str | None, Region] = {}
    for row in rows:
        above = done.get(row.parent)
        live, offline = row.live_after_s, row.offline_after_s
        if live is None:
            live = above.live_after_s if above else settings.live_after_s
        if offline is None:
            offline = above.offline_after_s if above else settings.offline_after_s
        done[row.code] = Region(
            code=row.code,
            parent=row.parent,
            kind=cast(RegionKind, row.kind),
            name=row.name,
            local_name=row.local_name,
            time_zone=row.time_zone or (above.time_zone if above else None),
            currency=row.currency or (above.currency if above else None),
            lat=row.lat,
            lon=row.lon,
            polygons=polygons_of(row.outline) if row.outline else (),
            live_after_s=live,
            offline_after_s=max(offline, live + 1),
        )
    return list(done.values())


def _branch(seen: Directory, region: Region) -> RegionOut:
    return RegionOut(
        code=region.code,
        parent=region.parent,
        kind=region.kind,
        name=region.name,
        local_name=region.local_name,
        time_zone=region.time_zone,
        currency=region.currency,
        lat=region.lat,
        lon=region.lon,
        bbox=bounding_box(region.polygons) if region.polygons else None,
        live_after_s=region.live_after_s,
        offline_after_s=region.offline_after_s,
        children=[_branch(seen, child) for child in seen.children(region.code)],
    )


def _geometry(region: Region) -> dict[str, Any] | None:
    if not region.polygons:
        return None
    if len(region.polygons) == 1:
        return {"type": "Polygon", "coordinates": region.polygons[0]}
    return {"type": "MultiPolygon", "coordinates": region.polygons}


async def time_zone_of(session: AsyncSession, city: str) -> str:
    """The IANA name of a city's time zone; UTC for a city that there is not."""
    return await repository.time_zone(session, city) or "UTC"
