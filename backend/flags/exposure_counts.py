"""How often this process served which variant where, handed over to the database in sums."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from backend.flags import count_repository
from backend.flags.served import Served
from backend.platform import clock
from backend.platform.resources import Resources

ANYWHERE = "*"

_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8}){0,3}")
# A region is the client's own word, and must not fill memory and tables.
_MOST_REGIONS = 2_000
_ROWS_AT_ONCE = 1_000

Counted = dict[tuple[str, str, datetime, str, str], int]
"""Count by environment, flag, hour, region and variant."""


def region_of(context: Mapping[str, Any]) -> str:
    """The city, else the country that a context names, `*` where it names none."""
    for name in ("city", "country"):
        code = context.get(name)
        if isinstance(code, str) and len(code) <= 20 and _REGION.fullmatch(code):
            return code
    return ANYWHERE


class ExposureCounts:
    """Counts since the last hand-over, by environment, hour and region."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, datetime, str], Counter[Served]] = {}
        self._left_over: Counted = {}

    def count(self, environment: str, context: Mapping[str, Any], served: Iterable[Served]) -> None:
        """Count what one client was served."""
        hour = clock.now().replace(minute=0, second=0, microsecond=0)
        region = region_of(context)
        if len(self._counts) >= _MOST_REGIONS:
            region = ANYWHERE
        place = (environment, hour, region)
        counter = self._counts.get(place)
        if counter is None:
            counter = self._counts[place] = Counter()
        counter.update([item for item in served if item.value_given])

    def taken(self) -> Counted:
        """What was counted; counting starts anew."""
        counts, self._counts = self._counts, {}
        sums, self._left_over = self._left_over, {}
        for (environment, hour, region), counter in counts.items():
            for served, number in counter.items():
                variant = served.evaluation.variant or ""
                row = (environment, served.key, hour, region, variant)
                sums[row] = sums.get(row, 0) + number
        return sums

    async def hand_over(self, resources: Resources) -> None:
        """Add the sums to the database's; they are kept where it does not take them."""
        sums = self.taken()
        if not sums:
            return
        try:
            async with resources.database.unit_of_work() as session:
                for rows in _batches(sums):
                    await count_repository.add_exposure(session, rows)
        except BaseException:
            self._left_over = sums
            raise


def _batches(sums: Counted) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Rows in order, so that processes that add at once wait for one another and not for ever."""
    names = ("environment", "key", "hour", "region", "variant")
    rows = [
        {**dict(zip(names, row, strict=True)), "asked": asked}
        for row, asked in sorted(sums.items())
    ]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[start : start + _ROWS_AT_ONCE]
