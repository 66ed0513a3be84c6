"""Every query on webhook endpoints and deliveries but those of the sender."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.notifications.models import DeliveryRow, EndpointRow
from backend.notifications.rules import WAITING, DeliveryState
from backend.notifications.schemas import DeliveryFilter
from backend.platform.scopes import EVERYWHERE

KEPT_FOR = timedelta(days=30)


def visible(merchant: str | None, scopes: Sequence[str]) -> ColumnElement[bool]:
    """Endpoints that are the merchant's own, or that lie in any of the scopes."""
    if EVERYWHERE in scopes:
        return true()
    region = col(EndpointRow.region)
    seen: list[ColumnElement[bool]] = [col(EndpointRow.merchant) == merchant]
    for scope in scopes:
        seen += [
            region == scope,
            *(region.startswith(scope + end, autoescape=True) for end in "-."),
        ]
    return or_(*seen)


async def endpoint(
    session: AsyncSession, endpoint_id: UUID, seen: ColumnElement[bool], *, lock: bool = False
) -> EndpointRow | None:
    """The endpoint, if it is among those seen."""
    query = select(EndpointRow).where(col(EndpointRow.id) == endpoint_id, seen)
    found: EndpointRow | None = await session.scalar(query.with_for_update() if lock else query)
    return found


async def endpoints(
    session: AsyncSession, seen: ColumnElement[bool], after: UUID | None, limit: int
) -> list[EndpointRow]:
    """Endpoints, newest first."""
    query = select(EndpointRow).where(seen).order_by(col(EndpointRow.id).desc()).limit(limit)
    if after is not None:
        query = query.where(col(EndpointRow.id) < after)
    return list(await session.scalars(query))


async def count_of(session: AsyncSession, merchant: str) -> int:
    """How many endpoints a merchant has."""
    counted = await session.scalar(
        select(func.count()).where(col(EndpointRow.merchant) == merchant)
    )
    return counted or 0


async def remove(session: AsyncSession, endpoint_id: UUID) -> None:
    """Remove an endpoint with everything that was sent to it."""
    await session.execute(delete(EndpointRow).where(col(EndpointRow.id) == endpoint_id))


async def endpoints_of(session: AsyncSession, merchant: str) -> list[EndpointRow]:
    """Every endpoint of a merchant."""
    found = await session.scalars(select(EndpointRow).where(col(EndpointRow.merchant) == merchant))
    return list(found)


async def next_in_line(
    session: AsyncSession, endpoint_ids: Sequence[UUID], subject: str
) -> dict[UUID, datetime]:
    """When each endpoint's line of a subject is tried next, where anything waits in it."""
    rows = await session.execute(
        select(col(DeliveryRow.endpoint_id), func.max(col(DeliveryRow.next_at)))
        .where(
            col(DeliveryRow.endpoint_id).in_(endpoint_ids),
            col(DeliveryRow.subject) == subject,
            col(DeliveryRow.state).in_(WAITING),
        )
        .group_by(col(DeliveryRow.endpoint_id))
    )
    return {row[0]: row[1] for row in rows}


async def add_deliveries(session: AsyncSession, rows: Sequence[DeliveryRow]) -> None:
    """Add deliveries; one of the same event to the same endpoint is there once."""
    new = insert(DeliveryRow).on_conflict_do_nothing()
    await session.execute(new, [row.model_dump() for row in rows])


async def give_up_waiting(session: AsyncSession, endpoint_id: UUID, why: str, now: datetime) -> int:
    """Give up all that waits for an endpoint; answers how many."""
    gone = await session.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.endpoint_id) == endpoint_id, col(DeliveryRow.state).in_(WAITING))
        .values(state=DeliveryState.GIVEN_UP, why=why, settled_at=now, claim=None)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _wanted(seen: ColumnElement[bool], wanted: DeliveryFilter) -> ColumnElement[bool]:
    clauses = [seen]
    if wanted.endpoint_id is not None:
        clauses.append(col(DeliveryRow.endpoint_id) == wanted.endpoint_id)
    if wanted.state is not None:
        clauses.append(col(DeliveryRow.state) == wanted.state)
    if wanted.event_type:
        clauses.append(col(DeliveryRow.event_type) == wanted.event_type)
    if wanted.order:
        clauses.append(col(DeliveryRow.order_number) == wanted.order)
    if wanted.since is not None:
        clauses.append(col(DeliveryRow.event_at) >= wanted.since)
    if wanted.until is not None:
        clauses.append(col(DeliveryRow.event_at) < wanted.until)
    return and_(*clauses)


Told = Row[DeliveryRow, str, str]
"""A delivery with its endpoint's url and merchant."""


async def deliveries(
    session: AsyncSession,
    seen: ColumnElement[bool],
    wanted: DeliveryFilter,
    after: UUID | None,
    limit: int,
) -> Sequence[Told]:
    """Deliveries to the endpoints seen, newest first."""
    query = (
        select(DeliveryRow, col(EndpointRow.url), col(EndpointRow.merchant))
        .join(EndpointRow, col(EndpointRow.id) == col(DeliveryRow.endpoint_id))
        .where(_wanted(seen, wanted))
        .order_by(col(DeliveryRow.id).desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(DeliveryRow.id) < after)
    return (await session.execute(query)).all()


async def delivery(
    session: AsyncSession, delivery_id: UUID, seen: ColumnElement[bool]
) -> Told | None:
    """One delivery to an endpoint that is seen."""
    query = (
        select(DeliveryRow, col(EndpointRow.url), col(EndpointRow.merchant))
        .join(EndpointRow, col(EndpointRow.id) == col(DeliveryRow.endpoint_id))
        .where(col(DeliveryRow.id) == delivery_id, seen)
    )
    return (await session.execute(query)).one_or_none()


async def to_replay(
    session: AsyncSession, seen: ColumnElement[bool], ids: Sequence[UUID]
) -> dict[UUID, tuple[DeliveryRow, bool]]:
    """These deliveries, locked, with whether their endpoint is on."""
    rows = await session.execute(
        select(DeliveryRow, col(EndpointRow.active))
        .join(EndpointRow, col(EndpointRow.id) == col(DeliveryRow.endpoint_id))
        .where(col(DeliveryRow.id).in_(ids), seen)
        .order_by(col(DeliveryRow.id))
        .with_for_update(of=DeliveryRow)
    )
    return {row[0].id: (row[0], row[1]) for row in rows}


async def ids_in_range(
    session: AsyncSession, seen: ColumnElement[bool], wanted: DeliveryFilter, limit: int
) -> list[UUID]:
    """The oldest settled deliveries that match."""
    query = (
        select(col(DeliveryRow.id))
        .join(EndpointRow, col(EndpointRow.id) == col(DeliveryRow.endpoint_id))
        .where(_wanted(seen, wanted), col(DeliveryRow.state).not_in(WAITING))
        .order_by(col(DeliveryRow.event_at), col(DeliveryRow.id))
        .limit(limit)
    )
    return list(await session.scalars(query))


async def settled_by_hour(
    session: AsyncSession, seen: ColumnElement[bool], endpoint_ids: Sequence[UUID], since: datetime
) -> Sequence[Row[UUID, datetime, int, int]]:
    """Per endpoint seen and hour since then: deliveries that arrived, and those given up."""
    hour = func.date_trunc("hour", col(DeliveryRow.settled_at), "UTC")
    state = col(DeliveryRow.state)
    query = (
        select(
            col(DeliveryRow.endpoint_id),
            hour,
            func.count().filter(state == DeliveryState.DELIVERED),
            func.count().filter(state == DeliveryState.GIVEN_UP),
        )
        .join(EndpointRow, col(EndpointRow.id) == col(DeliveryRow.endpoint_id))
        .where(
            seen,
            col(DeliveryRow.endpoint_id).in_(endpoint_ids),
            col(DeliveryRow.settled_at) >= since,
        )
        .group_by(col(DeliveryRow.endpoint_id), hour)
    )
    return (await session.execute(query)).all()


async def waiting_by_endpoint(
    session: AsyncSession, seen: ColumnElement[bool], endpoint_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """How many deliveries wait for each of these endpoints that is seen."""
    rows = await session.execute(
        select(col(DeliveryRow.endpoint_id), func.count())
        .join(EndpointRow, col(EndpointRow.id) == col(DeliveryRow.endpoint_id))
        .where(
            seen,
            col(DeliveryRow.endpoint_id).in_(endpoint_ids),
            col(DeliveryRow.state).in_(WAITING),
        )
        .group_by(col(DeliveryRow.endpoint_id))
    )
    return {row[0]: row[1] for row in rows}


async def drop_settled(session: AsyncSession, before: datetime) -> None:
    """Forget deliveries of events before then that nothing is owed for any more."""
    await session.execute(
        delete(DeliveryRow).where(
            col(DeliveryRow.event_at) < before, col(DeliveryRow.state).not_in(WAITING)
        )
    )
