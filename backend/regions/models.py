"""The tables of the region tree and of geofences."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel, UniqueConstraint

from backend.platform import clock
from backend.platform.ids import uuid7


class RegionRow(SQLModel, table=True):
    """A country, city or hub; what is null is inherited from the region above."""

    __tablename__ = "regions_region"
    __table_args__ = (
        CheckConstraint("kind IN ('country', 'city', 'hub')", name="ck_regions_region_kind"),
        CheckConstraint(
            "live_after_s IS NULL OR offline_after_s IS NULL OR live_after_s < offline_after_s",
            name="ck_regions_region_thresholds",
        ),
    )

    code: str = Field(primary_key=True)
    parent: str | None = Field(
        default=None,
        sa_column=Column(String, ForeignKey("regions_region.code"), nullable=True, index=True),
    )
    kind: str
    name: str
    local_name: str | None = None
    time_zone: str | None = None
    currency: str | None = None
    lat: float
    lon: float
    outline: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    live_after_s: int | None = None
    offline_after_s: int | None = None


class GeofenceRow(SQLModel, table=True):
    """An area in which arrivals, stays and departures of drivers are noticed."""

    __tablename__ = "regions_geofence"
    __table_args__ = (
        CheckConstraint("kind IN ('hub', 'zone', 'no_go')", name="ck_regions_geofence_kind"),
        UniqueConstraint("region", "kind", "name", name="uq_regions_geofence_name"),
        Index("ix_regions_geofence_region", "region"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    region: str = Field(sa_column=Column(String, ForeignKey("regions_region.code"), nullable=False))
    kind: str
    name: str
    geometry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(
        default_factory=clock.now, sa_column=Column(DateTime(timezone=True), nullable=False)
    )
    updated_at: datetime = Field(
        default_factory=clock.now, sa_column=Column(DateTime(timezone=True), nullable=False)
    )
