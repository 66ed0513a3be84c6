"""What the verbs on an escalation take over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from backend.support.rules import Kind, Priority, State, WaitingOn
from backend.support.schemas import Line, Text, Word


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Seen(_In):
    """The version that the caller saw."""

    seen_version: int


class NoteIn(_In):
    """A note among ourselves; a second one with the same `key` is the first."""

    text: Text
    key: Word | None = None


class AssignIn(Seen):
    """Whom it is given to."""

    person_id: Word


class StateIn(Seen):
    """Where it stands now, and on whom it waits."""

    state: State
    waiting_on: WaitingOn | None = None
    note: Line | None = None


class PriorityIn(Seen):
    """How soon it has to be done."""

    priority: Priority
    note: Line | None = None


class KindIn(Seen):
    """What it is about."""

    kind: Kind


class LinkIn(Seen):
    """The incident that it hangs on, by id or number."""

    incident: Word


class LookIn(_In):
    """Whether one is writing."""

    typing: bool = False


class DraftIn(Seen):
    """What one has begun to write, and the version that it answers to."""

    text: Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00]*$")]


class AvailableIn(_In):
    """Whether one takes what comes in."""

    available: bool


class AnswerIn(_In):
    """The answer to all who wait for the end of an incident."""

    text: Text
    solve: bool = True
    after: UUID | None = None
