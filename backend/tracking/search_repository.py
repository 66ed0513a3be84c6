"""The queries behind the search for drivers: each way to name one has an index of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, case, func, literal, select, text, union_all
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.tracking.models import DriverRow
from backend.tracking.repository import within

_LOOKED_AT = 500
_WORD_BEGINS = 0.6
_WHOLE_COUNTS = 0.25
_CODE_BEGINS = 0.85


async def drivers_called(
    session: AsyncSession,
    scopes: Sequence[str],
    *,
    code: str,
    plate: str | None,
    phone: str | None,
    words: Sequence[str],
    limit: int,
) -> list[tuple[DriverRow, str, float]]:
    """Drivers by how their code begins, a plate without its gaps, a phone's end or words of a name.

    With each by what it was found and how surely; the surest first.
    """
    begins = col(DriverRow.code).startswith(code, autoescape=True)
    known = case((col(DriverRow.code) == code, 1.0), else_=_CODE_BEGINS)
    parts = [_part(scopes, "code", begins, known)]
    if plate:
        written = func.upper(func.translate(col(DriverRow.plate), " -.", ""))
        alike = func.word_similarity(plate, written)
        parts.append(_part(scopes, "plate", written.op("%>")(plate), alike))
    if phone:
        ends = func.reverse(col(DriverRow.phone)).like(f"{phone[::-1]}%")
        parts.append(_part(scopes, "phone", ends, literal(0.9)))
    if words:
        name = func.search_folded(col(DriverRow.name))
        likeness = sum((func.word_similarity(word, name) for word in words), literal(0.0))
        whole = func.similarity(" ".join(words), name)
        score = likeness / len(words) * (0.95 - _WHOLE_COUNTS) + whole * _WHOLE_COUNTS
        parts.append(_part(scopes, "name", and_(*(name.op("%>")(word) for word in words)), score))
    await session.execute(
        text("SELECT set_config('pg_trgm.word_similarity_threshold', :least, true)"),
        {"least": str(_WORD_BEGINS)},
    )
    rows = union_all(*(part.subquery().select() for part in parts)).subquery()
    best = (
        select(rows).ext(distinct_on(rows.c.id)).order_by(rows.c.id, rows.c.score.desc()).subquery()
    )
    found = await session.execute(
        select(DriverRow, best.c.by, best.c.score)
        .join(best, best.c.id == col(DriverRow.id))
        .order_by(best.c.score.desc(), col(DriverRow.code))
        .limit(limit)
    )
    return [(row, by, float(score)) for row, by, score in found]


def _part(scopes: Sequence[str], by: str, condition: Any, score: Any) -> Select[Any]:
    return (
        select(col(DriverRow.id), literal(by).label("by"), score.label("score"))
        .where(condition, within(scopes))
        .limit(_LOOKED_AT)
    )
