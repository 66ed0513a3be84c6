"""What is sent and read of people on call, of calls to them, quiet spans and heartbeats."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.incidents.rules import Severity
from backend.platform.moments import Moment

_NO_NUL = r"^[^\x00]*$"
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=_NO_NUL)
]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=_NO_NUL)
]
Region = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+[1-9][0-9]{6,14}$")]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OnCallPerson(_In):
    """Somebody who can be called; `person_id` as principals have it, `user:<uuid>`.

    `sms` is a telephone number as the whole world dials it, `+66812345678`.
    """

    person_id: Word
    name: Line
    email: Email | None = None
    sms: Phone | None = None
    webhook: Annotated[str, StringConstraints(max_length=2000, pattern=_NO_NUL)] | None = None


class EscalationStep(_In):
    """Whom to tell when: `after_s` from the step before, the one on call or others."""

    after_s: Annotated[int, Field(ge=0, le=86_400)]
    whom: Literal["on_call", "next", "everyone"] = "on_call"
    channels: Annotated[list[Literal["console", "email", "sms", "webhook"]], Field(min_length=1)]


class Override(_In):
    """Somebody stands in for whoever would be on call."""

    person_id: Word
    since: Moment
    until: Moment


class ScheduleIn(_In):
    """Who is on call for a region's services, in turns of `turn_s` that begin at `starts_at`.

    No `services` means all. `ack_lapses_s` after an acknowledgement nothing followed, the first
    step begins again. `id` and `seen_version` are for a change.
    """

    id: UUID | None = None
    seen_version: int | None = None
    name: Line
    region: Region
    services: Annotated[list[Word], Field(max_length=50)] = []
    people: Annotated[list[OnCallPerson], Field(min_length=1, max_length=50)]
    turn_s: Annotated[int, Field(ge=3600, le=31 * 86_400)] = 7 * 86_400
    starts_at: Moment
    overrides: Annotated[list[Override], Field(max_length=100)] = []
    steps: Annotated[list[EscalationStep], Field(min_length=1, max_length=10)]
    ack_lapses_s: Annotated[int, Field(ge=60, le=86_400)] = 1800


class ScheduleOut(BaseModel):
    """A schedule, with who is on call now and until when."""

    id: UUID
    name: str
    region: str
    services: list[str]
    people: list[OnCallPerson]
    turn_s: int
    starts_at: datetime
    overrides: list[Override]
    steps: list[EscalationStep]
    ack_lapses_s: int
    on_call: OnCallPerson
    on_call_until: datetime
    version: int
    changed_by_name: str
    changed_at: datetime


class OnCall(BaseModel):
    """Who is on call by which schedule."""

    schedule_id: UUID
    schedule: str
    region: str
    person: OnCallPerson
    until: datetime


class ShiftOut(BaseModel):
    """Somebody's shift at the console, with the bell armed; `ended_at` None while it lasts."""

    id: UUID
    person_id: str
    name: str
    started_at: datetime
    ended_at: datetime | None


class PageOut(BaseModel):
    """A call that went out to somebody for an incident; the bell shows those by console."""

    id: UUID
    incident_id: UUID
    number: str
    title: str
    severity: Severity
    channel: str
    person_id: str
    name: str
    step: int
    state: Literal["pending", "sent", "failed", "dropped"]
    attempts: int
    why: str | None
    created_at: datetime
    sent_at: datetime | None


class MaintenanceIn(_In):
    """A span in which alerts of a region's services open nothing; no `services` means all."""

    region: Region
    services: Annotated[list[Word], Field(max_length=50)] = []
    since: Moment
    until: Moment
    reason: Line


class MaintenanceOut(BaseModel):
    """A maintenance window, and how many firing alerts it keeps quiet."""

    id: UUID
    region: str
    services: list[str]
    since: datetime
    until: datetime
    reason: str
    active: bool
    silenced: int
    created_by_name: str
    created_at: datetime


class HeartbeatIn(_In):
    """How often an integration should be heard; silence for `every_s` is an alert itself."""

    integration: Word
    every_s: Annotated[int, Field(ge=30, le=7 * 86_400)]
    region: Region = "*"
    service: Word = "monitoring"
    severity: Severity = Severity.SEV2


class HeartbeatOut(BaseModel):
    """A heartbeat, when it was last heard, and whether it is missed."""

    integration: str
    every_s: int
    region: str
    service: str
    severity: Severity
    heard_at: datetime
    silent: bool
