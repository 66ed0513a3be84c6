"""Every query of payments, what they know of orders, and their attempts at gateways."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.payments.ledger_repository import reached, within
from backend.payments.models import AttemptRow, OrderRow, PaymentRow, WebhookRow
from backend.payments.reach import Reach
from backend.payments.rules import Action, State
from backend.payments.schemas import PaymentFilter


async def order_facts(
    session: AsyncSession, order_id: UUID, number: str, now: datetime
) -> OrderRow:
    """What is known of an order, locked; a new row where nothing was."""
    row = insert(OrderRow).values(order_id=order_id, number=number, updated_at=now)
    await session.execute(row.on_conflict_do_nothing(index_elements=["order_id"]))
    found = await session.get(OrderRow, order_id, with_for_update=True, populate_existing=True)
    assert found is not None
    return found


async def order_by_number(session: AsyncSession, number: str) -> OrderRow | None:
    """What is known of the order with this number, locked."""
    return await session.scalar(
        select(OrderRow).where(col(OrderRow.number) == number).with_for_update()
    )


async def await_turn_of(session: AsyncSession, order: str) -> None:
    """Wait until nobody else gives anything for an order, known here or not, to the commit."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:order, 0))"), {"order": order}
    )


async def order_by_id(session: AsyncSession, order_id: UUID) -> OrderRow | None:
    """What is known of an order."""
    return await session.get(OrderRow, order_id)


async def payment(session: AsyncSession, payment_id: UUID) -> PaymentRow | None:
    """The payment with this id."""
    return await session.get(PaymentRow, payment_id)


async def payment_for_update(session: AsyncSession, payment_id: UUID) -> PaymentRow | None:
    """The payment with this id, locked until the unit of work ends."""
    return await session.get(PaymentRow, payment_id, with_for_update=True, populate_existing=True)


async def payment_of_order(session: AsyncSession, order_id: UUID) -> PaymentRow | None:
    """The order's payment, locked."""
    return await session.scalar(
        select(PaymentRow).where(col(PaymentRow.order_id) == order_id).with_for_update()
    )


async def payments_of_number(session: AsyncSession, number: str) -> list[PaymentRow]:
    """The payments of an order number."""
    found = await session.scalars(
        select(PaymentRow)
        .where(col(PaymentRow.order_number) == number)
        .order_by(col(PaymentRow.id))
    )
    return list(found)


async def payment_by_ref(session: AsyncSession, gateway: str, ref: str) -> UUID | None:
    """The payment for which a gateway once made `ref`, in this round of trying or an earlier."""
    return await session.scalar(
        select(col(AttemptRow.payment_id)).where(
            col(AttemptRow.gateway) == gateway,
            col(AttemptRow.gateway_ref) == ref,
            col(AttemptRow.action) == Action.AUTHORISE,
        )
    )


async def round_of_ref(session: AsyncSession, payment_id: UUID, ref: str) -> int | None:
    """In which round of trying a gateway made `ref`."""
    return await session.scalar(
        select(col(AttemptRow.round)).where(
            col(AttemptRow.payment_id) == payment_id,
            col(AttemptRow.gateway_ref) == ref,
            col(AttemptRow.action) == Action.AUTHORISE,
        )
    )


async def payments(
    session: AsyncSession,
    reach: Reach,
    wanted: PaymentFilter,
    *,
    before: UUID | None = None,
    limit: int = 50,
) -> list[PaymentRow]:
    """Payments newest first, in reach and matching every filter that is set."""
    query = select(PaymentRow).where(_reached(reach))
    if wanted.region:
        query = query.where(within(col(PaymentRow.region), [wanted.region]))
    if wanted.states:
        query = query.where(col(PaymentRow.state).in_(wanted.states))
    for name in ("terms", "gateway", "currency", "failure_code", "merchant"):
        value = getattr(wanted, name)
        if value:
            query = query.where(col(getattr(PaymentRow, name)) == value)
    if wanted.late is not None:
        late = col(PaymentRow.late_at)
        query = query.where(late.is_not(None) if wanted.late else late.is_(None))
    if wanted.since:
        query = query.where(col(PaymentRow.created_at) >= wanted.since)
    if wanted.until:
        query = query.where(col(PaymentRow.created_at) < wanted.until)
    if wanted.q:
        columns = (col(PaymentRow.order_number), col(PaymentRow.gateway_ref))
        query = query.where(
            or_(*(column.icontains(wanted.q, autoescape=True) for column in columns))
        )
    if before is not None:
        query = query.where(col(PaymentRow.id) < before)
    return list(await session.scalars(query.order_by(col(PaymentRow.id).desc()).limit(limit)))


async def payments_called(
    session: AsyncSession, reach: Reach, ref: str, payment_id: UUID | None, limit: int
) -> list[PaymentRow]:
    """Payments in reach with this id, or for which a gateway made `ref`; newest first."""
    is_it = col(PaymentRow.gateway_ref) == ref
    if payment_id is not None:
        is_it = or_(is_it, col(PaymentRow.id) == payment_id)
    query = select(PaymentRow).where(is_it, _reached(reach))
    return list(await session.scalars(query.order_by(col(PaymentRow.id).desc()).limit(limit)))


def _reached(reach: Reach) -> ColumnElement[bool]:
    return reached(col(PaymentRow.region), col(PaymentRow.merchant), reach)


async def failure_groups(session: AsyncSession, reach: Reach, region: str | None) -> Sequence[Any]:
    """Failed payments counted by gateway, code and currency, with the newest reason of each."""
    query = select(
        col(PaymentRow.gateway),
        func.coalesce(col(PaymentRow.failure_code), "unknown").label("code"),
        col(PaymentRow.currency),
        func.count().label("number"),
        func.sum(col(PaymentRow.amount)).label("amount"),
        func.min(col(PaymentRow.updated_at)).label("oldest"),
        func.max(col(PaymentRow.updated_at)).label("newest"),
        func.max(col(PaymentRow.failure_reason)).label("reason"),
    ).where(_reached(reach), col(PaymentRow.state) == State.FAILED)
    if region:
        query = query.where(within(col(PaymentRow.region), [region]))
    found = await session.execute(query.group_by(text("1, 2, 3")).order_by(text("4 DESC, 1, 2")))
    return found.all()


async def totals(
    session: AsyncSession, reach: Reach, since: datetime, region: str | None
) -> list[Row[Any]]:
    """Payments made since a time: counts and sums by state and currency."""
    query = select(
        col(PaymentRow.state),
        col(PaymentRow.currency),
        func.count().label("number"),
        func.sum(col(PaymentRow.captured)).label("captured"),
        func.sum(col(PaymentRow.refunded)).label("refunded"),
        func.count(col(PaymentRow.late_at)).label("late"),
    ).where(_reached(reach), col(PaymentRow.created_at) >= since)
    if region:
        query = query.where(within(col(PaymentRow.region), [region]))
    return list(await session.execute(query.group_by(text("1, 2")).order_by(text("1, 2"))))


async def attempts_of(
    session: AsyncSession, payment_ids: Sequence[UUID]
) -> dict[UUID, list[AttemptRow]]:
    """The attempts of each payment, oldest first."""
    found = await session.scalars(
        select(AttemptRow)
        .where(col(AttemptRow.payment_id).in_(payment_ids))
        .order_by(col(AttemptRow.id))
    )
    attempts: dict[UUID, list[AttemptRow]] = {payment_id: [] for payment_id in payment_ids}
    for row in found:
        attempts[row.payment_id].append(row)
    return attempts


async def open_attempts(session: AsyncSession, payment_id: UUID) -> list[AttemptRow]:
    """What is still to be asked, or was asked and not answered."""
    found = await session.scalars(
        select(AttemptRow).where(
            col(AttemptRow.payment_id) == payment_id,
            col(AttemptRow.state).in_(("queued", "sent")),
        )
    )
    return list(found)


async def attempt_for_update(session: AsyncSession, attempt_id: UUID) -> AttemptRow | None:
    """The attempt with this id, locked."""
    return await session.get(AttemptRow, attempt_id, with_for_update=True, populate_existing=True)


async def due_attempts(session: AsyncSession, now: datetime, limit: int) -> list[AttemptRow]:
    """Attempts whose time has come and that nobody else holds, locked."""
    found = await session.scalars(
        select(AttemptRow)
        .where(col(AttemptRow.state).in_(("queued", "sent")), col(AttemptRow.due_at) <= now)
        .order_by(col(AttemptRow.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(found)


async def due_questions(session: AsyncSession, now: datetime, limit: int) -> list[PaymentRow]:
    """Payments whose gateway is to be asked again, locked."""
    found = await session.scalars(
        select(PaymentRow)
        .where(col(PaymentRow.ask_at) <= now)
        .order_by(col(PaymentRow.ask_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(found)


async def late_payments(session: AsyncSession, now: datetime, limit: int) -> list[PaymentRow]:
    """Payments that should have been settled by now and are not, locked, each told once."""
    found = await session.scalars(
        select(PaymentRow)
        .where(
            col(PaymentRow.due_at) <= now,
            col(PaymentRow.late_at).is_(None),
            col(PaymentRow.state).not_in((State.CAPTURED, State.CANCELLED)),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(found)


async def payment_of_hold(session: AsyncSession, hold_id: UUID) -> PaymentRow | None:
    """The payment whose money is held by this transfer, locked."""
    return await session.scalar(
        select(PaymentRow).where(col(PaymentRow.hold_id) == hold_id).with_for_update()
    )


async def webhooks_of(session: AsyncSession, payment_id: UUID) -> list[WebhookRow]:
    """The messages of gateways about a payment, oldest first."""
    found = await session.scalars(
        select(WebhookRow)
        .where(col(WebhookRow.payment_id) == payment_id)
        .order_by(col(WebhookRow.received_at))
    )
    return list(found)
