"""Events written in the transaction of the change they tell of, and published after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from backend.platform import clock
from backend.platform.db import Database
from backend.platform.eventlog import EventLog, Record
from backend.platform.ids import uuid7
from backend.platform.telemetry import current_trace_id

TOPIC = "events"
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about something, told to whoever listens; `key` orders events of one thing."""

    type: str
    key: str
    actor: str
    data: dict[str, Any]
    region: str | None = None
    device_at: datetime | None = None
    at: datetime = field(default_factory=clock.now)
    id: UUID = field(default_factory=uuid7)


class OutboxRow(SQLModel, table=True):
    """An event waiting to be published."""

    __tablename__ = "platform_outbox"
    __table_args__ = (Index("ix_platform_outbox_id", "id", unique=True),)

    seq: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(), primary_key=True)
    )
    id: UUID
    key: str
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    written_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


async def emit(session: AsyncSession, event: Event) -> None:
    """Write the event in the caller's transaction; the relay publishes it at least once."""
    session.add(_row(event))


async def emit_once(session: AsyncSession, event: Event) -> None:
    """The same for an event whose id follows from what happened, and which may be waiting yet."""
    row = insert(OutboxRow).values(_row(event).model_dump(exclude={"seq"}))
    await session.execute(row.on_conflict_do_nothing(index_elements=["id"]))


def _row(event: Event) -> OutboxRow:
    body = {
        "id": event.id,
        "type": event.type,
        "key": event.key,
        "at": event.at,
        "device_at": event.device_at,
        "actor": event.actor,
        "region": event.region,
        "trace_id": current_trace_id(),
        "data": event.data,
    }
    return OutboxRow(id=event.id, key=event.key, value=orjson.dumps(body), written_at=clock.now())


async def waits(session: AsyncSession) -> float:
    """How many seconds the oldest event waits to be published; 0 where none does."""
    oldest = await session.scalar(
        select(col(OutboxRow.written_at)).order_by(col(OutboxRow.seq)).limit(1)
    )
    return 0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds())


async def relay_once(database: Database, log: EventLog) -> int:
    """Publish up to one batch of waiting events in order; answers how many went.

    Rows are locked while they are published, so that two relays never interleave one key, and
    deleted in the same transaction: a crash in between publishes again, never loses.
    """
    async with database.unit_of_work() as session:
        rows = (
            await session.execute(
                text(
                    "SELECT seq, id, key, value FROM platform_outbox ORDER BY seq"
                    " LIMIT :batch FOR UPDATE"
                ),
                {"batch": _BATCH},
            )
        ).all()
        if not rows:
            return 0
        records = [Record(row.key.encode(), row.value, {"event_id": str(row.id)}) for row in rows]
        await log.append(TOPIC, records)
        await session.execute(
            text("DELETE FROM platform_outbox WHERE seq = ANY(:done)"),
            {"done": [row.seq for row in rows]},
        )
        return len(rows)
