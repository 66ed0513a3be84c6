"""How fixes enter history, and whether one is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg.pgproto import pgproto
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.tracking.positions import LoggedFix

_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Two processes that find the same day missing make its partition one after the other.
_LOCK = 7_265_437
_COLUMNS = (
    "driver_id", "recorded_at", "received_at", "lat", "lon", "speed", "bearing", "altitude",
    "accuracy", "battery", "flags",
)  # fmt: skip


class UnfitValue(Exception):
    """PostgreSQL will not have one of the values, whenever it is asked."""


async def add(session: AsyncSession, fixes: Sequence[LoggedFix]) -> None:
    """Copy fixes into history; those that are there already stay as they are.

    Raises UnfitValue where a value can never be stored, OSError where the server went away.
    """
    days = {fix.recorded_ms // _DAY_MS for fix in fixes}
    await make_days(session, [(_EPOCH + timedelta(days=day)).date() for day in days])
    await session.execute(
        text(
            "CREATE TEMP TABLE IF NOT EXISTS incoming_fix (LIKE tracking_fix) ON COMMIT DELETE ROWS"
        )
    )
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    try:
        await driver.copy_records_to_table(
            "incoming_fix", records=_records(fixes), columns=_COLUMNS
        )
    except (asyncpg.DataError, ValueError, OverflowError, TypeError) as error:
        raise UnfitValue(str(error)) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ConnectionError(f"PostgreSQL broke off a COPY: {error!r}") from error
    await session.execute(
        text(
            "INSERT INTO tracking_fix SELECT * FROM incoming_fix"
            " ON CONFLICT (driver_id, recorded_at) DO NOTHING"
        )
    )


def _records(fixes: Sequence[LoggedFix]) -> Iterable[tuple[Any, ...]]:
    ids: dict[bytes, Any] = {}
    for fix in fixes:
        driver, recorded, received, *values, _seq, flags = fix
        known = ids.get(driver)
        if known is None:
            known = ids[driver] = pgproto.UUID(driver)
        yield (known, _at(recorded), _at(received), *values, flags)


def _at(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


async def known_times(session: AsyncSession, driver_id: UUID, times_ms: Sequence[int]) -> set[int]:
    """Which of these times of the driver are in history already."""
    found = await session.scalars(
        text(
            "SELECT recorded_at FROM tracking_fix"
            " WHERE driver_id = :driver AND recorded_at = ANY(:times)"
        ),
        {"driver": driver_id, "times": [_at(ms) for ms in times_ms]},
    )
    return {round(at.timestamp() * 1000) for at in found}


async def make_days(session: AsyncSession, days: Iterable[date]) -> None:
    """Have a partition for each of the days."""
    names = {_name(day): day for day in sorted(days)}
    missing = text("SELECT name FROM unnest(:names ::text[]) name WHERE to_regclass(name) IS NULL")
    asked = {"names": list(names)}
    if not (await session.scalars(missing, asked)).all():
        return
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    for name in (await session.scalars(missing, asked)).all():
        await _make_day(session, names[name])


async def _make_day(session: AsyncSession, day: date) -> None:
    start = datetime.combine(day, time(), UTC)
    await session.execute(
        text(
            f"CREATE TABLE {_name(day)} PARTITION OF tracking_fix FOR VALUES"
            f" FROM ('{start.isoformat()}') TO ('{(start + timedelta(days=1)).isoformat()}')"
        )
    )


def _name(day: date) -> str:
    return f"tracking_fix_{day:%Y%m%d}"
