"""The event log on Redis or Valkey Streams."""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ResponseError

from backend.platform.eventlog import Delivery, EventLog, Record

_KEY, _VALUE, _HEADERS = b"k", b"v", b"h"

_Fields = dict[bytes, bytes]


def _stream(topic: str) -> str:
    return f"log:{topic}"


def dead_topic(topic: str, group: str) -> str:
    """Where the deliveries go that `group` could not handle."""
    return f"{topic}.dead.{group}"


def encode(record: Record) -> dict[bytes, bytes]:
    """The stream fields of a record, for those who append inside a pipeline of their own."""
    fields = {_KEY: record.key, _VALUE: record.value}
    if record.headers:
        fields[_HEADERS] = orjson.dumps(dict(record.headers))
    return fields


def _decode(fields: _Fields) -> Record:
    headers = orjson.loads(fields[_HEADERS]) if _HEADERS in fields else {}
    return Record(fields.get(_KEY, b""), fields.get(_VALUE, b""), headers)


def _order(entry_id: bytes) -> tuple[int, int]:
    head, _, tail = entry_id.partition(b"-")
    return int(head), int(tail or 0)


class StreamEventLog(EventLog):
    """Topics as streams, groups as consumer groups; durable as far as the server's own log is.

    The embedded server writes and syncs its append-only file before it answers
    (`appendfsync always`), so that an answered append outlives a kill.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def lives_on(self, redis: Redis) -> bool:
        """Whether the log can be written in a transaction of this connection."""
        return self._redis is redis

    def queue(self, pipe: Pipeline, topic: str, records: Sequence[Record]) -> None:
        """Append as part of a caller's transaction on the same server."""
        for record in records:
            pipe.xadd(_stream(topic), encode(record))  # type: ignore[arg-type]

    async def append(self, topic: str, records: Sequence[Record]) -> list[str]:
        async with self._redis.pipeline(transaction=True) as pipe:
            self.queue(pipe, topic, records)
            ids = await pipe.execute()
        return [entry_id.decode() for entry_id in ids]

    async def ensure_group(self, topic: str, group: str) -> None:
        try:
            await self._redis.xgroup_create(_stream(topic), group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def read(
        self, topic: str, group: str, consumer: str, *, count: int, block_ms: int
    ) -> list[Delivery]:
        try:
            answer = await self._redis.xreadgroup(
                group, consumer, {_stream(topic): ">"}, count=count, block=block_ms
            )
        except ResponseError as error:
            # The stream was lost or flushed: the group begins again rather than stand still.
            if not str(error).startswith("NOGROUP"):
                raise
            await self.ensure_group(topic, group)
            return []
        if not answer:
            return []
        streams = answer.items() if isinstance(answer, dict) else answer
        return [
            Delivery(entry_id.decode(), _decode(fields))
            for _, entries in streams
            for entry_id, fields in _flat(entries)
            if fields
        ]

    async def acknowledge(self, topic: str, group: str, ids: Sequence[str]) -> None:
        if ids:
            await self._redis.xack(_stream(topic), group, *ids)

    async def reclaim(
        self, topic: str, group: str, consumer: str, *, min_idle_ms: int, count: int
    ) -> list[Delivery]:
        _, entries, *_ = await self._redis.xautoclaim(
            _stream(topic), group, consumer, min_idle_ms, count=count
        )
        present = [(entry_id, fields) for entry_id, fields in entries if fields]
        if not present:
            return []
        pending = await self._redis.xpending_range(
            _stream(topic),
            group,
            min=present[0][0],
            max=present[-1][0],
            count=len(present) * 2,
            consumername=consumer,
        )
        attempts = {row["message_id"]: row["times_delivered"] for row in pending}
        return [
            Delivery(entry_id.decode(), _decode(fields), attempts.get(entry_id, 2))
            for entry_id, fields in present
        ]

    async def dead_letter(self, topic: str, group: str, delivery: Delivery, reason: str) -> None:
        headers = {
            **delivery.record.headers,
            "reason": reason[:500],
            "source_id": delivery.id,
            "attempts": str(delivery.attempts),
        }
        dead = Record(delivery.record.key, delivery.record.value, headers)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(_stream(dead_topic(topic, group)), encode(dead))  # type: ignore[arg-type]
            pipe.xack(_stream(topic), group, delivery.id)
            await pipe.execute()

    async def trim(self, topic: str) -> int:
        try:
            groups = await self._redis.xinfo_groups(_stream(topic))
        except ResponseError:
            return 0
        if not groups:
            return 0
        floor = min([await self._first_needed(topic, row) for row in groups], key=_order)
        if floor == b"0-0":
            return 0
        return int(await self._redis.xtrim(_stream(topic), minid=floor.decode(), approximate=False))

    async def _first_needed(self, topic: str, group: dict[str, Any]) -> bytes:
        """The oldest id that the group may still ask for."""
        if group["pending"]:
            summary = await self._redis.xpending(_stream(topic), group["name"])
            if summary["min"] is not None:
                return bytes(summary["min"])
        milliseconds, sequence = _order(group["last-delivered-id"])
        if (milliseconds, sequence) == (0, 0):
            return b"0-0"
        return f"{milliseconds}-{sequence + 1}".encode()

    async def lag(self, topic: str, group: str) -> int:
        try:
            groups = await self._redis.xinfo_groups(_stream(topic))
        except ResponseError:
            return 0
        for row in groups:
            if row["name"] == group.encode():
                return int(row["pending"]) + int(row["lag"] or 0)
        return await self.length(topic)

    async def waits(self, topic: str) -> dict[str, float]:
        try:
            groups = await self._redis.xinfo_groups(_stream(topic))
        except ResponseError:
            return {}
        return {row["name"].decode(): await self._waits(topic, row) for row in groups}

    async def _waits(self, topic: str, group: dict[str, Any]) -> float:
        needed = (await self._first_needed(topic, group)).decode()
        waiting = await self._redis.xrange(_stream(topic), min=needed, count=1)
        # An id begins with the millisecond in which it was given.
        return max(0.0, time() - _order(waiting[0][0])[0] / 1000) if waiting else 0.0

    async def length(self, topic: str) -> int:
        return int(await self._redis.xlen(_stream(topic)))

    async def size_bytes(self, topic: str) -> int:
        return int(await self._redis.memory_usage(_stream(topic)) or 0)


def _flat(entries: list[object]) -> list[tuple[bytes, _Fields]]:
    """Entries as pairs, whichever protocol version the client speaks."""
    if entries and isinstance(entries[0], list):
        return [pair for group in entries for pair in group]  # type: ignore[attr-defined]
    return entries  # type: ignore[return-value]
