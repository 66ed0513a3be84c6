"""The tables of feature flags; what is served is `flags_environment` and `flags_flag.published`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    String,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


def _moment(*, nullable: bool = False) -> Any:
    return Field(
        default=None if nullable else ..., sa_type=DateTime(timezone=True), nullable=nullable
    )


def _json(*, nullable: bool = False) -> Any:
    column = Column(JSONB(none_as_null=True), nullable=nullable)
    return Field(default=None if nullable else ..., sa_column=column)


def _texts() -> Any:
    return Field(sa_column=Column(ARRAY(String), nullable=False))


class EnvironmentRow(SQLModel, table=True):
    """An environment; its row is locked by each publish, so that versions are seen in order."""

    __tablename__ = "flags_environment"

    name: str = Field(primary_key=True)
    version: int = Field(sa_column=Column(BigInteger, nullable=False))
    evaluators: dict[str, Any] = _json()
    published_at: datetime = _moment()


class FlagRow(SQLModel, table=True):
    """A flag in an environment as it stands.

    `published` is the definition to serve (null once archived), changed last by the environment's
    version `published_version`; `definition` is the one to exchange.
    """

    __tablename__ = "flags_flag"
    __table_args__ = (
        Index("ix_flags_flag_published", "environment", "published_version"),
        CheckConstraint("version > 0", name="ck_flags_flag_version"),
    )

    environment: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    version: int
    spec: dict[str, Any] = _json()
    definition: dict[str, Any] = _json()
    published: dict[str, Any] | None = _json(nullable=True)
    published_version: int = Field(sa_column=Column(BigInteger, nullable=False))
    bucketing: int
    archived: bool
    killed_at: datetime | None = _moment(nullable=True)
    killed_by_name: str | None = None
    kill_reason: str | None = None
    created_at: datetime = _moment()
    updated_at: datetime = _moment()
    changed_by: str
    changed_by_name: str


class VersionRow(SQLModel, table=True):
    """A version of a flag; never changed, but for a kill's reason that is given afterwards."""

    __tablename__ = "flags_version"

    environment: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    cause: str
    spec: dict[str, Any] = _json()
    definition: dict[str, Any] = _json()
    words: list[str] = _texts()
    diff: list[str] = _texts()
    reason: str
    by: str
    by_name: str
    approved_by: str | None = None
    approved_by_name: str | None = None
    at: datetime = _moment()


class SegmentRow(SQLModel, table=True):
    """People by conditions, under a name that rules use."""

    __tablename__ = "flags_segment"

    environment: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    version: int
    spec: dict[str, Any] = _json()
    updated_at: datetime = _moment()
    changed_by_name: str


class ChangeRow(SQLModel, table=True):
    """A set of flags and segments to publish together, waiting for a person or a moment."""

    __tablename__ = "flags_change"
    __table_args__ = (
        Index(
            "ix_flags_change_open",
            "environment",
            "publish_at",
            postgresql_where=text("state IN ('waiting', 'scheduled')"),
        ),
        Index("ix_flags_change_keys", "keys", postgresql_using="gin"),
    )

    id: UUID = Field(primary_key=True)
    environment: str
    title: str
    keys: list[str] = _texts()
    cause: str
    state: str
    wanted: dict[str, Any] = _json()
    words: list[str] = _texts()
    diff: list[str] = _texts()
    reason: str
    asked_by: str
    asked_by_name: str
    stands_behind: str
    asked_at: datetime = _moment()
    publish_at: datetime | None = _moment(nullable=True)
    decided_by: str | None = None
    decided_by_name: str | None = None
    decided_at: datetime | None = _moment(nullable=True)
    why: str | None = None


class RolloutRow(SQLModel, table=True):
    """A rule's share on its way up, step by step."""

    __tablename__ = "flags_rollout"
    __table_args__ = (
        Index(
            "uq_flags_rollout_open",
            "environment",
            "key",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'running', 'paused')"),
        ),
        Index("ix_flags_rollout_due", "next_at", postgresql_where=text("state = 'running'")),
    )

    id: UUID = Field(primary_key=True)
    environment: str
    key: str
    rule: str
    steps: list[dict[str, int]] = _json()
    step: int
    state: str
    slo: str | None = None
    region: str | None = None
    most_errors: float | None = None
    share_before: int
    flag_version: int
    next_at: datetime | None = _moment(nullable=True)
    step_at: datetime | None = _moment(nullable=True)
    halted_because: str | None = None
    reason: str
    started_by: str
    started_by_name: str
    approved_by: str | None = None
    approved_by_name: str | None = None
    started_at: datetime = _moment()
    updated_at: datetime = _moment()


class ExposureRow(SQLModel, table=True):
    """How often a variant was served in a region within an hour."""

    __tablename__ = "flags_exposure"
    __table_args__ = (Index("ix_flags_exposure_hour", "environment", "hour"),)

    environment: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    hour: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    region: str = Field(primary_key=True)
    variant: str = Field(primary_key=True)
    asked: int = Field(sa_column=Column(BigInteger, nullable=False))


class OutcomeRow(SQLModel, table=True):
    """How things went for those who were served a variant, within a minute."""

    __tablename__ = "flags_outcome"
    __table_args__ = (Index("ix_flags_outcome_minute", "minute"),)

    environment: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    minute: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    region: str = Field(primary_key=True)
    variant: str = Field(primary_key=True)
    good: int = Field(sa_column=Column(BigInteger, nullable=False))
    bad: int = Field(sa_column=Column(BigInteger, nullable=False))
