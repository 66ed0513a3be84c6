"""What monitoring systems, responders and pages send and read of alerts and incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.flags.schemas import Environment
from backend.incidents.rules import AlertStatus, IncidentState, Kind, Role, Severity
from backend.platform.moments import Moment
from backend.platform.money import Money

_NO_NUL = r"^[^\x00]*$"
LONGEST_TEXT = 4000
"""Characters of a note or a message."""
Key = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=_NO_NUL)]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=_NO_NUL)
]
Text = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT, pattern=_NO_NUL
    ),
]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=_NO_NUL)
]
Region = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)]
Search = Annotated[str, StringConstraints(max_length=100, pattern=_NO_NUL)]
LabelKey = Annotated[str, StringConstraints(max_length=200, pattern=_NO_NUL)]
LabelValue = Annotated[str, StringConstraints(max_length=2000, pattern=_NO_NUL)]

Verb = Literal[
    "acknowledge", "mitigate", "resolve", "close", "reopen", "set_severity", "set_kind", "set_role",
    "add_note", "merge", "split", "snooze", "act", "save_review",
]  # fmt: skip
ActionKind = Literal[
    "redispatch", "pause_matching", "resume_matching", "message_customers", "flag_off"
]
Exclusion = Literal["test", "false_positive", "merged"]
BulkVerb = Literal["acknowledge", "mitigate", "resolve", "close", "snooze", "set_severity"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AlertIn(_In):
    """One alert as a doorway or a detector tells it; `integration` and `key` name it while open.

    `ended_at` is for a resolved one: the moment that the condition ended, however late this comes.
    """

    integration: Word
    key: Key
    title: Line
    severity: Severity
    status: AlertStatus = AlertStatus.FIRING
    service: Word
    region: Region = "*"
    started_at: Moment
    ended_at: Moment | None = None
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=200)] = {}
    url: Annotated[str, StringConstraints(max_length=2000, pattern=_NO_NUL)] | None = None
    value: float | None = None


class AlertFilter(_In):
    """Which alerts are wanted; what is left out does not narrow."""

    status: AlertStatus | None = None
    severity: Severity | None = None
    region: Region | None = None
    service: Word | None = None
    integration: Word | None = None
    incident_id: UUID | None = None
    q: Search | None = None


class AlertOut(BaseModel):
    """An alert; `silenced_by` names the maintenance window that keeps it quiet."""

    id: UUID
    integration: str
    key: str
    title: str
    severity: Severity
    status: AlertStatus
    service: str
    region: str
    started_at: datetime
    ended_at: datetime | None
    clears_at: datetime | None
    received_at: datetime
    seen_at: datetime
    deliveries: int
    flaps: int
    labels: dict[str, str]
    url: str | None
    value: float | None
    incident_id: UUID | None
    silenced_by: UUID | None
    snoozed_until: datetime | None
    acknowledged_by_name: str | None
    acknowledged_at: datetime | None
    event_id: UUID | None
    trace_id: str | None


class AlertPage(BaseModel):
    """A page of alerts, newest first."""

    items: list[AlertOut]
    next_cursor: str | None


class AlertBulkIn(_In):
    """The same verb on many alerts; `snooze` needs `until`."""

    verb: Literal["acknowledge", "snooze", "resolve"]
    ids: Annotated[list[UUID], Field(min_length=1, max_length=10_000)]
    until: Moment | None = None
    reason: Line | None = None


class RawEventOut(BaseModel):
    """A delivery as it was received; `state` is waiting, done or refused, `why` says what for."""

    id: UUID
    doorway: str
    integration: str
    received_at: datetime
    content_type: str
    headers: dict[str, str]
    body: str
    state: Literal["waiting", "done", "refused"]
    why: str | None


class IncidentFilter(_In):
    """Which incidents are wanted; without `states` the open ones.

    `q` looks in number and title; `mine` keeps those in which the caller has a role.
    """

    states: Annotated[list[IncidentState], Field(max_length=6)] = []
    severity: Severity | None = None
    region: Region | None = None
    service: Word | None = None
    q: Search | None = None
    mine: bool = False
    since: Moment | None = None
    until: Moment | None = None


class RoleOut(BaseModel):
    """Somebody's part in an incident."""

    role: Role
    person_id: str
    name: str
    since: datetime


class IncidentRow(BaseModel):
    """An incident in a list; `running_s` is from the start of the impact to its end or now."""

    id: UUID
    number: str
    title: str
    severity: Severity
    state: IncidentState
    kind: Kind
    region: str
    regions: list[str]
    services: list[str]
    impact_started_at: datetime
    detected_at: datetime
    acknowledged_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    snoozed_until: datetime | None
    acknowledgement_lapses_at: datetime | None
    firing: int
    alerts_count: int
    commander: str | None
    reopened: int
    running_s: float
    version: int


class IncidentPage(BaseModel):
    """A page of incidents, newest first."""

    items: list[IncidentRow]
    next_cursor: str | None


class OpenCount(BaseModel):
    """Open incidents by severity, and how many of them nobody acknowledged."""

    by_severity: dict[Severity, int]
    unacknowledged: int
    total: int


class TimelineOut(BaseModel):
    """One entry; `at` is when it happened, `written_at` when it was told."""

    id: UUID
    at: datetime
    written_at: datetime
    kind: str
    actor: str
    actor_name: str
    text: str
    data: dict[str, Any]
    trace_id: str | None


class Clocks(BaseModel):
    """Seconds from the start of the impact to each moment, None where it is not reached.

    `running_s` goes on through a reopening; a snooze never stops it.
    """

    detect_s: float
    acknowledge_s: float | None
    mitigate_s: float | None
    resolve_s: float | None
    running_s: float


class BlastRadius(BaseModel):
    """Whom an incident hurts, counted now over its regions and time.

    `held` is money of payments that are under way or failed; `orders_waiting` those not picked up.
    """

    at: datetime
    since: datetime
    until: datetime | None
    regions: list[str]
    orders: int
    orders_waiting: int
    orders_late: int
    drivers: int
    drivers_silent: int | None
    customers: int
    payments_failed: int
    payments_unknown: int
    money: list[Money]


class Link(BaseModel):
    """A way to look deeper."""

    kind: Literal["trace", "logs", "dashboard", "alert", "incident"]
    title: str
    url: str


class IncidentDetail(IncidentRow):
    """An incident with everything its page shows; `allowed` are the verbs open to the caller."""

    alerts: list[AlertOut]
    timeline: list[TimelineOut]
    clocks: Clocks
    roles: list[RoleOut]
    blast_radius: BlastRadius
    allowed: list[Verb]
    actions: list[ActionKind]
    follows: UUID | None
    follows_number: str | None
    merged_into: UUID | None
    merged_into_number: str | None
    merged: list[UUID]
    opened_by: str
    runbook: str | None
    traces: list[str]
    links: list[Link]
    review: str | None
    reviewed_at: datetime | None


class IncidentIn(_In):
    """An incident that a person declares; impact started now unless told otherwise."""

    title: Line
    severity: Severity
    region: Region
    service: Word
    impact_started_at: Moment | None = None
    kind: Kind = Kind.REAL
    note: Text | None = None


class ActionIn(_In):
    """What to do from an incident.

    `redispatch` takes `region` and perhaps a `polygon` of [lon, lat] pairs; `pause_matching` and
    `resume_matching` a city as `region`; `message_customers` a `text` to those affected;
    `flag_off` a `flag` and its `environment`.
    """

    kind: ActionKind
    seen_version: int
    reason: Line
    region: Region | None = None
    polygon: Annotated[list[tuple[float, float]], Field(min_length=3, max_length=500)] | None = None
    text: Text | None = None
    flag: Word | None = None
    environment: Environment = "production"


class ActionResult(BaseModel):
    """What an action did, in words and figures."""

    kind: ActionKind
    summary: str
    data: dict[str, Any]
    incident: IncidentRow


class BulkItem(_In):
    """One incident of a bulk change, at the version seen."""

    id: UUID
    seen_version: int


class BulkIn(_In):
    """The same verb on many incidents."""

    verb: BulkVerb
    items: Annotated[list[BulkItem], Field(min_length=1, max_length=500)]
    reason: Line | None = None
    severity: Severity | None = None
    until: Moment | None = None
