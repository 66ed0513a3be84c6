"""The region tree and geofences over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.http import Uow
from backend.platform.idempotency import Once
from backend.regions import service
from backend.regions.schemas import (
    FeatureCollection,
    FenceKind,
    GeofenceIn,
    GeofenceOut,
    GeofencePage,
    RegionDetail,
    RegionTree,
)

router = APIRouter(prefix="/api/v1", tags=["regions"])

RegionReader = Annotated[Principal, Depends(requires("regions:read"))]
FenceReader = Annotated[Principal, Depends(requires("geofences:read"))]
FenceWriter = Annotated[Principal, Depends(requires("geofences:write"))]
AsGeometry = Annotated[bool, Query(description="Answer a GeoJSON FeatureCollection.")]


@router.get("/regions")
async def list_regions(
    session: Uow, caller: RegionReader, geometry: AsGeometry = False
) -> RegionTree | FeatureCollection:
    """The caller's regions as a tree, or their outlines and hubs as GeoJSON."""
    if geometry:
        return await service.region_features(session, caller)
    return await service.list_tree(session, caller)


@router.get("/regions/{code}")
async def get_region(session: Uow, caller: RegionReader, code: str) -> RegionDetail:
    """One region with its outline and the regions below it."""
    return await service.get_region(session, caller, code)


@router.get("/geofences")
async def list_geofences(
    *,
    session: Uow,
    caller: FenceReader,
    region: str | None = None,
    kind: FenceKind | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
    geometry: AsGeometry = False,
) -> GeofencePage | FeatureCollection:
    """A page of geofences, or all of them as GeoJSON, in a region and by kind if named."""
    if geometry:
        return await service.geofence_features(session, caller, region=region, kind=kind)
    return await service.list_geofences(
        session, caller, region=region, kind=kind, limit=limit, cursor=cursor
    )


@router.post("/geofences", status_code=201, response_model=GeofenceOut)
async def create_geofence(
    session: Uow, caller: FenceWriter, once: Once, wanted: GeofenceIn
) -> Response:
    """Add a geofence."""
    return await once.answer(
        session, caller.id, lambda: service.create_geofence(session, caller, wanted)
    )


@router.get("/geofences/{fence_id}")
async def get_geofence(session: Uow, caller: FenceReader, fence_id: UUID) -> GeofenceOut:
    """One geofence."""
    return await service.get_geofence(session, caller, fence_id)


@router.put("/geofences/{fence_id}")
async def replace_geofence(
    session: Uow, caller: FenceWriter, fence_id: UUID, wanted: GeofenceIn
) -> GeofenceOut:
    """Give a geofence a whole new state."""
    return await service.replace_geofence(session, caller, fence_id, wanted)


@router.delete("/geofences/{fence_id}", status_code=204)
async def remove_geofence(session: Uow, caller: FenceWriter, fence_id: UUID) -> Response:
    """Remove a geofence."""
    await service.remove_geofence(session, caller, fence_id)
    return Response(status_code=204)
