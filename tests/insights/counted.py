"""What was counted a while ago, for the tests of objectives."""

from __future__ import annotations

from datetime import timedelta

from backend.insights import count_repository
from backend.platform import clock
from backend.platform.indicators import Counts, Place
from backend.platform.resources import Resources


async def counted(
    resources: Resources, name: str, region: str, ago: timedelta, valid: int, bad: int
) -> None:
    """Have something counted a while ago."""
    minute = int((clock.now() - ago).timestamp()) // 60
    place = Place(name, region, minute)
    counts = Counts()
    counts.valid[place], counts.good[place] = valid, valid - bad
    async with resources.database.unit_of_work() as session:
        await count_repository.add(session, counts)


async def counted_for_weeks(resources: Resources, *names: str) -> None:
    """Have each objective counted since before its window."""
    for name in names:
        await counted(resources, name, "SG-01", timedelta(days=40), 1, 0)
