"""Tables of insights: what was counted, how fast answers were, what detectors saw, and costs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, SmallInteger, UniqueConstraint
from sqlmodel import Field, SQLModel


def _moment(*, nullable: bool = False, primary_key: bool = False) -> Any:
    return Field(
        default=None if nullable else ...,
        sa_column=Column(DateTime(timezone=True), nullable=nullable, primary_key=primary_key),
    )


def _number() -> Any:
    return Field(sa_column=Column(BigInteger, nullable=False))


class MinuteRow(SQLModel, table=True):
    """What was counted in a minute of a region, which begins at `at`; kept for some hours."""

    __tablename__ = "insights_minute"

    at: datetime = _moment(primary_key=True)
    name: str = Field(primary_key=True)
    region: str = Field(primary_key=True)
    good: int = _number()
    valid: int = _number()


class HourRow(SQLModel, table=True):
    """The same by hour, kept for as long as a scorecard looks back."""

    __tablename__ = "insights_hour"

    at: datetime = _moment(primary_key=True)
    name: str = Field(primary_key=True)
    region: str = Field(primary_key=True)
    good: int = _number()
    valid: int = _number()


class LatencyRow(SQLModel, table=True):
    """How many answers of the API in an hour fell into one step of latency."""

    __tablename__ = "insights_latency"

    at: datetime = _moment(primary_key=True)
    step: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    answers: int = _number()


class SignalRow(SQLModel, table=True):
    """How a detector's indicator of one region stands.

    `since` is the first sample of the present run of bad ones, or of good ones after it; `firing`
    says whether an alert was raised and not yet resolved.
    """

    __tablename__ = "insights_signal"

    key: str = Field(primary_key=True)
    detector: str
    service: str
    region: str
    bad: bool
    since: datetime = _moment()
    firing: bool
    fired_at: datetime | None = _moment(nullable=True)
    started_at: datetime | None = _moment(nullable=True)
    value: float
    title: str
    severity: str
    seen_at: datetime = _moment()


class RatingRow(SQLModel, table=True):
    """What a recipient thought of a delivery, the last time they said."""

    __tablename__ = "insights_rating"
    __table_args__ = (Index("ix_insights_rating_at", "at"),)

    order_number: str = Field(primary_key=True)
    region: str
    stars: int = Field(sa_column=Column(SmallInteger, nullable=False))
    words: str
    at: datetime = _moment()


class CostRow(SQLModel, table=True):
    """What one kind of infrastructure cost in a month."""

    __tablename__ = "insights_cost"
    __table_args__ = (UniqueConstraint("month", "kind", name="uq_insights_cost_month"),)

    id: UUID = Field(primary_key=True)
    month: date = Field(sa_column=Column(Date, nullable=False))
    kind: str
    minor: int = _number()
    currency: str
    note: str
    version: int
    changed_by: str
    changed_by_name: str
    changed_at: datetime = _moment()
