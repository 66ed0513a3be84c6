"""Every query of insights on what was counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.insights.models import HourRow, LatencyRow, MinuteRow
from backend.insights.slo_rules import BY_HOUR, BY_MINUTE, WINDOWS, Tally
from backend.platform.indicators import Counts, Place

Tallies = dict[tuple[str, str], dict[str, Tally]]
"""Counts by (name, region), then by window."""

_MINUTES_KEPT = timedelta(hours=13)
_HOURS_KEPT = timedelta(days=120)


async def add(session: AsyncSession, counts: Counts) -> None:
    """Add to what was counted before; in one order, so that processes never wait in a circle."""
    minutes: dict[tuple[datetime, str, str], list[int]] = defaultdict(lambda: [0, 0])
    hours: dict[tuple[datetime, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for place, valid in counts.valid.items():
        good = counts.good[place]
        for sums, at in ((minutes, _minute(place)), (hours, _hour(place.minute // 60))):
            entry = sums[at, place.name, place.region]
            entry[0] += good
            entry[1] += valid
    for model, sums in ((MinuteRow, minutes), (HourRow, hours)):
        await _add(session, model, sums)
    if counts.latency:
        rows = [
            {"at": _hour(hour), "step": step, "answers": answers}
            for (hour, step), answers in sorted(counts.latency.items())
        ]
        added = insert(LatencyRow).values(rows)
        summed = {"answers": col(LatencyRow.answers) + added.excluded.answers}
        await session.execute(
            added.on_conflict_do_update(index_elements=["at", "step"], set_=summed)
        )


async def _add(
    session: AsyncSession,
    model: type[MinuteRow | HourRow],
    sums: Mapping[tuple[datetime, str, str], Sequence[int]],
) -> None:
    if not sums:
        return
    rows = [
        {"at": at, "name": name, "region": region, "good": good, "valid": valid}
        for (at, name, region), (good, valid) in sorted(sums.items())
    ]
    added = insert(model).values(rows)
    await session.execute(
        added.on_conflict_do_update(
            index_elements=["at", "name", "region"],
            set_={
                "good": col(model.good) + added.excluded.good,
                "valid": col(model.valid) + added.excluded.valid,
            },
        )
    )


def _minute(place: Place) -> datetime:
    return datetime.fromtimestamp(place.minute * 60, UTC)


def _hour(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)


async def windows(session: AsyncSession, names: Sequence[str], now: datetime) -> Tallies:
    """What was counted in each burn window up to now, of minutes and hours begun within it."""
    found: Tallies = defaultdict(dict)
    for model, wanted in ((MinuteRow, BY_MINUTE), (HourRow, BY_HOUR)):
        columns: list[Any] = []
        for window in wanted:
            within = col(model.at) > now - WINDOWS[window]
            columns += [
                func.sum(col(model.valid)).filter(within),
                func.sum(col(model.good)).filter(within),
            ]
        rows = await session.execute(
            select(col(model.name), col(model.region), *columns)
            .where(col(model.name).in_(names), col(model.at) > now - WINDOWS[wanted[-1]])
            .group_by(col(model.name), col(model.region))
        )
        for name, region, *sums in rows:
            for index, window in enumerate(wanted):
                valid, good = sums[2 * index : 2 * index + 2]
                found[name, region][window] = Tally(int(valid or 0), int(good or 0))
    return found


async def begun(session: AsyncSession, names: Sequence[str]) -> dict[str, datetime]:
    """When the counting of each began: to the minute in its first hour, to the hour later."""
    first: dict[str, datetime] = {}
    for model in (HourRow, MinuteRow):
        rows = await session.execute(
            select(col(model.name), func.min(col(model.at)))
            .where(col(model.name).in_(names))
            .group_by(col(model.name))
        )
        for name, at in rows:
            if at - first.get(name, at) < timedelta(hours=1):
                first[name] = at
    return first


async def recent(
    session: AsyncSession, prefix: str, now: datetime, window: timedelta
) -> dict[tuple[str, str], Tally]:
    """What was counted in the minutes begun in the window, of names that begin so."""
    rows = await session.execute(
        select(
            col(MinuteRow.name),
            col(MinuteRow.region),
            func.sum(col(MinuteRow.valid)),
            func.sum(col(MinuteRow.good)),
        )
        .where(col(MinuteRow.name).startswith(prefix, autoescape=True))
        .where(col(MinuteRow.at) > now - window, col(MinuteRow.at) <= now)
        .group_by(col(MinuteRow.name), col(MinuteRow.region))
    )
    return {(name, region): Tally(int(valid), int(good)) for name, region, valid, good in rows}


async def by_minute(
    session: AsyncSession, name: str, since: datetime, until: datetime
) -> list[tuple[datetime, str, str, Tally]]:
    """What was counted in each minute begun in a span, by name and region.

    A name that ends in a point stands for all that begin so.
    """
    named = (
        col(MinuteRow.name).startswith(name, autoescape=True)
        if name.endswith(".")
        else col(MinuteRow.name) == name
    )
    rows = await session.execute(
        select(
            col(MinuteRow.at),
            col(MinuteRow.name),
            col(MinuteRow.region),
            col(MinuteRow.valid),
            col(MinuteRow.good),
        ).where(named, col(MinuteRow.at) >= since, col(MinuteRow.at) <= until)
    )
    return [(at, name, region, Tally(valid, good)) for at, name, region, valid, good in rows]


async def totals(
    session: AsyncSession, names: Sequence[str], since: datetime, until: datetime
) -> dict[tuple[str, str], Tally]:
    """What was counted in the hours begun between two times, by name and region."""
    rows = await session.execute(
        select(
            col(HourRow.name),
            col(HourRow.region),
            func.sum(col(HourRow.valid)),
            func.sum(col(HourRow.good)),
        )
        .where(col(HourRow.name).in_(names))
        .where(col(HourRow.at) > since, col(HourRow.at) <= until)
        .group_by(col(HourRow.name), col(HourRow.region))
    )
    return {(name, region): Tally(int(valid), int(good)) for name, region, valid, good in rows}


async def by_day(
    session: AsyncSession, names: Sequence[str], since: datetime, until: datetime
) -> list[tuple[datetime, str, str, Tally]]:
    """What was counted by UTC day, name and region, oldest first."""
    day = func.date_trunc("day", col(HourRow.at), "UTC").label("day")
    rows = await session.execute(
        select(
            day,
            col(HourRow.name),
            col(HourRow.region),
            func.sum(col(HourRow.valid)),
            func.sum(col(HourRow.good)),
        )
        .where(col(HourRow.name).in_(names))
        .where(col(HourRow.at) > since, col(HourRow.at) <= until)
        .group_by(day, col(HourRow.name), col(HourRow.region))
        .order_by(day, col(HourRow.name), col(HourRow.region))
    )
    return [
        (at, name, region, Tally(int(valid), int(good))) for at, name, region, valid, good in rows
    ]


async def latencies(
    session: AsyncSession, since: datetime, until: datetime
) -> list[tuple[datetime, int, int]]:
    """Answers by hour and step of latency, oldest first."""
    rows = await session.execute(
        select(col(LatencyRow.at), col(LatencyRow.step), col(LatencyRow.answers))
        .where(col(LatencyRow.at) > since, col(LatencyRow.at) <= until)
        .order_by(col(LatencyRow.at), col(LatencyRow.step))
    )
    return [(at, step, answers) for at, step, answers in rows]


async def drop_expired(session: AsyncSession, now: datetime) -> None:
    """Forget what nobody looks at any more."""
    await session.execute(delete(MinuteRow).where(col(MinuteRow.at) < now - _MINUTES_KEPT))
    for model in (HourRow, LatencyRow):
        await session.execute(delete(model).where(col(model.at) < now - _HOURS_KEPT))
