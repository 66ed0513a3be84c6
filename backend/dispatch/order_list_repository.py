"""The queries behind lists of orders: filters, keyset pages, counts, and what is due."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.models import OrderRow, ParcelRow
from backend.dispatch.numbers import read_number
from backend.dispatch.order_repository import within
from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.rules import AT_RISK_WITHIN, TERMINAL, OrderState

_NAMES_AT_MOST = 2_000
_ENDED_BY_STATE = tuple(sorted(TERMINAL))


def lateness_at(now: datetime) -> ColumnElement[Any]:
    """`rules.lateness` for each row."""
    state, promised, ended = col(OrderRow.state), col(OrderRow.promised_at), col(OrderRow.ended_at)
    expected = func.coalesce(col(OrderRow.eta_high), now + AT_RISK_WITHIN)
    return case(
        (state.in_([OrderState.RETURNED, OrderState.CANCELLED]), null()),
        (state == OrderState.DELIVERED, case((ended > promised, "late"), else_="on_time")),
        (promised < now, "late"),
        (expected > promised, "at_risk"),
        else_="on_time",
    )


def _matching(
    scopes: Sequence[str], merchant: str | None, wanted: OrderFilter, now: datetime
) -> list[ColumnElement[bool]]:
    """The conditions of a filter for a caller; `merchant` is the only one whose orders they see."""
    row = OrderRow
    conditions = [within(scopes)]
    equal = {
        row.merchant: merchant,
        row.service: wanted.service,
        row.driver_id: wanted.driver_id,
        row.terms: wanted.terms,
    }
    conditions += [col(column) == value for column, value in equal.items() if value is not None]
    if wanted.merchant is not None:
        conditions.append(col(row.merchant) == wanted.merchant)
    if wanted.region is not None:
        conditions.append(within([wanted.region]))
    if wanted.states:
        conditions.append(col(row.state).in_(wanted.states))
    if wanted.lateness is not None:
        conditions.append(lateness_at(now) == wanted.lateness)
    if wanted.tag is not None:
        conditions.append(col(row.tags).contains([wanted.tag]))
    if wanted.flagged is not None:
        flagged = col(row.flagged)
        conditions.append(flagged.is_not(None) if wanted.flagged else flagged.is_(None))
    if wanted.created_from is not None:
        conditions.append(col(row.created_at) >= wanted.created_from)
    if wanted.created_until is not None:
        conditions.append(col(row.created_at) < wanted.created_until)
    if wanted.q and wanted.q.strip():
        conditions.append(col(row.id).in_(_named(wanted.q.strip())))
    return conditions


def _named(q: str) -> Select[Any]:
    """The ids of orders that somebody may mean by `q`; each part has an index of its own."""
    row = OrderRow
    parts: list[Select[Any]] = [
        select(col(row.id)).where(col(row.reference) == q),
        select(col(ParcelRow.order_id)).where(col(ParcelRow.barcode) == q),
    ]
    number = read_number(q)
    if number is not None:
        parts.append(select(col(row.id)).where(col(row.number) == number))
    if q.startswith("+"):
        parts.append(select(col(row.id)).where(col(row.drop_phone) == q))
    elif len(q) > 1:
        named = select(col(row.id)).where(
            func.lower(col(row.drop_name)).startswith(q.lower(), autoescape=True)
        )
        parts.append(select(named.limit(_NAMES_AT_MOST).subquery().c.id))
    return select(union_all(*parts).subquery().c.id)


async def page(
    session: AsyncSession,
    scopes: Sequence[str],
    merchant: str | None,
    wanted: OrderFilter,
    *,
    now: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[OrderRow]:
    """Up to `limit` orders in the filter's order, from behind the place `after`."""
    query = _ordered(_matching(scopes, merchant, wanted, now), wanted, after)
    return list(await session.scalars(query.limit(limit)))


def _ordered(
    conditions: Sequence[ColumnElement[bool]],
    wanted: OrderFilter,
    after: tuple[datetime, UUID] | None,
) -> Select[Any]:
    by = col(OrderRow.promised_at if wanted.sort == "promised" else OrderRow.created_at)
    place = tuple_(by, col(OrderRow.id))
    query = select(OrderRow).where(*conditions)
    if after is not None:
        bound = tuple_(literal(after[0]), literal(after[1]))
        query = query.where(place < bound if wanted.descending else place > bound)
    if wanted.descending:
        return query.order_by(by.desc(), col(OrderRow.id).desc())
    return query.order_by(by, col(OrderRow.id))


async def every(
    session: AsyncSession,
    scopes: Sequence[str],
    merchant: str | None,
    wanted: OrderFilter,
    *,
    now: datetime,
    limit: int,
    at_once: int,
) -> AsyncIterator[Sequence[OrderRow]]:
    """The same from the beginning, handed over in parts while the server still reads."""
    query = _ordered(_matching(scopes, merchant, wanted, now), wanted, None).limit(limit)
    found = await session.stream_scalars(query.execution_options(yield_per=at_once))
    async for part in found.partitions():
        yield part
        session.expunge_all()


async def counts(
    session: AsyncSession,
    scopes: Sequence[str],
    merchant: str | None,
    wanted: OrderFilter,
    *,
    now: datetime,
    most: int,
) -> list[tuple[str, str | None, int]]:
    """How many orders of the filter are in which state, how late; in one statement.

    Open orders are all counted. Of those that ended there can be millions: each state is counted
    up to `most`, newest first, so that the cost has a bound.
    """
    conditions = _matching(scopes, merchant, wanted, now)
    late = lateness_at(now)
    state = col(OrderRow.state)
    parts: list[Select[Any]] = [
        select(state.label("state"), late.label("late"))
        .where(*conditions, col(OrderRow.ended_at).is_(None))
    ]  # fmt: skip
    parts += [
        select(state, late)
        .where(*conditions, state == ended)
        .order_by(col(OrderRow.created_at).desc(), col(OrderRow.id).desc())
        .limit(most)
        for ended in _ENDED_BY_STATE
    ]
    rows = union_all(*(part.subquery().select() for part in parts)).subquery()
    found = await session.execute(
        select(rows.c.state, rows.c.late, func.count()).group_by(rows.c.state, rows.c.late)
    )
    return [(name, lateness, count) for name, lateness, count in found]


async def due_to_prepare(
    session: AsyncSession, opens_before: datetime, limit: int
) -> list[OrderRow]:
    """Orders that wait for their pickup window, and those that somebody works on left out."""
    found = await session.scalars(
        select(OrderRow)
        .where(
            col(OrderRow.state) == OrderState.CREATED,
            or_(
                col(OrderRow.pickup_from).is_(None),
                and_(col(OrderRow.pickup_from) <= opens_before),
            ),
        )
        .order_by(col(OrderRow.pickup_from))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(found)
