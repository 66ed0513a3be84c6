"""Every query of the audit trail; there is none that changes a row."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import distinct, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.identity.models import AuditTable
from backend.identity.repository import lies_in
from backend.identity.schemas import AuditEntry, AuditFilter

# One writer at a time extends the chain; taken until the unit of work ends.
_CHAIN_LOCK = 7_265_438


async def lock_head(session: AsyncSession) -> AuditTable | None:
    """The newest row, with the right to add the next one until this transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _CHAIN_LOCK})
    return await newest(session)


async def newest(session: AsyncSession) -> AuditTable | None:
    """The end of the chain; None while nothing is recorded."""
    found: AuditTable | None = await session.scalar(
        select(AuditTable).order_by(col(AuditTable.seq).desc()).limit(1)
    )
    return found


async def after(session: AsyncSession, seq: int, limit: int) -> list[AuditTable]:
    """The rows above `seq` in the order of the chain."""
    statement = select(AuditTable).where(col(AuditTable.seq) > seq).order_by(col(AuditTable.seq))
    return list(await session.scalars(statement.limit(limit)))


async def matching(
    session: AsyncSession,
    wanted: AuditFilter,
    regions: tuple[str, ...] | None,
    below: int | None,
    limit: int,
) -> list[AuditEntry]:
    """Rows newest first; only those in `regions` and below them, unless that is None."""
    statement = select(AuditTable).order_by(col(AuditTable.seq).desc()).limit(limit)
    if below is not None:
        statement = statement.where(col(AuditTable.seq) < below)
    for column, value in (
        (col(AuditTable.actor), wanted.actor),
        (col(AuditTable.action), wanted.action),
        (col(AuditTable.object), wanted.object),
        (col(AuditTable.outcome), wanted.outcome),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.since is not None:
        statement = statement.where(col(AuditTable.at) >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(col(AuditTable.at) < wanted.until)
    if wanted.text:
        statement = statement.where(
            or_(
                *(
                    column.icontains(wanted.text, autoescape=True)
                    for column in (
                        col(AuditTable.actor_name),
                        col(AuditTable.action),
                        col(AuditTable.object),
                        col(AuditTable.reason),
                    )
                )
            )
        )
    for scope in (regions, (wanted.region,) if wanted.region else None):
        if scope is not None and "*" not in scope:
            statement = statement.where(lies_in(col(AuditTable.region), scope))
    return [entry(row) for row in await session.scalars(statement)]


def entry(row: AuditTable) -> AuditEntry:
    """The row as it is shown."""
    return AuditEntry(
        seq=row.seq,
        id=row.id,
        at=row.at,
        actor=row.actor,
        actor_name=row.actor_name,
        session_id=row.session_id,
        address=row.address,
        action=row.action,
        outcome=row.outcome,
        object=row.object,
        region=row.region,
        before=row.before,
        after=row.after,
        reason=row.reason,
        trace_id=row.trace_id,
    )


async def actors_between(session: AsyncSession, since: datetime, until: datetime) -> int:
    """How many different persons did something in a span."""
    found = await session.scalar(
        select(func.count(distinct(col(AuditTable.actor))))
        .where(col(AuditTable.at) >= since, col(AuditTable.at) < until)
        .where(col(AuditTable.actor).startswith("user:"))
    )
    return found or 0
