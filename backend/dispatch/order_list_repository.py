"""The queries behind lists of orders: filters, keyset pages, counts, and what is due."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    String,
    Uuid,
    and_,
    any_,
    case,
    cast,
    distinct,
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
from backend.dispatch.rules import AT_RISK_WITHIN, OPEN, TERMINAL, OrderState
from backend.platform.db import plan_for_values
from backend.platform.scopes import narrowed

_FEW = 1_000
_NAMES_LOOKED_AT = 2_000
_NAMES_KEPT = 500
_KEPT_LATE = col(OrderRow.ended_at) > col(OrderRow.promised_at)
"""What those who were delivered late have an index of their own for."""
_KEPT = case((_KEPT_LATE, "late"), else_="on_time")
"""How a delivered order kept its promise."""


def _open_lateness(now: datetime) -> ColumnElement[Any]:
    promised = col(OrderRow.promised_at)
    expected = func.coalesce(col(OrderRow.eta_high), now + AT_RISK_WITHIN)
    return case((promised < now, "late"), (expected > promised, "at_risk"), else_="on_time")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose orders are looked at: regions, and for a marketplace no orders but its own."""

    scopes: Sequence[str]
    merchant: str | None
    now: datetime

    def sees(self, region: str | None) -> list[ColumnElement[bool]]:
        """The conditions of what they see below a region."""
        scopes = self.scopes if region is None else narrowed(self.scopes, region)
        conditions = [within(scopes)]
        if self.merchant is not None:
            conditions.append(col(OrderRow.merchant) == self.merchant)
        return conditions


async def _matching(
    session: AsyncSession, viewer: Viewer, wanted: OrderFilter
) -> list[ColumnElement[bool]]:
    """The conditions of a filter for a viewer."""
    await plan_for_values(session)
    row = OrderRow
    conditions = viewer.sees(wanted.region)
    equal = [
        (row.merchant, wanted.merchant),
        (row.service, wanted.service),
        (row.driver_id, wanted.driver_id),
        (row.terms, wanted.terms),
    ]
    conditions += [col(column) == value for column, value in equal if value is not None]
    if wanted.states and set(wanted.states) != OPEN:
        conditions.append(col(row.state).in_(wanted.states))
    if wanted.lateness is not None:
        conditions.append(_keeps(wanted.lateness, viewer.now))
    if wanted.lateness == "late" and set(wanted.states or ()) == {OrderState.DELIVERED}:
        conditions.append(_KEPT_LATE)
    if wanted.states and OPEN.issuperset(wanted.states):
        # Nothing but open orders, which have indexes of their own.
        conditions.append(col(row.ended_at).is_(None))
    if wanted.tag is not None:
        conditions.append(await _tagged(session, wanted.tag))
    if wanted.flagged is not None:
        flagged = col(row.flagged)
        conditions.append(flagged.is_not(None) if wanted.flagged else flagged.is_(None))
    if wanted.created_from is not None:
        conditions.append(col(row.created_at) >= wanted.created_from)
    if wanted.created_until is not None:
        conditions.append(col(row.created_at) < wanted.created_until)
    if wanted.q and wanted.q.strip():
        # Found first and by themselves: together with the rest the planner would guess wrong.
        ids = await session.scalars(_named(wanted.q.strip(), viewer.sees(wanted.region)))
        conditions.append(col(row.id) == any_(literal(list(ids), ARRAY(Uuid))))
    return conditions


def _keeps(lateness: str, now: datetime) -> ColumnElement[bool]:
    """Orders of a `rules.lateness`, said so that the planner can tell how many there may be."""
    is_open = and_(col(OrderRow.ended_at).is_(None), _open_lateness(now) == lateness)
    if lateness == "at_risk":
        return is_open
    delivered = col(OrderRow.state) == OrderState.DELIVERED
    return or_(is_open, and_(delivered, _KEPT_LATE if lateness == "late" else ~_KEPT_LATE))


async def _tagged(session: AsyncSession, tag: str) -> ColumnElement[bool]:
    """Orders with a tag; those of a rare one by their ids.

    Of what is rare the planner knows nothing: it would seek it among all, the newest first. That
    the ids stand in a table of their own keeps it from that while they are found.
    """
    has_it = col(OrderRow.tags).contains([tag])
    every = select(col(OrderRow.id)).where(has_it).cte("tagged").prefix_with("MATERIALIZED")
    ids = list(await session.scalars(select(every.c.id).limit(_FEW + 1)))
    return has_it if len(ids) > _FEW else col(OrderRow.id) == any_(literal(ids, ARRAY(Uuid)))


def _named(q: str, seen: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The ids of orders that somebody may mean by `q`; each part has an index of its own.

    Of orders that only share the beginning of a recipient's name with it, `_NAMES_LOOKED_AT` are
    looked at and the newest `_NAMES_KEPT` of them meant.
    """
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
        begins = func.lower(col(row.drop_name)).startswith(q.lower(), autoescape=True)
        named = (
            select(col(row.id), col(row.created_at))
            .where(begins, *seen)
            .limit(_NAMES_LOOKED_AT)
            .subquery()
        )
        newest = select(named.c.id).order_by(named.c.created_at.desc()).limit(_NAMES_KEPT)
        parts.append(select(newest.subquery().c.id))
    return select(union_all(*parts).subquery().c.id)


async def page(
    session: AsyncSession,
    viewer: Viewer,
    wanted: OrderFilter,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[OrderRow]:
    """Up to `limit` orders in the filter's order, from behind the place `after`."""
    query = _ordered(await _matching(session, viewer, wanted), wanted, after)
    return list(await session.scalars(query.limit(limit)))


def _ordered(
    conditions: Sequence[ColumnElement[bool]],
    wanted: OrderFilter,
    after: tuple[datetime, UUID] | None,
) -> Select[Any]:
    by = col(OrderRow.promised_at if wanted.sort == "promised" else OrderRow.created_at)
    place = tuple_(by, col(OrderRow.id))
    # What was found by what it is called is few: an index in this order is not to be read for it.
    first = by + timedelta() if wanted.q and wanted.q.strip() else by
    query = select(OrderRow).where(*conditions)
    if after is not None:
        bound = tuple_(literal(after[0]), literal(after[1]))
        query = query.where(place < bound if wanted.descending else place > bound)
    if wanted.descending:
        return query.order_by(first.desc(), col(OrderRow.id).desc())
    return query.order_by(first, col(OrderRow.id))


async def every(
    session: AsyncSession,
    viewer: Viewer,
    wanted: OrderFilter,
    *,
    limit: int,
    at_once: int,
) -> AsyncIterator[Sequence[OrderRow]]:
    """The same from the beginning, handed over in parts while the server still reads."""
    query = _ordered(await _matching(session, viewer, wanted), wanted, None).limit(limit)
    found = await session.stream_scalars(query.execution_options(yield_per=at_once))
    async for part in found.partitions():
        yield part
        session.expunge_all()


async def counts(
    session: AsyncSession,
    viewer: Viewer,
    wanted: OrderFilter,
    *,
    most: int,
) -> list[tuple[str, str | None, int]]:
    """How many orders of the filter are in which state, how late; in one statement.

    Open orders are all counted. Of those that ended there can be millions: each state is counted
    up to `most`, so that the cost has a bound.
    """
    conditions = await _matching(session, viewer, wanted)
    state = col(OrderRow.state)
    parts: list[Select[Any]] = []
    if not wanted.states or not OPEN.isdisjoint(wanted.states):
        late = _open_lateness(viewer.now)
        is_open = col(OrderRow.ended_at).is_(None)
        parts.append(select(state.label("state"), late.label("late")).where(*conditions, is_open))
    for ended in _ended_states(wanted):
        kept = _KEPT if ended is OrderState.DELIVERED else cast(null(), String)
        counted = select(state.label("state"), kept.label("late")).where(*conditions)
        if wanted.lateness == "late":
            counted = counted.where(_KEPT_LATE)
        parts.append(counted.where(state == ended).limit(most))
    if not parts:
        return []
    rows = union_all(*(part.subquery().select() for part in parts)).subquery()
    found = await session.execute(
        select(rows.c.state, rows.c.late, func.count()).group_by(rows.c.state, rows.c.late)
    )
    return [(name, lateness, count) for name, lateness, count in found]


def _ended_states(wanted: OrderFilter) -> list[OrderState]:
    """The states that an order ends in among those that the filter can find."""
    if wanted.lateness == "at_risk":
        return []
    possible = TERMINAL if wanted.lateness is None else {OrderState.DELIVERED}
    return sorted(possible & set(wanted.states or TERMINAL))


async def due_to_prepare(
    session: AsyncSession, opens_before: datetime, limit: int
) -> list[OrderRow]:
    """Orders that wait for their pickup window, and those that somebody works on left out."""
    found = await session.scalars(
        select(OrderRow)
        .where(
            col(OrderRow.state) == OrderState.CREATED,
            or_(col(OrderRow.pickup_from).is_(None), col(OrderRow.pickup_from) <= opens_before),
        )
        .order_by(col(OrderRow.pickup_from))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(found)


async def figures(
    session: AsyncSession, scopes: Sequence[str], since: datetime, until: datetime
) -> tuple[int, int, int]:
    """Orders delivered in a span, and the different recipients and drivers of those made in it."""
    made = (
        select(
            func.count(distinct(col(OrderRow.drop_phone))),
            func.count(distinct(col(OrderRow.driver_id))),
        )
        .where(col(OrderRow.created_at) >= since, col(OrderRow.created_at) < until)
        .where(within(scopes))
    )
    recipients, drivers = (await session.execute(made)).one()
    delivered = await session.scalar(
        select(func.count())
        .where(col(OrderRow.state) == OrderState.DELIVERED, within(scopes))
        .where(col(OrderRow.ended_at) >= since, col(OrderRow.ended_at) < until)
    )
    return delivered or 0, recipients, drivers
