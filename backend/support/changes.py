"""How an escalation changes, whoever changes it: row, clocks, timeline and event in one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import MovedOn, NotNow
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit
from backend.support import repository
from backend.support.clocks import set_clocks
from backend.support.errors import NoSuchEscalation
from backend.support.models import EscalationTable, PauseRow
from backend.support.repository import number_of
from backend.support.rules import UNSOLVED, State, WaitingOn, may_become

READ = "escalations:read"
WRITE = "escalations:write"
_WORDS = {
    State.OPEN: "opened it again",
    State.PENDING: "set it to wait",
    State.SOLVED: "solved it",
    State.CLOSED: "closed it",
}


def actor_of(principal: Principal) -> tuple[str, str]:
    """A caller as timelines name them."""
    return principal.id, principal.name


async def to_look_at(
    session: AsyncSession, principal: Principal, named: UUID | str
) -> EscalationTable:
    """The escalation of an id or number; raises NoSuchEscalation."""
    identity.authorize(principal, READ)
    row = await repository.escalation(session, named, identity.scopes(principal, READ))
    if row is None:
        raise NoSuchEscalation
    return row


async def to_change(
    session: AsyncSession, principal: Principal, escalation_id: UUID, permission: str = WRITE
) -> EscalationTable:
    """The escalation, locked; raises NoSuchEscalation, and Denied where the caller may only look.

    What the caller has not seen is for the verb to refuse, once it is clear that it has something
    left to do: a verb that comes twice finds its work done.
    """
    identity.authorize(principal, READ)
    scopes = identity.scopes(principal, READ)
    row = await repository.escalation(session, escalation_id, scopes, lock=True)
    if row is None:
        raise NoSuchEscalation
    identity.authorize(principal, permission, row.region)
    return row


def expect(row: EscalationTable, seen_version: int | None) -> None:
    """Raise MovedOn, saying who did what, where the caller saw another version."""
    if seen_version is not None and row.version != seen_version:
        raise MovedOn(
            f"{row.changed_by_name} {row.changed_what} at {row.changed_at:%H:%M:%S} UTC;"
            f" {number_of(row)} is {row.state} now."
        )


def touch(row: EscalationTable, principal: Principal, what: str) -> None:
    """Count a change that others must have seen before they change it too."""
    row.version += 1
    row.changed_by_name, row.changed_what, row.changed_at = principal.name, what, clock.now()


async def put_into(
    session: AsyncSession,
    principal: Principal,
    row: EscalationTable,
    state: State,
    *,
    waiting_on: WaitingOn | None = None,
    at: datetime | None = None,
) -> bool:
    """Put an escalation into a state, with its pauses and clocks; False where it is there already.

    Only waiting on the customer stops the clock, and so does being solved, once it opens again.
    Raises NotNow where the state does not lead there, and where what opened by itself has opened
    again meanwhile.
    """
    at = at or clock.now()
    if state is State.PENDING and waiting_on is None:
        waiting_on = WaitingOn.CUSTOMER
    if state is not State.PENDING:
        waiting_on = None
    if (row.state, row.waiting_on) == (state, waiting_on):
        return False
    before = State(row.state)
    if not may_become(before, state):
        raise NotNow(f"{number_of(row)} is {before} and cannot become {state}.")
    if before not in UNSOLVED and state in UNSOLVED:
        await _refuse_second(session, row)
    await session.flush()
    await repository.end_pause(session, row.id, at)
    if before not in UNSOLVED and state in UNSOLVED:
        began = row.solved_at or at
        session.add(_pause(row, began, at, "solved"))
        row.solved_at = row.closed_at = None
        row.reopened += 1
    if waiting_on is WaitingOn.CUSTOMER:
        session.add(_pause(row, at, None, "customer"))
    row.state, row.waiting_on = state, waiting_on
    if state not in UNSOLVED:
        _ended(row, state, at)
    await set_clocks(session, row)
    touch(row, principal, _WORDS[state])
    await tell(session, principal, row, f"escalation.{state}", former=before)
    return True


async def _refuse_second(session: AsyncSession, row: EscalationTable) -> None:
    if row.origin != "system" or row.order_id is None:
        return
    other = await repository.opened_beside(session, row)
    if other is not None:
        raise NotNow(f"{number_of(other)} is open about the same; go on there.")


def _pause(row: EscalationTable, began: datetime, ended: datetime | None, why: str) -> PauseRow:
    return PauseRow(id=uuid7(), escalation_id=row.id, began_at=began, ended_at=ended, why=why)


def _ended(row: EscalationTable, state: State, at: datetime) -> None:
    row.solved_at = row.solved_at or at
    # Whoever solves it without a word has responded with that.
    row.first_response_at = row.first_response_at or at
    row.ready_to_answer = row.customer_waits = False
    if state is State.CLOSED:
        row.closed_at = at


async def tell(
    session: AsyncSession, principal: Principal, row: EscalationTable, kind: str, **data: Any
) -> None:
    """Emit an event of an escalation."""
    told = {
        "escalation_id": str(row.id),
        "number": number_of(row),
        "kind": row.kind,
        "priority": row.priority,
        "state": row.state,
        "order_id": str(row.order_id) if row.order_id else None,
        "order_number": row.order_number,
        "assignee": row.assignee,
        **data,
    }
    await emit(session, Event(kind, str(row.id), principal.id, told, row.region))


async def recorded(
    session: AsyncSession,
    principal: Principal,
    row: EscalationTable,
    what: str,
    *,
    reason: str | None = None,
    **after: Any,
) -> None:
    """Add what was done to the audit trail; the last thing that a verb does."""
    await session.flush()
    await identity.record(
        session, principal, f"escalation.{what}", f"escalation:{number_of(row)}",
        region=row.region, after={"state": row.state, **after}, reason=reason,
    )  # fmt: skip
