"""Tables of calendars, targets, macros and agents."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from backend.support.models import moment


def _document() -> Any:
    return Field(sa_column=Column(JSONB, nullable=False))


class CalendarRow(SQLModel, table=True):
    """Business hours of a region: the shifts of each weekday in local time, and the holidays."""

    __tablename__ = "support_calendar"

    region: str = Field(primary_key=True)
    zone: str
    week: list[list[dict[str, str]]] = _document()
    holidays: list[dict[str, str]] = _document()
    version: int
    changed_by_name: str
    changed_at: datetime = moment()


class PolicyRow(SQLModel, table=True):
    """A region's targets; where none stand at it or above it the rules' own hold."""

    __tablename__ = "support_policy"

    region: str = Field(primary_key=True)
    targets: list[dict[str, Any]] = _document()
    round_robin: bool
    close_solved_after_h: int
    late_after_min: int
    version: int
    changed_by_name: str
    changed_at: datetime = moment()


class MacroRow(SQLModel, table=True):
    """A text to answer with."""

    __tablename__ = "support_macro"

    id: UUID = Field(primary_key=True)
    name: str
    text: str
    region: str
    kind: str | None = None
    then: str | None = None
    waiting_on: str | None = None
    version: int
    changed_by_name: str
    changed_at: datetime = moment()


class AgentRow(SQLModel, table=True):
    """Somebody who takes what comes in until then, in the regions that they hold."""

    __tablename__ = "support_agent"
    __table_args__ = (
        Index("ix_support_agent_turn", "given_at", postgresql_where=text("until IS NOT NULL")),
    )

    person_id: str = Field(primary_key=True)
    name: str
    regions: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    until: datetime | None = moment(nullable=True)
    given_at: datetime | None = moment(nullable=True)
