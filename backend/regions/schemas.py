"""What regions and geofences look like to the rest of the system and to the outside."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.regions.rules import Polygon

RegionKind = Literal["country", "city", "hub"]
FenceKind = Literal["hub", "zone", "no_go"]

CHANGED_CHANNEL = "regions:changed"
"""Pub/sub channel that carries the id of a geofence after its change is committed."""


@dataclass(frozen=True, slots=True)
class Region:
    """A country, city or hub with everything it inherits filled in."""

    code: str
    parent: str | None
    kind: RegionKind
    name: str
    local_name: str | None
    time_zone: str | None
    currency: str | None
    lat: float
    lon: float
    polygons: tuple[Polygon, ...]
    live_after_s: int
    offline_after_s: int


@dataclass(frozen=True, slots=True)
class Fence:
    """A geofence as position consumers need it."""

    id: UUID
    kind: FenceKind
    region: str
    name: str
    polygons: tuple[Polygon, ...]


class RegionOut(BaseModel):
    """A region and the regions below it."""

    code: str
    parent: str | None
    kind: RegionKind
    name: str
    local_name: str | None
    time_zone: str | None = Field(description="IANA name; null for a country with several.")
    currency: str | None = Field(description="ISO 4217 code.")
    lat: float
    lon: float
    bbox: tuple[float, float, float, float] | None = Field(
        description="West, south, east, north of the outline."
    )
    live_after_s: int
    offline_after_s: int
    children: list["RegionOut"] = []


class RegionDetail(RegionOut):
    """One region with its outline."""

    outline: dict[str, Any] | None = Field(description="GeoJSON geometry.")


class RegionTree(BaseModel):
    """The parts of the tree the caller may see, from their topmost regions down."""

    items: list[RegionOut]


class Feature(BaseModel):
    """A GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: dict[str, Any]
    properties: dict[str, Any]


class FeatureCollection(BaseModel):
    """A GeoJSON feature collection."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class GeofenceIn(BaseModel):
    """A geofence to create, or the whole new state of one."""

    model_config = ConfigDict(extra="forbid")

    kind: FenceKind
    region: Annotated[str, StringConstraints(min_length=2, max_length=64)]
    name: Name
    geometry: dict[str, Any] = Field(description="GeoJSON Polygon or MultiPolygon.")


class GeofenceOut(BaseModel):
    """A geofence."""

    id: UUID
    kind: FenceKind
    region: str
    name: str
    geometry: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class GeofencePage(BaseModel):
    """One page of geofences."""

    items: list[GeofenceOut]
    next_cursor: str | None
