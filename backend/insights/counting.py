"""Writes down what a process has counted, every few seconds and at its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError

from backend.insights import count_repository
from backend.insights.definitions import promise_objectives
from backend.platform import indicators
from backend.platform.db import Database
from backend.platform.telemetry import get_logger, meter

_EVERY_S = 5.0

_log = get_logger(__name__)
_valid = meter.create_counter("waypost.slo.valid", description="Valid things, by objective")
_good = meter.create_counter("waypost.slo.good", description="Good ones among the valid")


async def write_counts(database: Database) -> None:
    """Write down what was counted; what cannot be written is kept for the next time."""
    counts = indicators.drain()
    if not counts:
        return
    try:
        async with database.unit_of_work() as session:
            await count_repository.add(session, counts)
        _measure(counts)
    except (SQLAlchemyError, OSError) as error:
        indicators.put_back(counts)
        _log.warning("counts_not_written", error=repr(error))
    except asyncio.CancelledError:
        indicators.put_back(counts)
        raise


def _measure(counts: indicators.Counts) -> None:
    for place, valid in counts.valid.items():
        labels = {"slo": place.name, "region": place.region}
        _valid.add(valid, labels)
        _good.add(counts.good[place], labels)


@asynccontextmanager
async def counting(database: Database) -> AsyncIterator[None]:
    """Count by the objectives, and have counts written down until the block ends."""
    promise_objectives()
    task = asyncio.create_task(_write_for_ever(database), name="counting")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await write_counts(database)


async def _write_for_ever(database: Database) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        await write_counts(database)
