"""The verbs by which agents take an escalation from the queue to its end.

Each finds its work done when it comes a second time, and then changes nothing.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.platform.errors import NotNow
from backend.support import repository, views
from backend.support.agents import name_of_agent
from backend.support.changes import actor_of, expect, recorded, tell, to_change, touch
from backend.support.clocks import set_clocks
from backend.support.models import EscalationTable
from backend.support.replying import step_to
from backend.support.repository import number_of
from backend.support.rules import Kind, Priority, State, WaitingOn
from backend.support.schemas import EscalationRow


async def assign(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    person_id: str,
    *,
    seen_version: int,
) -> EscalationRow:
    """Give it to somebody who may work on it there; raises Invalid for anybody else."""
    row = await to_change(session, principal, escalation_id)
    if row.assignee == person_id:
        return views.row_out(row)
    expect(row, seen_version)
    _refuse_closed(row)
    name = principal.name
    if person_id != principal.id:
        name = await name_of_agent(session, person_id, row.region)
    return await _given(session, principal, row, person_id, name)


async def take(
    session: AsyncSession, principal: Principal, escalation_id: UUID, *, seen_version: int
) -> EscalationRow:
    """Take it oneself; of two who do so at once the second is told who was quicker."""
    return await assign(session, principal, escalation_id, principal.id, seen_version=seen_version)


async def release(
    session: AsyncSession, principal: Principal, escalation_id: UUID, *, seen_version: int
) -> EscalationRow:
    """Give it back to the queue."""
    row = await to_change(session, principal, escalation_id)
    if row.assignee is None:
        return views.row_out(row)
    expect(row, seen_version)
    return await _given(session, principal, row, None, None)


async def _given(
    session: AsyncSession,
    principal: Principal,
    row: EscalationTable,
    person_id: str | None,
    name: str | None,
) -> EscalationRow:
    former, row.assignee, row.assignee_name = row.assignee_name, person_id, name
    if person_id is None:
        did, words = "gave it back", f"Given back to the queue by {principal.name}."
    elif person_id == principal.id:
        did, words = "took it", f"Taken by {principal.name}."
    else:
        did, words = f"gave it to {name}", f"Given to {name} by {principal.name}."
    touch(row, principal, did)
    actor = actor_of(principal)
    repository.write(session, row, "assigned", actor, words, to=person_id, former=former)
    await tell(session, principal, row, "escalation.assigned")
    await recorded(session, principal, row, "assigned", to=name)
    return views.row_out(row)


async def set_state(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    state: State,
    *,
    seen_version: int,
    waiting_on: WaitingOn | None = None,
    note: str | None = None,
) -> EscalationRow:
    """Put it into another state; `pending` waits on the customer unless it says on whom.

    Raises NotNow where its state does not lead there.
    """
    row = await to_change(session, principal, escalation_id)
    same_wait = state is not State.PENDING or row.waiting_on == (waiting_on or WaitingOn.CUSTOMER)
    if row.state == state and same_wait:
        return views.row_out(row)
    expect(row, seen_version)
    await step_to(session, principal, row, state, waiting_on, note)
    await recorded(session, principal, row, "state", reason=note)
    return views.row_out(row)


async def set_priority(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    priority: Priority,
    *,
    seen_version: int,
    note: str | None = None,
) -> EscalationRow:
    """Change how soon it has to be done; both clocks are set anew from its opening."""
    row = await to_change(session, principal, escalation_id)
    if row.priority == priority:
        return views.row_out(row)
    expect(row, seen_version)
    _refuse_closed(row)
    former, row.priority = row.priority, priority
    await set_clocks(session, row)
    touch(row, principal, f"made it {priority}")
    words = f"{priority.capitalize()}, {former} before" + (f": {note}" if note else ".")
    repository.write(session, row, "priority", actor_of(principal), words, former=former)
    await tell(session, principal, row, "escalation.priority", former=former)
    await recorded(session, principal, row, "priority", reason=note, priority=priority)
    return views.row_out(row)


async def set_kind(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    kind: Kind,
    *,
    seen_version: int,
) -> EscalationRow:
    """Change what it is about."""
    row = await to_change(session, principal, escalation_id)
    if row.kind == kind:
        return views.row_out(row)
    expect(row, seen_version)
    _refuse_closed(row)
    if row.origin == "system":
        raise NotNow(f"{number_of(row)} opened by itself and stays about what it opened for.")
    former, row.kind = row.kind, kind
    touch(row, principal, f"said that it is about {kind}")
    words = f"About {kind}, not {former}."
    repository.write(session, row, "kind", actor_of(principal), words, former=former)
    await tell(session, principal, row, "escalation.kind", former=former)
    await recorded(session, principal, row, "kind", kind=kind)
    return views.row_out(row)


def _refuse_closed(row: EscalationTable) -> None:
    if row.state == State.CLOSED:
        raise NotNow(f"{number_of(row)} is closed; open it again first.")
