"""Every query on schedules, shifts, calls, maintenance windows and heartbeats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.incidents.models import IncidentTable
from backend.incidents.on_call_models import (
    HeartbeatTable,
    MaintenanceTable,
    PageTable,
    ScheduleTable,
    ShiftTable,
)


async def schedules(session: AsyncSession) -> list[ScheduleTable]:
    """Every schedule, by name."""
    query = select(ScheduleTable).order_by(col(ScheduleTable.name), col(ScheduleTable.id))
    return list(await session.scalars(query))


async def schedule(
    session: AsyncSession, schedule_id: UUID, *, lock: bool = False
) -> ScheduleTable | None:
    """One schedule."""
    query = select(ScheduleTable).where(col(ScheduleTable.id) == schedule_id)
    found: ScheduleTable | None = await session.scalar(query.with_for_update() if lock else query)
    return found


async def remove_schedule(session: AsyncSession, schedule_id: UUID) -> None:
    """Remove a schedule."""
    await session.execute(delete(ScheduleTable).where(col(ScheduleTable.id) == schedule_id))


async def running_shift(
    session: AsyncSession, person_id: str, *, lock: bool = False
) -> ShiftTable | None:
    """The shift of a person that has not ended."""
    query = select(ShiftTable).where(
        col(ShiftTable.person_id) == person_id, col(ShiftTable.ended_at).is_(None)
    )
    found: ShiftTable | None = await session.scalar(query.with_for_update() if lock else query)
    return found


async def begin_shift(session: AsyncSession, row: ShiftTable) -> None:
    """Begin a shift, unless one of the person runs."""
    await session.execute(insert(ShiftTable).values(row.model_dump()).on_conflict_do_nothing())


async def add_pages(session: AsyncSession, pages: Sequence[PageTable]) -> None:
    """Add calls; the same call of a round is made once."""
    if pages:
        new = insert(PageTable).on_conflict_do_nothing()
        await session.execute(new, [page.model_dump() for page in pages])


PageWithIncident = Row[PageTable, IncidentTable]


async def pages(
    session: AsyncSession,
    *,
    person_id: str | None = None,
    incident_id: UUID | None = None,
    limit: int,
) -> Sequence[PageWithIncident]:
    """Calls to a person or of an incident, newest first, each with its incident."""
    query = (
        select(PageTable, IncidentTable)
        .join(IncidentTable, col(IncidentTable.id) == col(PageTable.incident_id))
        .order_by(col(PageTable.id).desc())
        .limit(limit)
    )
    if person_id is not None:
        query = query.where(col(PageTable.person_id) == person_id)
    if incident_id is not None:
        query = query.where(col(PageTable.incident_id) == incident_id)
    return (await session.execute(query)).all()


async def due_pages(session: AsyncSession, now: datetime, limit: int) -> Sequence[PageWithIncident]:
    """Calls that are to be sent now, locked against other senders."""
    query = (
        select(PageTable, IncidentTable)
        .join(IncidentTable, col(IncidentTable.id) == col(PageTable.incident_id))
        .where(col(PageTable.state) == "pending", col(PageTable.next_at) <= now)
        .order_by(col(PageTable.next_at))
        .limit(limit)
        .with_for_update(skip_locked=True, of=PageTable)
    )
    return (await session.execute(query)).all()


async def settle_page(session: AsyncSession, page_id: UUID, **values: Any) -> None:
    """Write down what came of sending a call."""
    await session.execute(update(PageTable).where(col(PageTable.id) == page_id).values(**values))


async def windows(
    session: AsyncSession, *, running_at: datetime | None = None, ending_after: datetime | None
) -> list[MaintenanceTable]:
    """Maintenance windows, newest first."""
    query = select(MaintenanceTable).order_by(col(MaintenanceTable.id).desc())
    if running_at is not None:
        query = query.where(
            col(MaintenanceTable.since) <= running_at, col(MaintenanceTable.until) > running_at
        )
    if ending_after is not None:
        query = query.where(col(MaintenanceTable.until) > ending_after)
    return list(await session.scalars(query))


async def window(session: AsyncSession, window_id: UUID) -> MaintenanceTable | None:
    """One maintenance window, locked."""
    query = select(MaintenanceTable).where(col(MaintenanceTable.id) == window_id)
    found: MaintenanceTable | None = await session.scalar(query.with_for_update())
    return found


async def heartbeats(session: AsyncSession) -> list[HeartbeatTable]:
    """Every expected heartbeat, by integration."""
    query = select(HeartbeatTable).order_by(col(HeartbeatTable.integration))
    return list(await session.scalars(query))


async def heartbeats_to_watch(session: AsyncSession) -> list[HeartbeatTable]:
    """The same, locked but for those that another process looks at."""
    query = select(HeartbeatTable).order_by(col(HeartbeatTable.integration))
    return list(await session.scalars(query.with_for_update(skip_locked=True)))


async def put_heartbeat(session: AsyncSession, values: dict[str, Any]) -> None:
    """Expect a heartbeat, or expect it otherwise."""
    new = insert(HeartbeatTable).values(values)
    kept = {name: values[name] for name in ("every_s", "region", "service", "severity")}
    await session.execute(new.on_conflict_do_update(index_elements=["integration"], set_=kept))


async def remove_heartbeat(session: AsyncSession, integration: str) -> HeartbeatTable | None:
    """Expect a heartbeat no longer; what was expected."""
    gone: HeartbeatTable | None = await session.scalar(
        delete(HeartbeatTable)
        .where(col(HeartbeatTable.integration) == integration)
        .returning(HeartbeatTable)
    )
    return gone


async def heard(session: AsyncSession, integration: str, at: datetime) -> None:
    """Note that an integration was heard, and whoever speaks by its name with another token."""
    names = {integration, integration.rpartition("#")[0] or integration}
    await session.execute(
        update(HeartbeatTable)
        .where(col(HeartbeatTable.integration).in_(names), col(HeartbeatTable.heard_at) < at)
        .values(heard_at=at)
        .execution_options(synchronize_session=False)
    )
