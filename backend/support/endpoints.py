"""Escalations over HTTP, under `/api/v1/escalations`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.http import Uow
from backend.platform.idempotency import Once
from backend.platform.many import BulkResults
from backend.support import service
from backend.support.rules import Kind, Priority, SlaState, State
from backend.support.schemas import (
    AnswerResults,
    BulkIn,
    Draft,
    EntryOut,
    EscalationCounts,
    EscalationDetail,
    EscalationFilter,
    EscalationIn,
    EscalationPage,
    EscalationRow,
    IncidentEscalations,
    Origin,
    ReplyIn,
    Sort,
    Viewer,
)
from backend.support.verb_schemas import (
    AnswerIn,
    AssignIn,
    DraftIn,
    KindIn,
    LinkIn,
    LookIn,
    NoteIn,
    PriorityIn,
    Seen,
    StateIn,
)

router = APIRouter(prefix="/api/v1/escalations", tags=["escalations"])

Reader = Annotated[Principal, Depends(requires("escalations:read"))]
Writer = Annotated[Principal, Depends(requires("escalations:write"))]
Answerer = Annotated[Principal, Depends(requires("escalations:answer_many"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Search = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]
Named = Annotated[str, Path(max_length=40, pattern=r"^[^\x00]*$")]


def _wanted(
    state: Annotated[list[State] | None, Query()] = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    priority: Annotated[list[Priority] | None, Query()] = None,
    sla: SlaState | None = None,
    region: Search | None = None,
    assignee: Search | None = None,
    incident_id: UUID | None = None,
    order_number: Search | None = None,
    origin: Origin | None = None,
    ready_to_answer: bool | None = None,
    customer_waits: bool | None = None,
    q: Search | None = None,
    sort: Sort = "due",
) -> EscalationFilter:
    return EscalationFilter(
        states=state or [], kinds=kind or [], priorities=priority or [], sla=sla,
        region=region or None, assignee=assignee or None, incident_id=incident_id,
        order_number=order_number or None, origin=origin, ready_to_answer=ready_to_answer,
        customer_waits=customer_waits, q=q or None, sort=sort,
    )  # fmt: skip


Wanted = Annotated[EscalationFilter, Depends(_wanted)]


@router.get("")
async def list_escalations(
    session: Uow, caller: Reader, wanted: Wanted, limit: Limit = 50, cursor: Search | None = None
) -> EscalationPage:
    """Escalations, what is due first on top; the unsolved ones where no state is named."""
    return await service.list_escalations(session, caller, wanted, after=cursor, limit=limit)


@router.post("", status_code=201, response_model=EscalationRow)
async def open_escalation(
    session: Uow, caller: Writer, once: Once, wanted: EscalationIn
) -> Response:
    """Open one by hand."""
    return await once.answer(
        session, caller.id, lambda: service.open_escalation(session, caller, wanted)
    )


@router.get("/counts")
async def count_escalations(session: Uow, caller: Reader, wanted: Wanted) -> EscalationCounts:
    """How many match, each way of looking at them."""
    return await service.count_escalations(session, caller, wanted)


@router.post("/bulk")
async def act_on_escalations(session: Uow, caller: Writer, wanted: BulkIn) -> BulkResults:
    """One verb on many."""
    return await service.act_on_escalations(session, caller, wanted)


@router.get("/incidents/{incident_id}")
async def escalations_of_incident(
    session: Uow, caller: Reader, incident_id: UUID
) -> IncidentEscalations:
    """An incident's escalations."""
    return await service.escalations_of_incident(session, caller, incident_id)


@router.post("/incidents/{incident_id}/answer")
async def answer_incident(
    session: Uow, caller: Answerer, incident_id: UUID, wanted: AnswerIn
) -> AnswerResults:
    """Answer those of an incident, a page at a time; each once."""
    return await service.answer_incident(
        session, caller, incident_id, wanted.text, wanted.solve,
        after=str(wanted.after) if wanted.after else None,
    )  # fmt: skip


@router.get("/{number}")
async def get_escalation(session: Uow, caller: Reader, number: Named) -> EscalationDetail:
    """One escalation, by its id or its number."""
    return await service.get_escalation(session, caller, number)


@router.post("/{escalation_id}/reply")
async def reply(
    session: Uow, caller: Writer, escalation_id: UUID, wanted: ReplyIn
) -> EscalationRow:
    """Answer the customer."""
    return await service.reply(session, caller, escalation_id, wanted)


@router.post("/{escalation_id}/notes", status_code=201)
async def add_note(session: Uow, caller: Writer, escalation_id: UUID, wanted: NoteIn) -> EntryOut:
    """Write into the timeline."""
    return await service.add_note(session, caller, escalation_id, wanted.text, key=wanted.key)


@router.post("/{escalation_id}/assign")
async def assign(
    session: Uow, caller: Writer, escalation_id: UUID, wanted: AssignIn
) -> EscalationRow:
    """Give it to somebody."""
    return await service.assign(
        session, caller, escalation_id, wanted.person_id, seen_version=wanted.seen_version
    )


@router.post("/{escalation_id}/take")
async def take(session: Uow, caller: Writer, escalation_id: UUID, seen: Seen) -> EscalationRow:
    """Take it oneself."""
    return await service.take(session, caller, escalation_id, seen_version=seen.seen_version)


@router.post("/{escalation_id}/release")
async def release(session: Uow, caller: Writer, escalation_id: UUID, seen: Seen) -> EscalationRow:
    """Give it back to the queue."""
    return await service.release(session, caller, escalation_id, seen_version=seen.seen_version)


@router.post("/{escalation_id}/state")
async def set_state(
    session: Uow, caller: Writer, escalation_id: UUID, wanted: StateIn
) -> EscalationRow:
    """Put it into another state."""
    return await service.set_state(
        session, caller, escalation_id, wanted.state, seen_version=wanted.seen_version,
        waiting_on=wanted.waiting_on, note=wanted.note,
    )  # fmt: skip


@router.post("/{escalation_id}/priority")
async def set_priority(
    session: Uow, caller: Writer, escalation_id: UUID, wanted: PriorityIn
) -> EscalationRow:
    """How soon it has to be done."""
    return await service.set_priority(
        session, caller, escalation_id, wanted.priority, seen_version=wanted.seen_version,
        note=wanted.note,
    )  # fmt: skip


@router.post("/{escalation_id}/kind")
async def set_kind(
    session: Uow, caller: Writer, escalation_id: UUID, wanted: KindIn
) -> EscalationRow:
    """What it is about."""
    return await service.set_kind(
        session, caller, escalation_id, wanted.kind, seen_version=wanted.seen_version
    )


@router.post("/{escalation_id}/incident")
async def link_incident(
    session: Uow, caller: Writer, escalation_id: UUID, wanted: LinkIn
) -> EscalationRow:
    """Hang it on an incident."""
    return await service.link_incident(
        session, caller, escalation_id, wanted.incident, seen_version=wanted.seen_version
    )


@router.post("/{escalation_id}/incident/remove")
async def unlink_incident(
    session: Uow, caller: Writer, escalation_id: UUID, seen: Seen
) -> EscalationRow:
    """Take it off its incident."""
    return await service.unlink_incident(
        session, caller, escalation_id, seen_version=seen.seen_version
    )


@router.get("/{escalation_id}/presence")
async def presence(session: Uow, caller: Reader, escalation_id: UUID) -> list[Viewer]:
    """The others who have it before them."""
    return await service.presence(session, caller, escalation_id)


@router.put("/{escalation_id}/presence")
async def look_at(
    session: Uow, caller: Reader, escalation_id: UUID, wanted: LookIn
) -> list[Viewer]:
    """Say that one looks at it."""
    return await service.look_at(session, caller, escalation_id, typing=wanted.typing)


@router.delete("/{escalation_id}/presence", status_code=204)
async def leave(session: Uow, caller: Reader, escalation_id: UUID) -> None:
    """Say that one looks at it no longer."""
    await service.leave(session, caller, escalation_id)


@router.get("/{escalation_id}/draft")
async def draft_of(session: Uow, caller: Reader, escalation_id: UUID) -> Draft | None:
    """The caller's own draft."""
    return await service.draft_of(session, caller, escalation_id)


@router.put("/{escalation_id}/draft")
async def save_draft(
    session: Uow, caller: Writer, escalation_id: UUID, wanted: DraftIn
) -> Draft | None:
    """Keep the caller's own draft."""
    return await service.save_draft(
        session, caller, escalation_id, wanted.text, seen_version=wanted.seen_version
    )
