"""The queries behind the queue: filters, keyset pages, counts, and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Uuid,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.platform.db import plan_for_values
from backend.platform.scopes import narrowed
from backend.platform.words import mentions
from backend.support.clock_rules import FAR_OFF
from backend.support.models import UNSOLVED, EscalationTable
from backend.support.repository import digits_of, within
from backend.support.rules import UNSOLVED as UNSOLVED_STATES
from backend.support.rules import SlaState, State
from backend.support.schemas import EscalationFilter

NOBODY = "nobody"
ME = "me"
_T = EscalationTable


def sla_at(now: datetime) -> ColumnElement[str]:
    """`views.sla_of(row).state` for each row."""
    missed = or_(
        col(_T.first_response_at) > col(_T.first_response_due),
        col(_T.solved_at) > col(_T.resolution_due),
    )
    return case(
        (col(_T.state).in_([State.SOLVED, State.CLOSED]),
         case((missed, SlaState.BREACHED.value), else_=SlaState.MET.value)),
        (col(_T.due_at) == FAR_OFF, SlaState.PAUSED.value),
        (col(_T.due_at) < now, SlaState.BREACHED.value),
        (col(_T.warn_at) <= now, SlaState.SOON.value),
        else_=SlaState.RUNNING.value,
    )  # fmt: skip


def _matching(
    scopes: Sequence[str], wanted: EscalationFilter, person: str, now: datetime
) -> list[ColumnElement[bool]]:
    seen = scopes if not wanted.region else narrowed(scopes, wanted.region)
    clauses: list[ColumnElement[bool]] = [
        within(col(_T.region), seen) if seen else false(),
    ]
    equals = {
        _T.incident_id: wanted.incident_id,
        _T.origin: wanted.origin,
        _T.ready_to_answer: wanted.ready_to_answer,
        _T.customer_waits: wanted.customer_waits,
        _T.order_number: (wanted.order_number or "").strip().upper() or None,
    }
    clauses += [col(column) == value for column, value in equals.items() if value is not None]
    if wanted.kinds:
        clauses.append(col(_T.kind).in_(wanted.kinds))
    if wanted.priorities:
        clauses.append(col(_T.priority).in_(wanted.priorities))
    if wanted.assignee == NOBODY:
        clauses.append(col(_T.assignee).is_(None))
    elif wanted.assignee:
        clauses.append(col(_T.assignee) == (person if wanted.assignee == ME else wanted.assignee))
    if wanted.sla is not None:
        clauses.append(sla_at(now) == wanted.sla.value)
    if wanted.q and wanted.q.strip():
        clauses.append(_says(wanted.q.strip()))
    return clauses


def _in_states(states: Sequence[State]) -> ColumnElement[bool]:
    """Rows in the states, which are written into the statement.

    A plan that is kept sees with that which partial index it may read.
    """
    values = [state.value for state in states]
    each: BindParameter[Any] = bindparam(
        "states", values, unique=True, expanding=True, literal_execute=True
    )
    return col(_T.state).in_(each)


def _states(wanted: EscalationFilter) -> list[State]:
    return list(dict.fromkeys(wanted.states or UNSOLVED_STATES))


def _by_due(wanted: EscalationFilter) -> bool:
    """Whether a list goes by what is due: nothing is, among those that are over."""
    return wanted.sort == "due" and set(wanted.states) <= set(UNSOLVED_STATES)


def _says(q: str) -> ColumnElement[bool]:
    columns = (col(_T.subject), col(_T.order_number), col(_T.incident_number))
    words = [mentions(column, q) for column in columns]
    number = digits_of(q)
    if number is not None:
        words.append(col(_T.number) == number)
    return or_(*words)


async def page(
    session: AsyncSession,
    scopes: Sequence[str],
    wanted: EscalationFilter,
    person: str,
    now: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[EscalationTable]:
    """Escalations that match: what is due first where none is over, else the newest."""
    await plan_for_values(session)
    conditions = [*_matching(scopes, wanted, person, now), _in_states(_states(wanted))]
    query = select(_T).where(*conditions).limit(limit)
    if _by_due(wanted):
        query = query.order_by(col(_T.due_at), col(_T.id))
        if after is not None:
            here = tuple_(literal(after[0]), literal(after[1], Uuid))
            query = query.where(tuple_(col(_T.due_at), col(_T.id)) > here)
    else:
        query = query.order_by(col(_T.id).desc())
        if after is not None:
            query = query.where(col(_T.id) < after[1])
    return list(await session.scalars(query))


async def counts(
    session: AsyncSession,
    scopes: Sequence[str],
    wanted: EscalationFilter,
    person: str,
    now: datetime,
    *,
    most: int,
) -> list[tuple[Any, ...]]:
    """Matching ones by state, kind, priority and clock, with the counts of `EscalationCounts`.

    The unsolved are all counted. Of those that are over there can be millions: each state of theirs
    is counted up to `most`.
    """
    await plan_for_values(session)
    states = _states(wanted)
    columns = select(
        col(_T.state), col(_T.kind), col(_T.priority), sla_at(now).label("sla"),
        col(_T.assignee), col(_T.ready_to_answer), col(_T.customer_waits),
    ).where(*_matching(scopes, wanted, person, now))  # fmt: skip
    unsolved = [state for state in states if state in UNSOLVED_STATES]
    parts = [columns.where(_in_states(unsolved))] if unsolved else []
    over = [state for state in states if state not in UNSOLVED_STATES]
    parts += [columns.where(_in_states([state])).limit(most) for state in over]
    rows = union_all(*(part.subquery().select() for part in parts)).subquery().c
    dimensions = (rows.state, rows.kind, rows.priority, rows.sla)
    query = select(
        *dimensions,
        func.count(),
        func.count().filter(rows.assignee == person),
        func.count().filter(rows.assignee.is_(None)),
        func.count().filter(rows.ready_to_answer),
        func.count().filter(rows.customer_waits),
    ).group_by(*dimensions)
    return [tuple(row) for row in await session.execute(query)]


async def of_order(
    session: AsyncSession, order_id: UUID, scopes: Sequence[str], limit: int
) -> list[EscalationTable]:
    """An order's escalations, newest first."""
    query = (
        select(_T)
        .where(col(_T.order_id) == order_id, within(col(_T.region), scopes))
        .order_by(col(_T.id).desc())
        .limit(limit)
    )
    return list(await session.scalars(query))


async def of_incident(
    session: AsyncSession,
    incident_id: UUID,
    scopes: Sequence[str],
    *,
    after: UUID | None = None,
    limit: int,
) -> list[EscalationTable]:
    """An incident's unsolved escalations by id, after a place."""
    query = (
        select(_T)
        .where(col(_T.incident_id) == incident_id, UNSOLVED, within(col(_T.region), scopes))
        .order_by(col(_T.id))
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(_T.id) > after)
    return list(await session.scalars(query))


async def count_of_incident(
    session: AsyncSession, incident_id: UUID, scopes: Sequence[str]
) -> tuple[int, int, int]:
    """How many hang on an incident, how many are unsolved, how many wait for its answer."""
    query = select(
        func.count(),
        func.count().filter(UNSOLVED),
        func.count().filter(and_(col(_T.ready_to_answer), UNSOLVED)),
    ).where(col(_T.incident_id) == incident_id, within(col(_T.region), scopes))
    row = (await session.execute(query)).one()
    return row[0], row[1], row[2]


async def unsolved_by_assignee(session: AsyncSession, persons: Sequence[str]) -> dict[str, int]:
    """How many unsolved ones each of these people has."""
    rows = await session.execute(
        select(col(_T.assignee), func.count())
        .where(col(_T.assignee).in_(persons), UNSOLVED)
        .group_by(col(_T.assignee))
    )
    return {row[0]: row[1] for row in rows if row[0] is not None}


async def to_warn(session: AsyncSession, now: datetime, limit: int) -> list[EscalationTable]:
    """Unsolved ones whose clock calls for a warning that has not been given, locked."""
    overdue = and_(col(_T.due_at) < now, col(_T.warned) < 2)
    query = (
        select(_T)
        .where(
            UNSOLVED,
            col(_T.warned) < 2,
            col(_T.warn_at) <= now,
            or_(col(_T.warned) < 1, overdue),
        )
        .order_by(col(_T.warn_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(query))


async def to_close(
    session: AsyncSession, solved_before: datetime, limit: int
) -> list[EscalationTable]:
    """Those that have been solved since before then, locked."""
    query = (
        select(_T)
        .where(col(_T.state) == State.SOLVED, col(_T.solved_at) < solved_before)
        .order_by(col(_T.solved_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(query))


async def stale(session: AsyncSession, limit: int) -> list[EscalationTable]:
    """Those whose clocks are to be set anew, locked."""
    query = (
        select(_T)
        .where(col(_T.stale))
        .order_by(col(_T.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(query))


async def mark_stale(session: AsyncSession, region: str) -> None:
    """Ask for the clocks of the unsolved ones in a region to be set anew."""
    await session.execute(
        update(_T)
        .where(UNSOLVED, within(col(_T.region), [region]))
        .values(stale=True)
        .execution_options(synchronize_session=False)
    )


async def ready(session: AsyncSession, incident_id: UUID) -> list[EscalationTable]:
    """Unsolved ones of an incident that do not wait for its answer yet, locked."""
    query = (
        select(_T)
        .where(col(_T.incident_id) == incident_id, UNSOLVED, col(_T.ready_to_answer).is_(False))
        .order_by(col(_T.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(query))


async def unready(session: AsyncSession, incident_id: UUID) -> None:
    """Have an incident's escalations wait for no answer."""
    await session.execute(
        update(_T)
        .where(col(_T.incident_id) == incident_id, col(_T.ready_to_answer))
        .values(ready_to_answer=False)
        .execution_options(synchronize_session=False)
    )


async def all_of_incident(session: AsyncSession, incident_id: UUID) -> list[EscalationTable]:
    """Every escalation of an incident, locked."""
    query = (
        select(_T)
        .where(col(_T.incident_id) == incident_id)
        .order_by(col(_T.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(query))
