"""The search for drivers by whatever somebody can say of one."""

from __future__ import annotations

from typing import cast

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.spelling import last_digits, name_words
from backend.tracking import search_repository
from backend.tracking.schemas import DriverFound, DriverMatch

_SHORTEST = 2
_LONGEST = 100
_SHORTEST_PLATE = 3


async def search_drivers(
    session: AsyncSession, principal: Principal, q: str, limit: int = 20
) -> list[DriverFound]:
    """Drivers of the caller's regions by code, plate, end of the phone or words of the name.

    A name may be misspelled and its words in any order; a plate may lack its gaps or a part.
    """
    identity.authorize(principal, "drivers:read")
    asked = " ".join(q.split())[:_LONGEST]
    if len(asked) < _SHORTEST or "\x00" in asked:
        return []
    found = await search_repository.drivers_called(
        session,
        identity.scopes(principal, "drivers:read"),
        code=asked.upper().replace(" ", "-"),
        plate=plate_of(asked),
        phone=last_digits(asked),
        words=name_words(asked),
        limit=limit,
    )
    return [
        DriverFound(
            id=row.id,
            code=row.code,
            name=row.name,
            plate=row.plate,
            vehicle=row.vehicle,
            region=row.region,
            hub=row.hub,
            matched_by=cast(DriverMatch, by),
            score=round(score, 3),
        )
        for row, by, score in found
    ]


def plate_of(text: str) -> str | None:
    """The text as a plate without its gaps, where it holds a figure and could be one."""
    plate = text.upper().replace(" ", "").replace("-", "").replace(".", "")
    has_figure = any(map(str.isdecimal, plate))
    return plate if has_figure and plate.isalnum() and len(plate) >= _SHORTEST_PLATE else None
