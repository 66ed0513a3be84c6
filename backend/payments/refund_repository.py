"""Every query of refunds."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.payments.ledger_repository import reached, within
from backend.payments.models import PaymentRow, RefundRow
from backend.payments.reach import Reach
from backend.payments.rules import RefundState
from backend.payments.schemas import RefundFilter


async def add(session: AsyncSession, refund: RefundRow) -> None:
    """Add a refund, written now rather than at the commit."""
    session.add(refund)
    await session.flush()


async def refund(session: AsyncSession, refund_id: UUID) -> RefundRow | None:
    """The refund with this id."""
    return await session.get(RefundRow, refund_id)


async def refund_for_update(session: AsyncSession, refund_id: UUID) -> RefundRow | None:
    """The refund with this id, locked; lock its payment first."""
    return await session.get(RefundRow, refund_id, with_for_update=True, populate_existing=True)


async def refunds(
    session: AsyncSession,
    reach: Reach,
    wanted: RefundFilter,
    *,
    before: UUID | None = None,
    limit: int = 50,
) -> list[tuple[RefundRow, PaymentRow]]:
    """Refunds with their payments, newest first, in reach and matching what is set."""
    query = (
        select(RefundRow, PaymentRow)
        .join(PaymentRow, col(PaymentRow.id) == col(RefundRow.payment_id))
        .where(_reached(reach))
    )
    if wanted.region:
        query = query.where(within(col(RefundRow.region), [wanted.region]))
    if wanted.states:
        query = query.where(col(RefundRow.state).in_(wanted.states))
    if wanted.payment_id:
        query = query.where(col(RefundRow.payment_id) == wanted.payment_id)
    if wanted.q:
        columns = (col(RefundRow.order_number), col(RefundRow.gateway_ref))
        query = query.where(
            or_(*(column.icontains(wanted.q, autoescape=True) for column in columns))
        )
    if before is not None:
        query = query.where(col(RefundRow.id) < before)
    found = await session.execute(query.order_by(col(RefundRow.id).desc()).limit(limit))
    return [(row[0], row[1]) for row in found]


def _reached(reach: Reach) -> ColumnElement[bool]:
    return reached(col(RefundRow.region), col(PaymentRow.merchant), reach)


async def awaiting_approval(session: AsyncSession, reach: Reach, region: str | None) -> int:
    """How many refunds wait for a second person."""
    query = (
        select(func.count())
        .select_from(RefundRow)
        .join(PaymentRow, col(PaymentRow.id) == col(RefundRow.payment_id))
        .where(_reached(reach), col(RefundRow.state) == RefundState.REQUESTED)
    )
    if region:
        query = query.where(within(col(RefundRow.region), [region]))
    return await session.scalar(query) or 0


async def spent_by(session: AsyncSession, payment_id: UUID, person: str) -> int:
    """What a person has asked back of one payment alone, refused refunds not counted."""
    found = await session.scalar(
        select(func.coalesce(func.sum(col(RefundRow.amount)), 0)).where(
            col(RefundRow.payment_id) == payment_id,
            col(RefundRow.requested_by) == person,
            col(RefundRow.state).not_in((RefundState.FAILED, RefundState.REJECTED)),
        )
    )
    return int(found or 0)
