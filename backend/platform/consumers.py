"""Runs a context's handlers over the published events, each event once per group."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
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
_TOGETHER = 50
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
        for start in range(0, len(deliveries), _TOGETHER):
            done = await self._settled(deliveries[start : start + _TOGETHER])
            await log.acknowledge(TOPIC, self._group, done)
        return len(deliveries)

    async def run(self, stop: asyncio.Event) -> None:
        """Handle events until `stop`."""
        await self.prepare()
        while not stop.is_set():
            await self.turn()

    async def _settled(self, deliveries: Sequence[Delivery]) -> list[str]:
        """The ids that may be acknowledged; what was refused comes again later.

        All events go into one unit of work, and so share one wait for the disk. Where a handler
        refuses, each has one of its own.
        """
        done: list[str] = []
        wanted: list[tuple[Delivery, Received]] = []
        for delivery in deliveries:
            try:
                event = _read(delivery.record.value)
            except (ValueError, KeyError) as error:
                await self._give_up(delivery, repr(error))
                continue
            if event.type in self._handlers:
                wanted.append((delivery, event))
            else:
                done.append(delivery.id)
        if len(wanted) > 1:
            with suppress(DomainError):
                await self._handle([event for _, event in wanted])
                return done + [delivery.id for delivery, _ in wanted]
        return done + [one.id for one, event in wanted if await self._settled_alone(one, event)]

    async def _settled_alone(self, delivery: Delivery, event: Received) -> bool:
        try:
            await self._handle([event])
        except DomainError as error:
            if delivery.attempts >= _MOST_ATTEMPTS:
                await self._give_up(delivery, error.detail)
            else:
                _log.warning("event_refused", group=self._group, type=event.type, why=error.detail)
            return False
        return True

    async def _handle(self, events: Sequence[Received]) -> None:
        """Run the handlers of those events that the group has not handled, all or none."""
        if not events:
            return
        now = clock.now()
        marks = [
            {"group": self._group, "event_id": event.id, "consumed_at": now} for event in events
        ]
        async with self._resources.database.unit_of_work() as session:
            mark = insert(ConsumedRow).values(marks).on_conflict_do_nothing()
            first = set(await session.scalars(mark.returning(col(ConsumedRow.event_id))))
            for event in events:
                if event.id not in first:
                    continue
                first.discard(event.id)
                with tracer.start_as_current_span(
                    f"consume {event.type}", attributes={"group": self._group, "key": event.key}
                ):
                    await self._handlers[event.type](session, event)
        _handled.add(len(events), {"group": self._group})

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
