"""The verbs that look at escalations."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.notifications import service as notifications
from backend.notifications.message_schemas import MessageOut
from backend.platform import clock
from backend.platform.cursors import decode_moment_and_id, encode
from backend.support import list_repository, repository, views
from backend.support.changes import READ, to_look_at
from backend.support.looking import presence_of
from backend.support.models import EscalationTable
from backend.support.rules import Kind, Priority, SlaState, State
from backend.support.schemas import (
    EscalationCounts,
    EscalationDetail,
    EscalationFilter,
    EscalationPage,
    EscalationRow,
    IncidentEscalations,
)

COUNTED_UP_TO = 10_000
_MOST_OF_ORDER = 100
_FIRST_OF_INCIDENT = 50


async def list_escalations(
    session: AsyncSession,
    principal: Principal,
    wanted: EscalationFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> EscalationPage:
    """A page of the caller's escalations, what is due first on top; needs `escalations:read`.

    `after` is the `next_cursor` of the page before.
    """
    identity.authorize(principal, READ)
    now = clock.now()
    rows = await list_repository.page(
        session,
        identity.scopes(principal, READ),
        wanted,
        principal.id,
        now,
        None if after is None else decode_moment_and_id(after),
        limit + 1,
    )
    more = encode(rows[limit - 1].due_at, rows[limit - 1].id) if len(rows) > limit else None
    return EscalationPage(items=views.rows_out(rows[:limit], now), next_cursor=more)


async def count_escalations(
    session: AsyncSession, principal: Principal, wanted: EscalationFilter
) -> EscalationCounts:
    """How many of the caller's escalations match, each way of looking at them."""
    identity.authorize(principal, READ)
    found = await list_repository.counts(
        session,
        identity.scopes(principal, READ),
        wanted,
        principal.id,
        clock.now(),
        most=COUNTED_UP_TO,
    )
    by_state: Counter[State] = Counter()
    by_kind: Counter[Kind] = Counter()
    by_priority: Counter[Priority] = Counter()
    by_sla: Counter[SlaState] = Counter()
    sums = [0, 0, 0, 0]
    for state, kind, priority, sla, count, *flags in found:
        by_state[State(state)] += count
        by_kind[Kind(kind)] += count
        by_priority[Priority(priority)] += count
        by_sla[SlaState(sla)] += count
        sums = [a + b for a, b in zip(sums, flags, strict=True)]
    return EscalationCounts(
        total=by_state.total(),
        by_state=dict(by_state),
        by_kind=dict(by_kind),
        by_priority=dict(by_priority),
        by_sla=dict(by_sla),
        mine=sums[0],
        unassigned=sums[1],
        ready_to_answer=sums[2],
        customer_waits=sums[3],
        most=COUNTED_UP_TO,
    )


async def get_escalation(
    session: AsyncSession, principal: Principal, named: UUID | str
) -> EscalationDetail:
    """One by its id or its number (`ESC-12`) with all that its page shows.

    Raises NoSuchEscalation.
    """
    row = await to_look_at(session, principal, named)
    entries = await repository.timeline(session, row.id)
    return EscalationDetail(
        **views.row_out(row).model_dump(),
        opened_by=row.opened_by,
        opened_by_name=row.opened_by_name,
        conversation=views.conversation_of(entries, await _messages(session, row)),
        timeline=[views.entry_out(entry) for entry in entries],
        pauses=[views.pause_out(each) for each in await repository.pauses(session, row.id)],
        viewers=await presence_of(row.id, principal),
        allowed=views.verbs_of(principal, row),
    )


async def _messages(session: AsyncSession, row: EscalationTable) -> dict[UUID, MessageOut]:
    """The messages that carried our answers, by id, for whoever may see the escalation."""
    if row.order_id is None:
        return {}
    found = await notifications.messages_of_order(session, SYSTEM, row.order_id)
    return {message.id: message for message in found if message.escalation_id == row.id}


async def escalations_of_order(
    session: AsyncSession, principal: Principal, order_id: UUID
) -> list[EscalationRow]:
    """An order's escalations in the caller's regions, newest first."""
    identity.authorize(principal, READ)
    scopes = identity.scopes(principal, READ)
    return views.rows_out(await list_repository.of_order(session, order_id, scopes, _MOST_OF_ORDER))


async def escalations_of_incident(
    session: AsyncSession, principal: Principal, incident_id: UUID
) -> IncidentEscalations:
    """How many of the caller's escalations hang on an incident, and the first unsolved of them."""
    identity.authorize(principal, READ)
    scopes = identity.scopes(principal, READ)
    total, unsolved, ready = await list_repository.count_of_incident(session, incident_id, scopes)
    rows = await list_repository.of_incident(session, incident_id, scopes, limit=_FIRST_OF_INCIDENT)
    return IncidentEscalations(
        total=total, unsolved=unsolved, ready=ready, items=views.rows_out(rows)
    )
