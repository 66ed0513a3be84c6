"""What agents, pages and integrations send and read of escalations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.notifications.message_schemas import MessageState
from backend.platform.many import BulkResults
from backend.support.rules import Kind, Priority, SlaState, State, WaitingOn

_NO_NUL = r"^[^\x00]*$"
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_NO_NUL)
]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=_NO_NUL)
]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=_NO_NUL)
]
Region = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)]
Search = Annotated[str, StringConstraints(max_length=100, pattern=_NO_NUL)]

Origin = Literal["customer", "agent", "system"]
Sort = Literal["due", "newest"]
Verb = Literal[
    "reply", "add_note", "assign", "take", "release", "set_state", "set_priority", "set_kind",
    "link_incident", "unlink_incident",
]  # fmt: skip
BulkVerb = Literal[
    "reply", "add_note", "assign", "take", "release", "set_state", "set_priority", "set_kind",
    "link_incident", "unlink_incident",
]  # fmt: skip


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EscalationIn(_In):
    """An escalation to open by hand; `region` is the order's where there is an order.

    `on_behalf` says whose words `text` are: the customer's, or a note of ours. `key` names the
    asking: a second one with the same key by the same caller is the first.
    """

    order_number: Word | None = None
    kind: Kind
    priority: Priority = Priority.NORMAL
    subject: Line
    text: Text
    region: Region | None = None
    on_behalf: Literal["customer", "us"] = "customer"
    key: Word | None = None


class Sla(BaseModel):
    """Both clocks of an escalation, and `state` of the one that somebody has to keep next.

    `remaining_s` are wall-clock seconds to that due moment, negative once it has passed, and None
    while nothing runs. `paused_left_s` is the time in business hours that a paused clock has left.
    """

    first_response_due: datetime
    first_response_at: datetime | None
    first_response: SlaState
    resolution_due: datetime | None
    resolution: SlaState
    state: SlaState
    due: datetime | None
    remaining_s: int | None
    paused_left_s: int | None


class EscalationRow(BaseModel):
    """An escalation as lists show it; `customer_waits` where the last word is the customer's."""

    id: UUID
    number: str
    kind: Kind
    priority: Priority
    state: State
    waiting_on: WaitingOn | None
    subject: str
    region: str
    order_id: UUID | None
    order_number: str | None
    origin: Origin
    assignee: str | None
    assignee_name: str | None
    incident_id: UUID | None
    incident_number: str | None
    ready_to_answer: bool
    customer_waits: bool
    opened_at: datetime
    last_at: datetime
    solved_at: datetime | None
    closed_at: datetime | None
    sla: Sla
    reopened: int
    version: int


class EscalationPage(BaseModel):
    """One page of escalations."""

    items: list[EscalationRow]
    next_cursor: str | None


class EscalationFilter(_In):
    """Which escalations; the unsolved ones where no state is named.

    `assignee` is a person's id, `me` or `nobody`. Lists with any that are over come newest first.
    """

    states: list[State] = []
    kinds: list[Kind] = []
    priorities: list[Priority] = []
    sla: SlaState | None = None
    region: Search | None = None
    assignee: Search | None = None
    incident_id: UUID | None = None
    order_number: Search | None = None
    origin: Origin | None = None
    ready_to_answer: bool | None = None
    customer_waits: bool | None = None
    q: Search | None = None
    sort: Sort = "due"


class EscalationCounts(BaseModel):
    """How many escalations match, each way of looking at them.

    The solved and the closed are counted up to `most` each, which then means "or more".
    """

    total: int
    by_state: dict[State, int]
    by_kind: dict[Kind, int]
    by_priority: dict[Priority, int]
    by_sla: dict[SlaState, int]
    mine: int
    unassigned: int
    ready_to_answer: int
    customer_waits: int
    most: int


class SaidOut(BaseModel):
    """One word of the conversation; `{customer}` in a text stands for the customer's first name.

    `delivery` and `why` tell how the message that carried it stands.
    """

    id: UUID
    at: datetime
    author: Literal["customer", "agent", "system"]
    name: str
    text: str
    message_id: UUID | None
    delivery: MessageState | None = None
    why: str | None = None


class EntryOut(BaseModel):
    """One entry of the timeline: what was done, said or noted."""

    id: UUID
    at: datetime
    kind: str
    actor: str
    actor_name: str
    text: str
    data: dict[str, Any]


class PauseOut(BaseModel):
    """A span in which the resolution's clock stood still."""

    began_at: datetime
    ended_at: datetime | None
    why: Literal["customer", "solved"]


class Viewer(BaseModel):
    """Somebody who has the escalation before them now."""

    person_id: str
    name: str
    typing: bool
    since: datetime


class EscalationDetail(EscalationRow):
    """One escalation with all that its page shows; `viewers` are the others."""

    opened_by: str
    opened_by_name: str
    conversation: list[SaidOut]
    timeline: list[EntryOut]
    pauses: list[PauseOut]
    viewers: list[Viewer]
    allowed: list[Verb]


class ReplyIn(_In):
    """An answer to the customer, and what the escalation becomes with it.

    `key` names the answer: a second one with the same key is the first. `{customer}`, `{number}`,
    `{eta}`, `{agent}` and `{incident}` are filled in.
    """

    text: Text
    then: State | None = None
    waiting_on: WaitingOn | None = None
    seen_version: int
    key: Word | None = None


class BulkItem(_In):
    """One of many, at the version that the caller saw."""

    id: UUID
    seen_version: int


class BulkIn(_In):
    """One verb on many escalations; each verb takes the fields of its name."""

    verb: BulkVerb
    items: Annotated[list[BulkItem], Field(min_length=1, max_length=200)]
    text: Text | None = None
    assignee: Word | None = None
    state: State | None = None
    waiting_on: WaitingOn | None = None
    priority: Priority | None = None
    kind: Kind | None = None
    incident: Word | None = None
    reason: Line | None = None


class AnswerResults(BulkResults):
    """The same for an incident's escalations; go on with `next_cursor` until there is none."""

    next_cursor: str | None


class IncidentEscalations(BaseModel):
    """The caller's escalations on an incident: how many, how many unsolved, and the first of them.

    Those that are `ready` were unsolved when the incident was resolved, and wait for its answer.
    """

    total: int
    unsolved: int
    ready: int
    items: list[EscalationRow]


class Draft(BaseModel):
    """What an agent has begun to write; `outdated` once somebody else has answered since."""

    text: str
    saved_at: datetime
    seen_version: int
    outdated: bool
    outdated_by: str | None
