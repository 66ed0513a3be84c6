"""The metrics of every process in one place, so that one scrape tells of the whole system.

A web process behind a shared port, and a worker without one, cannot be scraped by themselves: each
lays its metrics down in the hot store every few seconds, and whichever process is asked answers for
all, with the label `process` telling them apart.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis
from redis.exceptions import RedisError

from backend.platform.telemetry import get_logger

_EVERY_S = 5.0
_KEPT_S = 20
_PREFIX = "metrics:"

_log = get_logger(__name__)


def process_name(service: str) -> str:
    """What tells this process apart from the others: `web-host-1234`."""
    return f"{service}-{socket.gethostname()}-{os.getpid()}"


@asynccontextmanager
async def showing(redis: Redis, service: str) -> AsyncIterator[None]:
    """Lay this process's metrics down until the block ends."""
    task = asyncio.create_task(_show_for_ever(redis, process_name(service)), name="metrics")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _show_for_ever(redis: Redis, name: str) -> None:
    told = False
    while True:
        try:
            await show(redis, name)
            told = False
        except (RedisError, OSError) as error:
            if not told:
                _log.warning("metrics_not_shown", error=repr(error))
            told = True
        await asyncio.sleep(_EVERY_S)


async def show(redis: Redis, name: str) -> None:
    """Lay the metrics down as they are now."""
    families = [
        [
            family.name, family.type, family.documentation,
            [[sample.name, sample.labels, repr(float(sample.value))] for sample in family.samples],
        ]
        for family in REGISTRY.collect()
    ]  # fmt: skip
    await redis.set(f"{_PREFIX}{name}", orjson.dumps(families), ex=_KEPT_S)


async def everybodys(redis: Redis, own_name: str) -> bytes:
    """The metrics of all processes in Prometheus's text; those of this one where the store is away.

    What other processes laid down is some seconds old; this one's own is of now.
    """
    try:
        await show(redis, own_name)
        keys = [key async for key in redis.scan_iter(f"{_PREFIX}*", count=1_000)]
        values = await redis.mget(keys) if keys else []
    except (RedisError, OSError):
        return generate_latest()
    merged: dict[str, Metric] = {}
    for key, value in sorted(zip(keys, values, strict=True)):
        if value is not None:
            _merge(merged, orjson.loads(value), key.decode().removeprefix(_PREFIX))
    registry = CollectorRegistry()
    registry.register(_Merged(merged.values()))
    return generate_latest(registry)


def _merge(merged: dict[str, Metric], families: list[Any], process: str) -> None:
    for name, kind, documentation, samples in families:
        family = merged.setdefault(name, Metric(name, documentation, kind))
        for sample, labels, value in samples:
            family.add_sample(sample, {**labels, "process": process}, float(value))


class _Merged(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        """The families as they were merged."""
        return self._families
