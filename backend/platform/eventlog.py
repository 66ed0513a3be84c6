"""The event log: durable topics read by consumer groups, behind one small protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a topic; records with the same key keep their order."""

    key: bytes
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A record handed to a consumer; `attempts` counts this delivery, from 1."""

    id: str
    record: Record
    attempts: int = 1


class EventLog(Protocol):
    """What a log must do: keep what it accepted, hand each record to every group at least once."""

    async def append(self, topic: str, records: Sequence[Record]) -> list[str]:
        """Append in order and answer the ids once all are durable."""

    async def ensure_group(self, topic: str, group: str) -> None:
        """Make the group, reading from the topic's beginning; nothing happens where it exists."""

    async def read(
        self, topic: str, group: str, consumer: str, *, count: int, block_ms: int
    ) -> list[Delivery]:
        """Up to `count` new records for this consumer, waiting at most `block_ms`."""

    async def acknowledge(self, topic: str, group: str, ids: Sequence[str]) -> None:
        """Mark deliveries as done."""

    async def reclaim(
        self, topic: str, group: str, consumer: str, *, min_idle_ms: int, count: int
    ) -> list[Delivery]:
        """Take over deliveries that another consumer left unacknowledged for `min_idle_ms`."""

    async def dead_letter(self, topic: str, group: str, delivery: Delivery, reason: str) -> None:
        """Move a delivery that cannot be handled to the dead letters, and acknowledge it."""

    async def trim(self, topic: str) -> int:
        """Drop what every group has acknowledged; answers how many records went."""

    async def lag(self, topic: str, group: str) -> int:
        """How many records the group has not acknowledged yet."""

    async def waits(self, topic: str) -> dict[str, float]:
        """For each group, how many seconds the oldest record that it has not done waits for it."""

    async def length(self, topic: str) -> int:
        """How many records the topic holds."""

    async def size_bytes(self, topic: str) -> int:
        """About how much memory the topic takes."""
