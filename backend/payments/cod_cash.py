"""Moves the cash of an order: expected, collected at the door, or no longer awaited."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import uuid5
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import SYSTEM
from backend.payments import cod_repository
from backend.payments.accounts import cod_difference, cod_driver, cod_merchant, cod_to_collect
from backend.payments.asking import plain_money, tell
from backend.payments.booking import book
from backend.payments.ledger_rules import Item, Op, post
from backend.payments.models import CodRow, OrderRow, PaymentRow
from backend.payments.progress import move
from backend.payments.rules import State
from backend.platform import clock
from backend.platform.outbox import Event, emit
from backend.regions import service as regions

ENDED = ("cancelled", "returned")


async def follow(session: AsyncSession, order: OrderRow, payment: PaymentRow, actor: str) -> None:
    """Bring the cash of an order to where the order is."""
    row = await cod_repository.cod(session, order.order_id)
    if row is None:
        row = await _expect(session, order, payment)
    if row.state != "to_collect":
        return
    if order.outcome == "delivered" and order.driver_id is not None:
        await _collect(session, order, row, payment, actor)
    elif order.outcome in ENDED:
        await _release(session, row, payment, actor)


async def _expect(session: AsyncSession, order: OrderRow, payment: PaymentRow) -> CodRow:
    row = CodRow(
        order_id=order.order_id,
        payment_id=payment.id,
        order_number=order.number,
        region=payment.region,
        merchant=payment.merchant or "platform",
        currency=payment.currency,
        expected=payment.amount,
        state="to_collect",
        created_at=clock.now(),
    )
    session.add(row)
    expected = post(
        uuid5(row.order_id, "cod expected"),
        cod_merchant(row),
        cod_to_collect(row),
        row.expected,
        "cod_expected",
        **_about(row),
    )
    await book(session, [expected])
    return row


def _about(row: CodRow) -> dict[str, Any]:
    return {"order_number": row.order_number, "reference": str(row.payment_id)}


async def _collect(
    session: AsyncSession, order: OrderRow, row: CodRow, payment: PaymentRow, actor: str
) -> None:
    """Book what the driver took at the door; another currency than agreed counts as nothing."""
    assert order.driver_id is not None
    collected = (order.collected or 0) if order.collected_currency == row.currency else 0
    row.driver_id, row.collected = order.driver_id, collected
    row.collected_at = order.outcome_at or clock.now()
    row.shift = await shift_of(session, row.region, row.collected_at)
    row.state = "with_driver"
    bag = cod_driver(order.driver_id, row.region, row.currency)
    due = cod_to_collect(row)
    items = []
    if taken := min(collected, row.expected):
        key = uuid5(row.order_id, "cod collected")
        items.append(post(key, due, bag, taken, "cod_collected", **_about(row)))
    if over := collected - taken:
        key = uuid5(row.order_id, "cod over")
        source = cod_difference(row.region, row.currency)
        items.append(post(key, source, bag, over, "cod_difference", **_about(row)))
    if missing := row.expected - taken:
        items.append(_back(row, missing))
    await book(session, items)
    if not collected:
        row.state = "released"
        row.driver_id = order.driver_id
    payment.captured = taken
    payment.captured_at = row.collected_at
    move(payment, State.CAPTURED if taken else State.FAILED)
    if not taken:
        payment.failure_code = "not_collected"
        payment.failure_reason = "The driver handed over without taking the cash."
        await tell(
            session, payment, "payment.failed", actor,
            code="not_collected", reason=payment.failure_reason,
        )  # fmt: skip
        return
    await tell(
        session, payment, "payment.captured", actor,
        captured=plain_money(taken, row.currency),
    )  # fmt: skip
    await tell_cod(session, row, "cod.collected", actor)


def _back(row: CodRow, amount: int) -> Item:
    """What is no longer awaited of what was expected."""
    return Item(
        Op.POST,
        uuid5(row.order_id, "cod not collected"),
        cod_to_collect(row),
        cod_merchant(row),
        amount,
        "cod_not_collected",
        row.order_number,
        str(row.payment_id),
        corrects=uuid5(row.order_id, "cod expected"),
    )


async def _release(session: AsyncSession, row: CodRow, payment: PaymentRow, actor: str) -> None:
    await book(session, [_back(row, row.expected)])
    row.state = "released"
    move(payment, State.CANCELLED)
    await tell(session, payment, "payment.cancelled", actor, reason="The order was given up.")


async def shift_of(session: AsyncSession, region: str, at: datetime) -> date:
    """The day of a shift: the local date at which it falls in its city."""
    directory = await regions.directory(session, SYSTEM)
    found = directory.get(region)
    return at.astimezone(ZoneInfo((found and found.time_zone) or "UTC")).date()


async def tell_cod(session: AsyncSession, row: CodRow, event: str, actor: str, **more: Any) -> None:
    """Emit an event about the cash of an order."""
    data = {
        "order_id": str(row.order_id),
        "payment_id": str(row.payment_id),
        "number": row.order_number,
        "driver_id": str(row.driver_id) if row.driver_id else None,
        "hub": row.hub,
        "shift": row.shift.isoformat() if row.shift else None,
        "merchant": row.merchant,
        "expected": plain_money(row.expected, row.currency),
        "collected": plain_money(row.collected or 0, row.currency),
        **more,
    }
    await emit(session, Event(event, str(row.order_id), actor, data, row.region))
