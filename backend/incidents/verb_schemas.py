"""What the verbs on an incident take over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from backend.incidents.rules import Kind, Role, Severity
from backend.incidents.schemas import Line, Text, Word
from backend.platform.moments import Moment


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Seen(_In):
    """The version that the caller saw."""

    seen_version: int


class Noted(Seen):
    """The same with a note."""

    note: Text | None = None


class Mitigation(Noted):
    """When the harm stopped; now without."""

    at: Moment | None = None


class Resolution(Mitigation):
    """The end; `force` with a note where something speaks against it."""

    force: bool = False


class Reopening(Seen):
    """Why it is not over."""

    note: Text


class SeverityIn(Noted):
    """How severe it is."""

    severity: Severity


class KindIn(Noted):
    """Whether it is real."""

    kind: Kind


class RoleIn(Seen):
    """Somebody's part."""

    role: Role
    person_id: Word
    name: Line
    remove: bool = False


class NoteIn(_In):
    """An entry for the timeline."""

    text: Text


class SnoozeIn(Seen):
    """Until when nobody is to be called."""

    until: Moment


class MergeIn(Seen):
    """The incidents that are to end in this one."""

    merged: Annotated[list[UUID], Field(min_length=1, max_length=100)]


class SplitIn(Seen):
    """The alerts that are to become an incident of their own."""

    alerts: Annotated[list[UUID], Field(min_length=1, max_length=1000)]
    title: Line | None = None


class ReviewIn(Seen):
    """A review in Markdown."""

    text: Annotated[str, Field(min_length=1, max_length=100_000, pattern=r"^[^\x00]*$")]


class ItemResult(BaseModel):
    """What became of one alert of a delivery."""

    index: int
    status: Literal["accepted", "duplicate", "rejected"]
    code: str | None = None
    detail: str | None = None


class Taken(BaseModel):
    """A delivery is durable; one result for each alert in it."""

    id: UUID
    results: list[ItemResult]


class TakenByKey(BaseModel):
    """PagerDuty's answer to an event."""

    status: Literal["success"] = "success"
    message: str
    dedup_key: str
