"""Every query on offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.dispatch.matching_models import OfferRow
from backend.dispatch.matching_schemas import OfferState
from backend.dispatch.models import OrderRow
from backend.dispatch.rules import OrderState

_REFUSED = (OfferState.REJECTED, OfferState.EXPIRED, OfferState.TAKEN_BACK)
Offered = tuple[OfferRow, OrderRow]


async def by_id(session: AsyncSession, offer_id: UUID) -> OfferRow | None:
    """The offer as it stands now."""
    return await session.get(OfferRow, offer_id, populate_existing=True)


async def answer(
    session: AsyncSession, offer_id: UUID, state: OfferState, now: datetime, reason: str | None
) -> bool:
    """Answer an open offer within its time; False for one that is not open any more."""
    done = await session.scalar(
        update(OfferRow)
        .where(
            col(OfferRow.id) == offer_id,
            col(OfferRow.state) == OfferState.OPEN,
            col(OfferRow.expires_at) > now,
        )
        .values(state=state, answered_at=now, reason=reason)
        .returning(col(OfferRow.id))
        .execution_options(synchronize_session=False)
    )
    return done is not None


async def withdraw_others(
    session: AsyncSession, order_id: UUID, now: datetime, reason: str
) -> list[OfferRow]:
    """Withdraw what is still open of an order; answers those offers."""
    found = await session.scalars(
        update(OfferRow)
        .where(col(OfferRow.order_id) == order_id, col(OfferRow.state) == OfferState.OPEN)
        .values(state=OfferState.WITHDRAWN, answered_at=now, reason=reason)
        .returning(OfferRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return list(found)


async def withdraw_in_city(
    session: AsyncSession, city: str, now: datetime, reason: str
) -> list[OfferRow]:
    """Withdraw every open offer of a city; answers those offers."""
    return await _close(session, [col(OfferRow.city) == city], OfferState.WITHDRAWN, now, reason)


async def expire(session: AsyncSession, city: str, now: datetime) -> list[OfferRow]:
    """Close the city's offers whose time is up; answers them."""
    conditions = [col(OfferRow.city) == city, col(OfferRow.expires_at) <= now]
    return await _close(session, conditions, OfferState.EXPIRED, now, None)


async def withdraw_overtaken(session: AsyncSession, city: str, now: datetime) -> list[OfferRow]:
    """Close the city's open offers of orders that are no longer to be had; answers them."""
    gone = (
        select(col(OrderRow.id))
        .where(col(OrderRow.id) == col(OfferRow.order_id), col(OrderRow.state) != OrderState.READY)
        .exists()
    )
    conditions = [col(OfferRow.city) == city, gone]
    return await _close(session, conditions, OfferState.WITHDRAWN, now, "overtaken")


async def _close(
    session: AsyncSession,
    conditions: Sequence[Any],
    state: OfferState,
    now: datetime,
    reason: str | None,
) -> list[OfferRow]:
    """Close open offers, passing over those that are being answered at this moment."""
    mine = (
        select(col(OfferRow.id))
        .where(col(OfferRow.state) == OfferState.OPEN, *conditions)
        .with_for_update(skip_locked=True, of=OfferRow)
    )
    found = await session.scalars(
        update(OfferRow)
        .where(col(OfferRow.id).in_(mine))
        .values(state=state, answered_at=now, reason=reason)
        .returning(OfferRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return list(found)


async def add(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store offers."""
    if rows:
        await session.execute(insert(OfferRow), list(rows))


async def last_rounds(session: AsyncSession, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The number of each order's last round of offers; nothing for one never offered."""
    found = await session.execute(
        select(col(OfferRow.order_id), func.max(col(OfferRow.round)))
        .where(col(OfferRow.order_id).in_(order_ids))
        .group_by(col(OfferRow.order_id))
    )
    return dict(found.all())


async def cooling(
    session: AsyncSession, order_ids: Sequence[UUID], since: datetime
) -> Sequence[tuple[UUID, UUID]]:
    """Orders with the drivers who refused or lost them since."""
    found = await session.execute(
        select(col(OfferRow.order_id), col(OfferRow.driver_id)).where(
            col(OfferRow.order_id).in_(order_ids),
            col(OfferRow.state).in_(_REFUSED),
            col(OfferRow.answered_at) > since,
        )
    )
    return found.all()


def _offered() -> Select[OfferRow, OrderRow]:
    return select(OfferRow, OrderRow).join(OrderRow, col(OrderRow.id) == col(OfferRow.order_id))


async def of_order(session: AsyncSession, order_id: UUID) -> list[OfferRow]:
    """An order's offers, newest first."""
    found = await session.scalars(
        select(OfferRow)
        .where(col(OfferRow.order_id) == order_id)
        .order_by(col(OfferRow.offered_at).desc(), col(OfferRow.id).desc())
    )
    return list(found)


async def open_of_driver(session: AsyncSession, driver_id: UUID, now: datetime) -> list[Offered]:
    """What the driver may accept now, with the orders, the first to run out first."""
    found = await session.execute(
        _offered()
        .where(
            col(OfferRow.driver_id) == driver_id,
            col(OfferRow.state) == OfferState.OPEN,
            col(OfferRow.expires_at) > now,
            col(OrderRow.state) == OrderState.READY,
        )
        .order_by(col(OfferRow.expires_at), col(OfferRow.id))
    )
    return [(offer, order) for offer, order in found]


async def mark_taken_back(
    session: AsyncSession, order_id: UUID, driver_id: UUID, now: datetime, reason: str
) -> bool:
    """Note on the offer by which a driver had an order that it was taken back."""
    done = await session.scalars(
        update(OfferRow)
        .where(
            col(OfferRow.order_id) == order_id,
            col(OfferRow.driver_id) == driver_id,
            or_(col(OfferRow.state) == OfferState.ACCEPTED, col(OfferRow.state) == OfferState.OPEN),
        )
        .values(state=OfferState.TAKEN_BACK, answered_at=now, reason=reason)
        .returning(col(OfferRow.id))
        .execution_options(synchronize_session=False)
    )
    return bool(done.all())
