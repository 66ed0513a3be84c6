"""The queries behind the search for orders: every way to name one is read from its own index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, text, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.expression import union_all
from sqlmodel import col

from backend.dispatch.models import OrderRow, ParcelRow, RecipientRow
from backend.dispatch.order_list_repository import Viewer
from backend.dispatch.search_rules import Sought
from backend.platform.db import plan_for_values
from backend.platform.scopes import EVERYWHERE

# Of what many orders share, such as a first name, so many are looked at.
_LOOKED_AT = 5_000
_NAMES_LOOKED_AT = 2_000
_NAMES_MEANT = 50
_WORDS_COUNT, _WHOLE_COUNTS = 0.7, 0.25
_WORD_BEGINS = 0.65
_WORD_SOUNDS = 0.3
_SURE, _SLIPPED, _BEGINS, _PART = 1.0, 0.9, 0.8, 0.7
_TELLING_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Found:
    """An order, by what it was found, and how surely."""

    row: OrderRow
    matched_by: str
    score: float


async def exact(session: AsyncSession, viewer: Viewer, sought: Sought, limit: int) -> list[Found]:
    """By number, reference, barcode and the end of a phone number, to the letter.

    A number that was mistyped once counts too: so few are near it that there is no doubt.
    """
    parts = []
    if sought.numbers:
        number = col(OrderRow.number)
        score = case((number == sought.number, _SURE), else_=_SLIPPED)
        parts.append(_part(viewer, "number", number.in_(sought.numbers), score))
    if sought.codes:
        parts += _named(viewer, sought.codes, _SURE)
    if sought.phone:
        sure = len(sought.phone) >= _TELLING_DIGITS
        ends = func.reverse(col(OrderRow.drop_phone)).like(f"{sought.phone[::-1]}%")
        parts.append(_part(viewer, "phone", ends, _SURE if sure else _BEGINS))
    return await _newest(session, parts, limit)


async def near(session: AsyncSession, viewer: Viewer, sought: Sought, limit: int) -> list[Found]:
    """By how a number begins, by a reference or barcode with one slip, by words of a name."""
    parts = []
    if sought.number_begins:
        begins = col(OrderRow.number).like(f"{sought.number_begins}%")
        parts.append(_part(viewer, "number", begins, _BEGINS))
    slips = sought.near_codes
    if slips:
        parts += _named(viewer, slips, _PART)
    if sought.words:
        await _least_likeness(session, _WORD_BEGINS)
        parts.append(_called(viewer, sought.words))
    return await _newest(session, parts, limit)


async def sounding(
    session: AsyncSession, viewer: Viewer, words: Sequence[str], limit: int
) -> list[Found]:
    """By words of a name that are spelled otherwise."""
    await _least_likeness(session, _WORD_SOUNDS)
    return await _newest(session, [_called(viewer, words)], limit)


def _part(
    viewer: Viewer, by: str, condition: ColumnElement[bool], score: float | ColumnElement[float]
) -> Select[Any]:
    shown = score if isinstance(score, ColumnElement) else literal(score)
    columns: tuple[Any, ...] = (
        col(OrderRow.id),
        col(OrderRow.created_at),
        literal(by).label("by"),
        shown.label("score"),
    )
    return select(*columns).where(condition, *viewer.sees(None)).limit(_LOOKED_AT)


def _named(viewer: Viewer, codes: Sequence[str], score: float) -> list[Select[Any]]:
    parcel = select(col(ParcelRow.order_id)).where(col(ParcelRow.barcode).in_(codes))
    return [
        _part(viewer, "reference", col(OrderRow.reference).in_(codes), score),
        _part(viewer, "barcode", col(OrderRow.id).in_(parcel), score),
    ]


def _called(viewer: Viewer, words: Sequence[str]) -> Select[Any]:
    """Orders for somebody whose name has all of the words, or some like them, in any order.

    Names are looked at by themselves; their orders are read once it is known which are meant.
    """
    name = func.search_folded(col(RecipientRow.name))
    likeness = sum((func.word_similarity(word, name) for word in words), literal(0.0))
    whole = func.similarity(" ".join(words), name)
    heard = (
        select(
            col(RecipientRow.region),
            col(RecipientRow.name),
            (likeness / len(words) * _WORDS_COUNT + whole * _WHOLE_COUNTS).label("score"),
        )
        .where(and_(*(name.op("%>")(word) for word in words)), _heard_in(viewer.scopes))
        .limit(_NAMES_LOOKED_AT)
        .subquery()
    )
    meant = select(heard).order_by(heard.c.score.desc()).limit(_NAMES_MEANT).subquery()
    return (
        select(
            col(OrderRow.id), col(OrderRow.created_at), literal("name").label("by"), meant.c.score
        )
        .join(meant, func.lower(col(OrderRow.drop_name)) == meant.c.name)
        .where(col(OrderRow.region) == meant.c.region, *viewer.sees(None))
        .limit(_LOOKED_AT)
    )


def _heard_in(scopes: Sequence[str]) -> ColumnElement[bool]:
    """Whether a name is heard in a city of the scopes, or in that of a hub."""
    if EVERYWHERE in scopes:
        return true()
    region = col(RecipientRow.region)
    cities = [scope.partition(".")[0] for scope in scopes]
    return or_(
        region.in_(cities),
        *(region.startswith(f"{each}-", autoescape=True) for each in cities if "-" not in each),
    )


async def _least_likeness(session: AsyncSession, least: float) -> None:
    await session.execute(
        text("SELECT set_config('pg_trgm.word_similarity_threshold', :least, true)"),
        {"least": str(least)},
    )


async def _newest(session: AsyncSession, parts: Sequence[Select[Any]], limit: int) -> list[Found]:
    """The surest of the parts, of the equally sure the newest, each order once."""
    if not parts:
        return []
    await plan_for_values(session)
    rows = union_all(*(part.subquery().select() for part in parts)).subquery()
    best = (
        select(rows.c.id, rows.c.by, rows.c.score, rows.c.created_at)
        .ext(distinct_on(rows.c.id))
        .order_by(rows.c.id, rows.c.score.desc())
        .subquery()
    )
    surest = (
        select(best).order_by(best.c.score.desc(), best.c.created_at.desc()).limit(limit).subquery()
    )
    found = await session.execute(
        select(OrderRow, surest.c.by, surest.c.score)
        .join(surest, surest.c.id == col(OrderRow.id))
        .order_by(surest.c.score.desc(), surest.c.created_at.desc())
    )
    return [Found(row, by, float(score)) for row, by, score in found]
