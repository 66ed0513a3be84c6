"""Follows orders: what they ask of their payment, in whatever order their events come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.payments import cod_cash, repository, wallet_repository
from backend.payments.accounts import PLATFORM, country
from backend.payments.asking import OWN, queue
from backend.payments.gateways.registry import gateway_of
from backend.payments.models import OrderRow, PaymentRow
from backend.payments.progress import ask_next, authorised, captured, failed, released
from backend.payments.rules import Action, State, outcome_after
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.money import Money
from backend.settings import get_settings

ENDS = {"delivered": "capture", "cancelled": "cancel", "returned": "cancel"}


async def note_created(
    session: AsyncSession, data: dict[str, Any], region: str, actor: str
) -> None:
    """An order that is to be paid."""
    order = await _facts(session, data)
    money = Money.model_validate(data["amount"])
    order.region, order.reference = region, data.get("reference")
    order.terms, order.merchant = data["terms"], data["merchant"]
    order.amount, order.currency = money.minor, money.currency
    order.wallet_id = UUID(data["wallet_id"]) if data.get("wallet_id") else None
    order.method, order.gateway = data.get("method"), data.get("gateway")
    await follow(session, order, actor)


async def note_end(
    session: AsyncSession, data: dict[str, Any], outcome: str, at: datetime, actor: str
) -> None:
    """How an order's way ended: delivered, cancelled, failed or returned."""
    order = await _facts(session, data)
    settled = outcome_after(order.outcome, outcome)
    if settled != order.outcome:
        order.outcome, order.outcome_at = settled, at
    if outcome == "delivered" and settled == "delivered":
        _note_driver(order, data)
        if data.get("collected"):
            collected = Money.model_validate(data["collected"])
            order.collected, order.collected_currency = collected.minor, collected.currency
    await follow(session, order, actor)


async def note_driver(session: AsyncSession, data: dict[str, Any], actor: str) -> None:
    """Who carries an order now."""
    order = await _facts(session, data)
    if order.outcome is None:
        _note_driver(order, data)


def _note_driver(order: OrderRow, data: dict[str, Any]) -> None:
    if data.get("driver_id"):
        order.driver_id = UUID(str(data["driver_id"]))


async def _facts(session: AsyncSession, data: dict[str, Any]) -> OrderRow:
    now = clock.now()
    order = await repository.order_facts(session, UUID(data["order_id"]), data["number"], now)
    order.updated_at = now
    return order


async def follow(session: AsyncSession, order: OrderRow, actor: str) -> None:
    """Bring the payment of a locked order to where the order is; nothing before it was created."""
    if not order.amount:
        return
    payment = await repository.payment_of_order(session, order.order_id)
    if payment is None:
        payment = await _open(session, order, actor)
    if order.terms == "cod":
        await cod_cash.follow(session, order, payment, actor)
        return
    wanted = ENDS.get(order.outcome or "")
    if wanted is not None:
        await want(session, payment, wanted, actor, at=order.outcome_at)


async def _open(session: AsyncSession, order: OrderRow, actor: str) -> PaymentRow:
    assert order.region is not None
    assert order.amount is not None
    assert order.currency is not None
    now = clock.now()
    gateway = {"wallet": "wallet", "cod": "cash"}.get(order.terms or "")
    payment = PaymentRow(
        id=uuid7(),
        purpose="order",
        order_id=order.order_id,
        order_number=order.number,
        region=order.region,
        merchant=order.merchant,
        wallet_id=order.wallet_id,
        terms=order.terms or "prepaid",
        gateway=gateway or order.gateway or gateway_of(get_settings(), country(order.region)),
        method=order.method,
        amount=order.amount,
        currency=order.currency,
        state=State.PROCESSING,
        created_by=actor,
        created_at=now,
        updated_at=now,
    )
    session.add(payment)
    if payment.terms == "prepaid" and not payment.method:
        payment.state = State.REQUIRES_METHOD
    await session.flush()
    await begin(session, payment, actor)
    return payment


async def begin(session: AsyncSession, payment: PaymentRow, actor: str) -> None:
    """Begin a round of a payment that is processing: hold a wallet's money, or ask the gateway."""
    if payment.state != State.PROCESSING:
        return
    if payment.terms == "wallet":
        wallet = payment.wallet_id and await wallet_repository.wallet(session, payment.wallet_id)
        if (
            not wallet
            or wallet.currency != payment.currency
            or wallet.merchant not in (PLATFORM, payment.merchant)
        ):
            reason = "There is no such wallet in the order's currency."
            await failed(session, payment, "unknown_wallet", reason, actor)
            return
        if await authorised(session, payment, actor) and payment.wanted:
            await want(session, payment, payment.wanted, actor)
    elif payment.gateway not in OWN:
        queue(session, payment, Action.AUTHORISE, actor)


async def want(
    session: AsyncSession,
    payment: PaymentRow,
    wanted: str,
    actor: str,
    *,
    at: datetime | None = None,
    amount: int | None = None,
) -> None:
    """Capture or give up a payment: now where that can be, else as soon as it can."""
    state = State(payment.state)
    if state in (State.CAPTURED, State.CANCELLED):
        return
    payment.wanted, payment.wanted_amount = wanted, amount
    if wanted == "capture" and payment.due_at is None:
        late_after = timedelta(seconds=get_settings().settlement_late_after_s)
        payment.due_at = (at or clock.now()) + late_after
    if wanted == "capture":
        if state is State.AUTHORISED and payment.gateway in OWN:
            await captured(session, payment, amount or payment.amount, actor)
            return
    elif await _nothing_at_gateway(session, payment):
        await released(session, payment, actor, "The order was given up.")
        return
    await ask_next(session, payment, actor)


async def _nothing_at_gateway(session: AsyncSession, payment: PaymentRow) -> bool:
    """Whether a payment can be given up here and now, what was not sent yet taken back."""
    if payment.gateway in OWN or payment.state in (State.REQUIRES_METHOD, State.FAILED):
        return True
    if payment.gateway_ref is not None:
        return False
    waiting = await repository.open_attempts(session, payment.id)
    if any(attempt.tries for attempt in waiting):
        return False
    for attempt in waiting:
        attempt.state, attempt.finished_at = "failed", clock.now()
        attempt.code, attempt.message = "given_up", "The order was given up before it was asked."
    return True
