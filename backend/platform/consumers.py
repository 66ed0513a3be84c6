"""Runs a context's handlers over the published events, each event once per group."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Column, DateTime, Index, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from backend.platform import clock
from backend.platform.errors import DomainError
from backend.platform.eventlog import Delivery
from backend.platform.outbox import TOPIC
from backend.platform.resources import Resources
from backend.platform.telemetry import get_logger, meter, tracer

KEPT_FOR = timedelta(days=7)
_AT_ONCE = 200
_WAIT_MS = 1000
_RETRY_AFTER_MS = 5_000
_TIDY_EVERY_S = 5.0
_MOST_ATTEMPTS = 5

_log = get_logger(__name__)
_handled = meter.create_counter("waypost.events.handled", "1", "Events handled, by group")
_dead = meter.create_counter("waypost.events.dead", "1", "Events given up, by group")


class ConsumedRow(SQLModel, table=True):
    """An event that a group has handled."""

    __tablename__ = "platform_consumed"
    __table_args__ = (Index("ix_platform_consumed_at", "consumed_at"),)

    group: str = Field(primary_key=True)
    event_id: UUID = Field(primary_key=True)
    consumed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


@dataclass(frozen=True, slots=True)
class Received:
    """A published event, as `outbox.Event` was written."""

    id: UUID
    type: str
    key: str
    actor: str
    region: str | None
    at: datetime
    device_at: datetime | None
    trace_id: str | None
    data: dict[str, Any]


Handler = Callable[[AsyncSession, Received], Awaitable[None]]


class Consumer:
    """One consumer of a group; `handlers` are by event type, all other events are passed over."""

    def __init__(self, resources: Resources, group: str, handlers: Mapping[str, Handler]) -> None:
        self._resources = resources
        self._group = group
        self._handlers = handlers
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._tidied = float("-inf")

    async def prepare(self) -> None:
        """Join the group."""
        await self._resources.events.ensure_group(TOPIC, self._group)

    async def turn(self, *, wait_ms: int = _WAIT_MS) -> int:
        """Handle what has come in; answers how many events were looked at."""
        log = self._resources.events
        deliveries: list[Delivery] = []
        if monotonic() - self._tidied > _TIDY_EVERY_S:
            deliveries = await log.reclaim(
                TOPIC, self._group, self._name, min_idle_ms=_RETRY_AFTER_MS, count=_AT_ONCE
            )
            self._tidied = monotonic()
        deliveries += await log.read(
            TOPIC, self._group, self._name, count=_AT_ONCE, block_ms=1 if deliveries else wait_ms
        )
        done = [delivery.id for delivery in deliveries if await self._settled(delivery)]
        await log.acknowledge(TOPIC, self._group, done)
        return len(deliveries)

    async def run(self, stop: asyncio.Event) -> None:
        """Handle events until `stop`."""
        await self.prepare()
        while not stop.is_set():
            await self.turn()

    async def _settled(self, delivery: Delivery) -> bool:
        """Whether the delivery may be acknowledged; one that was refused comes again later."""
        try:
            event = _read(delivery.record.value)
        except (ValueError, KeyError) as error:
            await self._give_up(delivery, repr(error))
            return False
        handler = self._handlers.get(event.type)
        if handler is None:
            return True
        try:
            with tracer.start_as_current_span(
                f"consume {event.type}", attributes={"group": self._group, "key": event.key}
            ):
                await self._handle(handler, event)
        except DomainError as error:
            if delivery.attempts >= _MOST_ATTEMPTS:
                await self._give_up(delivery, error.detail)
            else:
                _log.warning("event_refused", group=self._group, type=event.type, why=error.detail)
            return False
        _handled.add(1, {"group": self._group})
        return True

    async def _handle(self, handler: Handler, event: Received) -> None:
        async with self._resources.database.unit_of_work() as session:
            mark = insert(ConsumedRow).values(
                group=self._group, event_id=event.id, consumed_at=clock.now()
            )
            first = await session.scalar(
                mark.on_conflict_do_nothing().returning(col(ConsumedRow.event_id))
            )
            if first is not None:
                await handler(session, event)

    async def _give_up(self, delivery: Delivery, why: str) -> None:
        _log.error("event_given_up", group=self._group, id=delivery.id, why=why)
        _dead.add(1, {"group": self._group})
        await self._resources.events.dead_letter(TOPIC, self._group, delivery, why)


def _read(value: bytes) -> Received:
    body = orjson.loads(value)
    device_at = body["device_at"]
    return Received(
        id=UUID(body["id"]),
        type=body["type"],
        key=body["key"],
        actor=body["actor"],
        region=body["region"],
        at=datetime.fromisoformat(body["at"]),
        device_at=datetime.fromisoformat(device_at) if device_at else None,
        trace_id=body["trace_id"],
        data=body["data"],
    )


async def drop_expired(session: AsyncSession) -> None:
    """Forget events that are so old that the log cannot deliver them again."""
    await session.execute(
        text("DELETE FROM platform_consumed WHERE consumed_at < :limit"),
        {"limit": clock.now() - KEPT_FOR},
    )
