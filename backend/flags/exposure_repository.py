"""Adding to the counts of what was served."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_ADD = text("""
    INSERT INTO flags_exposure (environment, key, hour, region, variant, asked)
    SELECT * FROM unnest(
        CAST(:environments AS text[]), CAST(:keys AS text[]), CAST(:hours AS timestamptz[]),
        CAST(:regions AS text[]), CAST(:variants AS text[]), CAST(:counts AS bigint[])
    )
    ON CONFLICT (environment, key, hour, region, variant)
    DO UPDATE SET asked = flags_exposure.asked + excluded.asked
""")


async def add(
    session: AsyncSession, counts: Mapping[tuple[str, str, datetime, str, str], int]
) -> None:
    """Add counts by environment, flag, hour, region and variant.

    In order, so that processes that add at once wait for one another instead of forever.
    """
    rows = sorted(counts.items())
    environments, keys, hours, regions, variants = zip(*(row for row, _ in rows), strict=True)
    await session.execute(
        _ADD,
        {
            "environments": list(environments),
            "keys": list(keys),
            "hours": list(hours),
            "regions": list(regions),
            "variants": list(variants),
            "counts": [number for _, number in rows],
        },
    )
