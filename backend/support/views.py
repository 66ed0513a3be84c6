"""How escalations, their words and their entries are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.notifications.message_schemas import MessageOut
from backend.platform import clock
from backend.support.changes import WRITE
from backend.support.clocks import sla_of
from backend.support.models import EntryRow, EscalationTable, PauseRow
from backend.support.repository import SAID, number_of
from backend.support.rules import Kind, Priority, State, WaitingOn
from backend.support.schemas import (
    EntryOut,
    EscalationRow,
    Origin,
    PauseOut,
    SaidOut,
    Verb,
)

_AUTHORS = {"customer": "customer", "reply": "agent", "told": "system"}


def rows_out(rows: Sequence[EscalationTable], now: datetime | None = None) -> list[EscalationRow]:
    """Escalations as a list shows them."""
    now = now or clock.now()
    return [row_out(row, now) for row in rows]


def row_out(row: EscalationTable, now: datetime | None = None) -> EscalationRow:
    """One escalation."""
    return EscalationRow(
        id=row.id,
        number=number_of(row),
        kind=Kind(row.kind),
        priority=Priority(row.priority),
        state=State(row.state),
        waiting_on=WaitingOn(row.waiting_on) if row.waiting_on else None,
        subject=row.subject,
        region=row.region,
        order_id=row.order_id,
        order_number=row.order_number,
        origin=cast(Origin, row.origin),
        assignee=row.assignee,
        assignee_name=row.assignee_name,
        incident_id=row.incident_id,
        incident_number=row.incident_number,
        ready_to_answer=row.ready_to_answer,
        customer_waits=row.customer_waits,
        opened_at=row.opened_at,
        last_at=row.last_at,
        solved_at=row.solved_at,
        closed_at=row.closed_at,
        sla=sla_of(row, now or clock.now()),
        reopened=row.reopened,
        version=row.version,
    )


def entry_out(entry: EntryRow) -> EntryOut:
    """One entry of a timeline."""
    return EntryOut(**entry.model_dump(exclude={"escalation_id", "key", "message_id"}))


def conversation_of(
    entries: Sequence[EntryRow], messages: Mapping[UUID, MessageOut]
) -> list[SaidOut]:
    """What was said between the customer and us, with what became of the messages."""
    return [
        _said_out(entry, messages.get(entry.message_id) if entry.message_id else None)
        for entry in entries
        if entry.kind in SAID
    ]


def _said_out(entry: EntryRow, message: MessageOut | None) -> SaidOut:
    return SaidOut.model_validate(
        {
            "id": entry.id,
            "at": entry.at,
            "author": _AUTHORS[entry.kind],
            "name": entry.actor_name,
            "text": entry.text,
            "message_id": entry.message_id,
            "delivery": message.state if message else None,
            "why": message.why if message else None,
        }
    )


def pause_out(row: PauseRow) -> PauseOut:
    """One pause."""
    return PauseOut.model_validate(
        {"began_at": row.began_at, "ended_at": row.ended_at, "why": row.why}
    )


def verbs_of(principal: Principal, row: EscalationTable) -> list[Verb]:
    """The verbs open to a caller in the escalation's state."""
    if not identity.may(principal, WRITE, row.region):
        return []
    verbs: list[Verb] = ["add_note", "set_state", "link_incident"]
    if row.incident_id is not None:
        verbs.append("unlink_incident")
    if row.state == State.CLOSED:
        return verbs
    if row.order_id is not None:
        verbs.insert(0, "reply")
    verbs += ["set_priority", "set_kind", "assign"]
    verbs.append("release" if row.assignee == principal.id else "take")
    return verbs
