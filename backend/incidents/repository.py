"""Every query on incidents and their timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.incidents.models import AlertTable, IncidentTable, TimelineRow
from backend.incidents.places import incident_concerns
from backend.incidents.rules import OPEN, AlertStatus, IncidentState, Kind
from backend.incidents.schemas import IncidentFilter
from backend.platform import clock
from backend.platform.db import plan_for_values
from backend.platform.ids import uuid7
from backend.platform.telemetry import current_trace_id
from backend.platform.words import mentions

_TURN = 7265437
_NUMBER = "INC-"


async def await_turn(session: AsyncSession) -> None:
    """Wait until nobody else takes alerts in or moves them between incidents, to the commit.

    One after the other: two at once could open two incidents for one thing.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _TURN})


def number_of(row: IncidentTable) -> str:
    """The number that people say: `INC-12`."""
    return f"{_NUMBER}{row.number}"


async def add(session: AsyncSession, row: IncidentTable) -> IncidentTable:
    """Add an incident; its number comes with it."""
    session.add(row)
    await session.flush()
    return row


async def incident(
    session: AsyncSession,
    named: UUID | str,
    scopes: Sequence[str],
    *,
    lock: bool = False,
) -> IncidentTable | None:
    """The incident of an id or a number, if it concerns the scopes."""
    if (incident_id := _id_of(named)) is not None:
        is_it = col(IncidentTable.id) == incident_id
    else:
        digits = str(named).upper().removeprefix(_NUMBER)
        if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
            return None
        is_it = col(IncidentTable.number) == int(digits)
    query = select(IncidentTable).where(is_it, incident_concerns(scopes))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: IncidentTable | None = await session.scalar(query)
    return found


def _id_of(named: UUID | str) -> UUID | None:
    if isinstance(named, UUID):
        return named
    try:
        return UUID(named) if len(named) == len(str(UUID(int=0))) else None
    except ValueError:
        return None


async def locked(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, IncidentTable]:
    """These incidents, locked in the order of their ids."""
    query = (
        select(IncidentTable)
        .where(col(IncidentTable.id).in_(ids))
        .order_by(col(IncidentTable.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in await session.scalars(query)}


async def open_of_services(session: AsyncSession, services: Sequence[str]) -> list[IncidentTable]:
    """Open incidents that grew from any of the services, locked, the newest first."""
    query = (
        select(IncidentTable)
        .where(
            col(IncidentTable.service).in_(services),
            col(IncidentTable.state).in_(OPEN),
            col(IncidentTable.kind) == Kind.REAL,
        )
        .order_by(col(IncidentTable.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(query))[::-1]


async def followed(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, IncidentTable]:
    """These incidents, locked; one that was merged stands for the one that it ended in."""
    found: dict[UUID, IncidentTable] = {}
    wanted = {each: each for each in ids}
    while wanted:
        rows = await locked(session, list(wanted.values()))
        onward = {}
        for asked, looked in wanted.items():
            row = rows.get(looked)
            if row is None:
                continue
            if row.merged_into is not None:
                onward[asked] = row.merged_into
            else:
                found[asked] = row
        wanted = onward
    return found


def _matching(
    scopes: Sequence[str], wanted: IncidentFilter, person: str
) -> list[ColumnElement[bool]]:
    states = wanted.states or list(OPEN)
    clauses = [
        incident_concerns(scopes),
        col(IncidentTable.state).in_(states),
    ]
    if wanted.severity is not None:
        clauses.append(col(IncidentTable.severity) == wanted.severity)
    if wanted.region is not None:
        clauses.append(incident_concerns([wanted.region]))
    if wanted.service is not None:
        clauses.append(col(IncidentTable.services).contains([wanted.service]))
    if wanted.mine:
        clauses.append(col(IncidentTable.roles).contains([{"person_id": person}]))
    if wanted.since is not None:
        clauses.append(col(IncidentTable.impact_started_at) >= wanted.since)
    if wanted.until is not None:
        clauses.append(col(IncidentTable.impact_started_at) < wanted.until)
    if wanted.q and (q := wanted.q.strip()):
        words = [mentions(col(IncidentTable.title), q)]
        digits = q.upper().removeprefix(_NUMBER)
        if digits.isascii() and digits.isdigit() and len(digits) < 16:
            words.append(col(IncidentTable.number) == int(digits))
        clauses.append(or_(*words))
    return clauses


async def touching(
    session: AsyncSession,
    scopes: Sequence[str],
    region: str,
    since: datetime,
    until: datetime,
    limit: int,
) -> list[IncidentTable]:
    """Real incidents that hurt a place at any time of a span, newest first."""
    over = func.coalesce(col(IncidentTable.resolved_at), col(IncidentTable.closed_at))
    query = select(IncidentTable).where(
        incident_concerns(scopes),
        incident_concerns([region]),
        col(IncidentTable.kind) == Kind.REAL,
        col(IncidentTable.merged_into).is_(None),
        col(IncidentTable.impact_started_at) <= until,
        or_(over.is_(None), over >= since),
    )
    return list(await session.scalars(query.order_by(col(IncidentTable.id).desc()).limit(limit)))


async def incidents(
    session: AsyncSession,
    scopes: Sequence[str],
    wanted: IncidentFilter,
    person: str,
    after: UUID | None,
    limit: int,
) -> list[IncidentTable]:
    """Incidents that match, newest first."""
    await plan_for_values(session)
    query = (
        select(IncidentTable)
        .where(*_matching(scopes, wanted, person))
        .order_by(col(IncidentTable.id).desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(IncidentTable.id) < after)
    return list(await session.scalars(query))


async def count_open(
    session: AsyncSession, scopes: Sequence[str], region: str | None
) -> list[tuple[str, str, int]]:
    """Open incidents as severity, state and count."""
    clauses = [
        incident_concerns(scopes),
        col(IncidentTable.state).in_(OPEN),
    ]
    if region is not None:
        clauses.append(incident_concerns([region]))
    rows = await session.execute(
        select(col(IncidentTable.severity), col(IncidentTable.state), func.count())
        .where(*clauses)
        .group_by(col(IncidentTable.severity), col(IncidentTable.state))
    )
    return [(row[0], row[1], row[2]) for row in rows]


@dataclass(frozen=True, slots=True)
class AlertCount:
    """An incident's alerts, and how many of them fire."""

    all: int
    firing: int


async def alert_counts(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, AlertCount]:
    """How many alerts incidents have; those without any are left out."""
    firing = func.count().filter(col(AlertTable.status) == AlertStatus.FIRING)
    rows = await session.execute(
        select(col(AlertTable.incident_id), func.count(), firing)
        .where(col(AlertTable.incident_id).in_(ids))
        .group_by(col(AlertTable.incident_id))
    )
    return {row[0]: AlertCount(row[1], row[2]) for row in rows if row[0] is not None}


async def firing_titles(session: AsyncSession, incident_id: UUID, limit: int) -> list[str]:
    """Titles of an incident's alerts that fire and have not begun to clear, the oldest first."""
    query = (
        select(col(AlertTable.title))
        .where(
            col(AlertTable.incident_id) == incident_id,
            col(AlertTable.status) == AlertStatus.FIRING,
            col(AlertTable.clears_at).is_(None),
        )
        .order_by(col(AlertTable.id))
    )
    return list(await session.scalars(query.limit(limit)))


async def merged_into(session: AsyncSession, incident_id: UUID) -> list[UUID]:
    """The incidents that ended in this one."""
    query = select(col(IncidentTable.id)).where(col(IncidentTable.merged_into) == incident_id)
    return list(await session.scalars(query.order_by(col(IncidentTable.id))))


def write(
    session: AsyncSession,
    incident_id: UUID,
    kind: str,
    actor: tuple[str, str],
    words: str,
    *,
    at: datetime | None = None,
    **data: Any,
) -> TimelineRow:
    """Add an entry to a timeline; `actor` is an id and a name."""
    now = clock.now()
    row = TimelineRow(
        id=uuid7(),
        incident_id=incident_id,
        at=at or now,
        written_at=now,
        kind=kind,
        actor=actor[0],
        actor_name=actor[1],
        text=words,
        data=data,
        trace_id=current_trace_id(),
    )
    session.add(row)
    return row


async def timeline(session: AsyncSession, incident_id: UUID) -> list[TimelineRow]:
    """The entries of an incident in the order that they happened in."""
    query = (
        select(TimelineRow)
        .where(col(TimelineRow.incident_id) == incident_id)
        .order_by(col(TimelineRow.at), col(TimelineRow.id))
    )
    return list(await session.scalars(query))


async def began(
    session: AsyncSession,
    scopes: Sequence[str],
    region: str | None,
    since: datetime,
    until: datetime,
) -> list[IncidentTable]:
    """All incidents whose impact started in the span."""
    clauses = [
        incident_concerns(scopes),
        col(IncidentTable.impact_started_at) >= since,
        col(IncidentTable.impact_started_at) < until,
    ]
    if region is not None:
        clauses.append(incident_concerns([region]))
    return list(await session.scalars(select(IncidentTable).where(*clauses)))


async def to_verify(session: AsyncSession, before: datetime, limit: int) -> list[IncidentTable]:
    """Open incidents whose alerts have been clear since before then, locked."""
    query = (
        select(IncidentTable)
        .where(
            col(IncidentTable.state).in_(OPEN),
            col(IncidentTable.cleared_at).is_not(None),
            col(IncidentTable.cleared_at) <= before,
        )
        .order_by(col(IncidentTable.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(await session.scalars(query))


async def to_call(session: AsyncSession, now: datetime, limit: int) -> list[IncidentTable]:
    """Incidents whose next step, lapse or end of a snooze is due, locked."""
    awake = or_(col(IncidentTable.snoozed_until).is_(None), col(IncidentTable.snoozed_until) <= now)
    query = (
        select(IncidentTable)
        .where(
            col(IncidentTable.state).in_([IncidentState.TRIGGERED, IncidentState.ACKNOWLEDGED]),
            awake,
            or_(
                col(IncidentTable.next_step_at) <= now,
                col(IncidentTable.ack_lapses_at) <= now,
                col(IncidentTable.snoozed_until) <= now,
            ),
        )
        .order_by(col(IncidentTable.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(await session.scalars(query))


async def numbers(session: AsyncSession, ids: Sequence[UUID | None]) -> dict[UUID | None, str]:
    """The numbers of incidents by id."""
    wanted = [each for each in ids if each is not None]
    if not wanted:
        return {}
    query = select(IncidentTable).where(col(IncidentTable.id).in_(wanted))
    return {row.id: number_of(row) for row in await session.scalars(query)}


async def mark_cleared(session: AsyncSession, ids: Sequence[UUID]) -> list[UUID]:
    """Note on open incidents without a firing alert since when they are clear; those it is new to.

    That is when the last of their alerts ended.
    """
    fires = (
        select(1)
        .where(
            col(AlertTable.incident_id) == col(IncidentTable.id),
            col(AlertTable.status) == AlertStatus.FIRING,
        )
        .exists()
    )
    last = (
        select(func.max(col(AlertTable.ended_at)))
        .where(col(AlertTable.incident_id) == col(IncidentTable.id))
        .scalar_subquery()
    )
    changed = await session.scalars(
        update(IncidentTable)
        .where(
            col(IncidentTable.id).in_(ids),
            col(IncidentTable.state).in_(OPEN),
            col(IncidentTable.cleared_at).is_(None),
            ~fires,
        )
        .values(cleared_at=last)
        .returning(col(IncidentTable.id))
        .execution_options(synchronize_session=False)
    )
    return list(changed)
