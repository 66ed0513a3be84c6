"""Every query on alerts and on deliveries as they were received."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, any_, cast, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.incidents.models import AlertTable, EventRow
from backend.incidents.places import any_concerns, concerns, within
from backend.incidents.rules import AlertStatus
from backend.incidents.schemas import AlertFilter
from backend.platform.db import plan_for_values
from backend.platform.words import mentions

Named = tuple[str, str]
"""An alert's integration and key."""


async def newest(session: AsyncSession, named: Sequence[Named]) -> dict[Named, AlertTable]:
    """The newest episode of each key, locked."""
    if not named:
        return {}
    integration, key = col(AlertTable.integration), col(AlertTable.key)
    last = (
        select(col(AlertTable.id))
        .ext(distinct_on(integration, key))
        .where(tuple_(integration, key).in_(named))
        .order_by(integration, key, col(AlertTable.id).desc())
    )
    query = (
        select(AlertTable)
        .where(col(AlertTable.id).in_(last))
        .order_by(col(AlertTable.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {(row.integration, row.key): row for row in await session.scalars(query)}


async def alerts(
    session: AsyncSession,
    scopes: Sequence[str],
    wanted: AlertFilter,
    after: UUID | None,
    limit: int,
) -> list[AlertTable]:
    """Alerts that match, newest first."""
    await plan_for_values(session)
    query = (
        select(AlertTable)
        .where(*_matching(scopes, wanted))
        .order_by(col(AlertTable.id).desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(AlertTable.id) < after)
    return list(await session.scalars(query))


def _matching(scopes: Sequence[str], wanted: AlertFilter) -> list[ColumnElement[bool]]:
    clauses = [concerns(col(AlertTable.region), scopes)]
    for column, value in (
        (col(AlertTable.status), wanted.status),
        (col(AlertTable.severity), wanted.severity),
        (col(AlertTable.service), wanted.service),
        (col(AlertTable.integration), wanted.integration),
        (col(AlertTable.incident_id), wanted.incident_id),
    ):
        if value is not None:
            clauses.append(column == value)
    if wanted.region is not None:
        clauses.append(concerns(col(AlertTable.region), [wanted.region]))
    if wanted.q and (q := wanted.q.strip()):
        clauses.append(or_(mentions(col(AlertTable.title), q), mentions(col(AlertTable.key), q)))
    return clauses


async def of_incident(session: AsyncSession, incident_id: UUID, limit: int) -> list[AlertTable]:
    """An incident's alerts, the firing first, then the newest."""
    query = (
        select(AlertTable)
        .where(col(AlertTable.incident_id) == incident_id)
        .order_by(col(AlertTable.status), col(AlertTable.id).desc())
        .limit(limit)
    )
    return list(await session.scalars(query))


async def detected(session: AsyncSession, incident_id: UUID) -> list[str]:
    """Keys of an incident's alerts that Waypost's own detectors told."""
    query = select(col(AlertTable.key)).where(
        col(AlertTable.incident_id) == incident_id,
        col(AlertTable.integration) == "waypost",
        col(AlertTable.labels).op("?")("detector"),
    )
    return sorted(set(await session.scalars(query)))


async def locked(
    session: AsyncSession, ids: Sequence[UUID], scopes: Sequence[str]
) -> dict[UUID, AlertTable]:
    """These alerts as far as they concern the scopes, locked."""
    query = (
        select(AlertTable)
        .where(
            col(AlertTable.id).in_(ids),
            concerns(col(AlertTable.region), scopes),
        )
        .order_by(col(AlertTable.id))
        .with_for_update()
    )
    return {row.id: row for row in await session.scalars(query)}


async def move(session: AsyncSession, sources: Sequence[UUID], target: UUID) -> int:
    """Give all alerts of incidents to another; answers how many."""
    moved = await session.execute(
        update(AlertTable)
        .where(col(AlertTable.incident_id).in_(sources))
        .values(incident_id=target)
        .execution_options(synchronize_session=False)
    )
    return int(moved.rowcount)  # type: ignore[attr-defined]


async def end_by_hand(
    session: AsyncSession, incidents: Sequence[UUID], at: datetime, actor: str
) -> int:
    """End the alerts of incidents that fire yet; answers how many."""
    done = await session.execute(
        update(AlertTable)
        .where(
            col(AlertTable.incident_id).in_(incidents),
            col(AlertTable.status) == AlertStatus.FIRING,
        )
        .values(status=AlertStatus.RESOLVED, ended_at=at, ended_by=actor, clears_at=None)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


async def acknowledge_key(session: AsyncSession, integration: str, key: str, at: datetime) -> None:
    """Note that somebody works on a key that fires, by the word of its sender."""
    await session.execute(
        update(AlertTable)
        .where(
            col(AlertTable.integration) == integration,
            col(AlertTable.key) == key,
            col(AlertTable.status) == AlertStatus.FIRING,
        )
        .values(acknowledged_at=at, acknowledged_by=integration, acknowledged_by_name=integration)
        .execution_options(synchronize_session=False)
    )


async def clearing(session: AsyncSession, now: datetime, limit: int) -> list[AlertTable]:
    """Firing alerts whose delay after "resolved" is over, locked."""
    query = (
        select(AlertTable)
        .where(
            col(AlertTable.status) == AlertStatus.FIRING,
            col(AlertTable.clears_at).is_not(None),
            col(AlertTable.clears_at) <= now,
        )
        .order_by(col(AlertTable.id))
        .limit(limit)
        .with_for_update()
    )
    return list(await session.scalars(query))


async def quiet(
    session: AsyncSession, now: datetime, limit: int, running: Sequence[UUID]
) -> list[AlertTable]:
    """Firing alerts without an incident that no running window or snooze keeps quiet, locked."""
    silenced, snoozed = col(AlertTable.silenced_by), col(AlertTable.snoozed_until)
    query = (
        select(AlertTable)
        .where(
            col(AlertTable.status) == AlertStatus.FIRING,
            col(AlertTable.incident_id).is_(None),
            or_(silenced.is_(None), silenced.not_in(running)),
            or_(snoozed.is_(None), snoozed <= now),
        )
        .order_by(col(AlertTable.id))
        .limit(limit)
        .with_for_update()
    )
    return list(await session.scalars(query))


async def silenced(session: AsyncSession, windows: Sequence[UUID]) -> dict[UUID, int]:
    """How many firing alerts each window keeps quiet."""
    rows = await session.execute(
        select(col(AlertTable.silenced_by), func.count())
        .where(
            col(AlertTable.status) == AlertStatus.FIRING,
            col(AlertTable.silenced_by).in_(windows),
        )
        .group_by(col(AlertTable.silenced_by))
    )
    return {row[0]: row[1] for row in rows if row[0] is not None}


async def add_event(session: AsyncSession, row: EventRow) -> bool:
    """Keep a delivery; False where its integration delivered it before."""
    new = insert(EventRow).values(row.model_dump()).on_conflict_do_nothing()
    kept = await session.scalar(new.returning(col(EventRow.id)))
    return kept is not None


async def was_delivered(session: AsyncSession, digest: bytes, since: datetime) -> bool:
    """Whether the same bytes came in since then."""
    query = select(col(EventRow.id)).where(
        col(EventRow.digest) == digest, col(EventRow.received_at) >= since
    )
    return await session.scalar(query.limit(1)) is not None


async def waiting(session: AsyncSession, limit: int) -> list[EventRow]:
    """The oldest deliveries that nobody has worked in yet, locked."""
    query = (
        select(EventRow)
        .where(col(EventRow.state) == "waiting")
        .order_by(col(EventRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(await session.scalars(query))


async def event(session: AsyncSession, event_id: UUID, scopes: Sequence[str]) -> EventRow | None:
    """A delivery one of whose alerts concerns the scopes."""
    query = select(EventRow).where(
        col(EventRow.id) == event_id, any_concerns(col(EventRow.regions), scopes)
    )
    found: EventRow | None = await session.scalar(query)
    return found


async def drop_events(session: AsyncSession, before: datetime) -> None:
    """Forget deliveries that were worked in before then."""
    await session.execute(
        delete(EventRow).where(col(EventRow.received_at) < before, col(EventRow.state) != "waiting")
    )


async def change_firing(
    session: AsyncSession,
    ids: Sequence[UUID],
    scopes: Sequence[str],
    verb: str,
    *,
    actor: tuple[str, str],
    now: datetime,
    until: datetime | None,
) -> dict[UUID, UUID | None]:
    """Change those of the alerts that fire within the scopes; each with its incident."""
    values: dict[str, Any] = {"snoozed_until": until}
    if verb == "acknowledge":
        values = {
            "acknowledged_at": now,
            "acknowledged_by": actor[0],
            "acknowledged_by_name": actor[1],
        }
    elif verb == "resolve":
        values = {
            "status": AlertStatus.RESOLVED,
            "ended_at": now,
            "ended_by": actor[0],
            "clears_at": None,
        }
    rows = await session.execute(
        update(AlertTable)
        .where(
            # One array, not as many parameters as there are alerts.
            col(AlertTable.id) == any_(cast(list(ids), ARRAY(Uuid))),
            col(AlertTable.status) == AlertStatus.FIRING,
            within(col(AlertTable.region), scopes),
        )
        .values(values)
        .returning(col(AlertTable.id), col(AlertTable.incident_id))
        .execution_options(synchronize_session=False)
    )
    return {row[0]: row[1] for row in rows}
