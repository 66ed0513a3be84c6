"""What a dispatcher's board asks of the orders that it lists: who has them, what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import board_repository
from backend.dispatch.board_schemas import Carrier, LastStep
from backend.dispatch.rules import AT_RISK_WITHIN, OrderState
from backend.dispatch.schemas import OrderOut
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.tracking import service as tracking


async def carriers(
    session: AsyncSession, principal: Principal, orders: Sequence[OrderOut]
) -> dict[UUID, Carrier]:
    """Who has each of the orders, or is offered it; nothing for one that is with nobody.

    Of several open offers, the one that ends last.
    """
    identity.authorize(principal, "dispatch:read")
    scopes = identity.scopes(principal, "dispatch:read")
    waiting = [order.id for order in orders if order.driver_id is None]
    offered = await board_repository.open_offers(session, scopes, waiting, clock.now())
    until: dict[UUID, tuple[UUID, datetime | None]] = {
        order_id: (driver_id, ends) for order_id, driver_id, ends in offered
    }
    until |= {order.id: (order.driver_id, None) for order in orders if order.driver_id}
    codes = await tracking.driver_codes(session, {driver_id for driver_id, _ in until.values()})
    return {
        order_id: Carrier(
            order_id=order_id, driver_id=driver_id, code=codes[driver_id], offered_until=ends
        )
        for order_id, (driver_id, ends) in until.items()
        if driver_id in codes
    }


async def last_steps(
    session: AsyncSession, principal: Principal, order_ids: Sequence[UUID]
) -> list[LastStep]:
    """What happened last to each of the orders that the caller sees."""
    identity.authorize(principal, "dispatch:read")
    scopes = identity.scopes(principal, "dispatch:read")
    found = await board_repository.last_steps(session, scopes, order_ids)
    named = {order.driver_id for order, _ in found if order.driver_id is not None}
    codes = await tracking.driver_codes(session, named)
    return [
        LastStep(
            order_id=order.id,
            number=order.number,
            state=OrderState(order.state),
            kind=step.type,
            actor_name=step.actor_name,
            at=step.at,
            driver_code=codes.get(order.driver_id) if order.driver_id else None,
        )
        for order, step in found
    ]


def at_risk_from(order: OrderOut) -> datetime:
    """From when an open order counts as at risk; see `rules.lateness`."""
    if order.eta is None:
        return order.promised_at - AT_RISK_WITHIN
    return order.created_at if order.eta.high > order.promised_at else order.promised_at
