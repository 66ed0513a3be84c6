"""Counts by minute and by hour in the hot store: what came in, and what was refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis

_MINUTES_KEPT_S = 2 * 3600
_HOURS_KEPT_S = 8 * 24 * 3600
_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Refused:
    """How many fixes of one hour were refused or flagged, for one reason."""

    hour: datetime
    region: str
    doorway: str
    code: str
    count: int


def _minute_key(now_ms: int) -> str:
    return f"tracking:accepted:{now_ms // _MINUTE_MS}"


def _hour_key(now_ms: int) -> str:
    return f"tracking:refused:{now_ms // _HOUR_MS}"


def count(
    pipe: Any,
    now_ms: int,
    accepted: Mapping[str, int],
    refused: Mapping[tuple[str, str, str], int],
) -> None:
    """Queue the counts: accepted by region, refused or flagged by (region, doorway, code)."""
    if accepted:
        key = _minute_key(now_ms)
        for region, amount in accepted.items():
            pipe.hincrby(key, region, amount)
        pipe.expire(key, _MINUTES_KEPT_S)
    if refused:
        key = _hour_key(now_ms)
        for parts, amount in refused.items():
            pipe.hincrby(key, "|".join(parts), amount)
        pipe.expire(key, _HOURS_KEPT_S)


async def accepted_by_minute(
    redis: Redis, now: datetime, minutes: int
) -> list[tuple[datetime, dict[str, int]]]:
    """Fixes taken in by region for each of the last whole minutes, oldest first."""
    first = int(now.timestamp() * 1000) // _MINUTE_MS - minutes
    async with redis.pipeline(transaction=False) as pipe:
        for minute in range(first, first + minutes):
            pipe.hgetall(_minute_key(minute * _MINUTE_MS))
        answers = await pipe.execute()
    start = datetime.fromtimestamp(first * 60, UTC)
    return [
        (start + timedelta(minutes=index), {k.decode(): int(v) for k, v in answer.items()})
        for index, answer in enumerate(answers)
    ]


async def refused_by_hour(redis: Redis, now: datetime, hours: int) -> list[Refused]:
    """What was refused or flagged in the current hour and those before it, newest first."""
    newest = int(now.timestamp() * 1000) // _HOUR_MS
    wanted = range(newest, newest - hours, -1)
    async with redis.pipeline(transaction=False) as pipe:
        for hour in wanted:
            pipe.hgetall(_hour_key(hour * _HOUR_MS))
        answers = await pipe.execute()
    return [
        row for hour, answer in zip(wanted, answers, strict=True) for row in _rows(hour, answer)
    ]


def _rows(hour: int, answer: Mapping[bytes, bytes]) -> Iterable[Refused]:
    at = datetime.fromtimestamp(hour * 3600, UTC)
    for field, amount in sorted(answer.items()):
        region, doorway, code = field.decode().split("|")
        yield Refused(at, region, doorway, code, int(amount))
