"""Tables of tracking: drivers and their position history."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    REAL,
    Column,
    DateTime,
    Double,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    func,
    literal_column,
)
from sqlmodel import Field, SQLModel


class DriverRow(SQLModel, table=True):
    """A driver as the map and the roster know them."""

    __tablename__ = "tracking_driver"
    __table_args__ = (
        Index("ix_tracking_driver_region_code", "region", "code"),
        Index(
            "ix_tracking_driver_words",
            func.search_folded(literal_column("name")).label("folded"),
            postgresql_using="gin",
            postgresql_ops={"folded": "gin_trgm_ops"},
        ),
        Index(
            "ix_tracking_driver_plate",
            func.upper(func.translate(literal_column("plate"), " -.", "")).label("written"),
            postgresql_using="gin",
            postgresql_ops={"written": "gin_trgm_ops"},
        ),
        Index("ix_tracking_driver_code_begin", "code", postgresql_ops={"code": "text_pattern_ops"}),
        Index(
            "ix_tracking_driver_phone_end",
            func.reverse(literal_column("phone")).label("reversed"),
            postgresql_ops={"reversed": "text_pattern_ops"},
        ),
    )

    id: UUID = Field(primary_key=True)
    code: str = Field(unique=True)
    name: str
    phone: str | None = None
    plate: str | None = None
    vehicle: str
    region: str
    hub: str | None = None
    on_shift: bool = True
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class FixRow(SQLModel, table=True):
    """One position of a driver; a partition for each day of `recorded_at`."""

    __tablename__ = "tracking_fix"
    __table_args__ = (
        PrimaryKeyConstraint("driver_id", "recorded_at"),
        {"postgresql_partition_by": "RANGE (recorded_at)"},
    )

    driver_id: UUID
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    received_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    lat: float = Field(sa_column=Column(Double, nullable=False))
    lon: float = Field(sa_column=Column(Double, nullable=False))
    speed: float | None = Field(default=None, sa_column=Column(REAL))
    bearing: float | None = Field(default=None, sa_column=Column(REAL))
    altitude: float | None = Field(default=None, sa_column=Column(REAL))
    accuracy: float | None = Field(default=None, sa_column=Column(REAL))
    battery: float | None = Field(default=None, sa_column=Column(REAL))
    flags: int = Field(sa_column=Column(SmallInteger, nullable=False))
