"""What payments does when an order moves."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.payments import orders
from backend.platform.consumers import Handler, Received

GROUP = "payments"


async def _created(session: AsyncSession, event: Received) -> None:
    region = event.region or event.data["region"]
    await orders.note_created(session, event.data, region, event.actor)


async def _ended(session: AsyncSession, event: Received) -> None:
    outcome = event.type.partition(".")[2]
    await orders.note_end(session, event.data, outcome, event.at, event.actor)


async def _carried(session: AsyncSession, event: Received) -> None:
    await orders.note_driver(session, event.data, event.actor)


HANDLERS: dict[str, Handler] = {
    "order.created": _created,
    "order.delivered": _ended,
    "order.cancelled": _ended,
    "order.failed": _ended,
    "order.returned": _ended,
    "order.picked_up": _carried,
    "order.reassigned": _carried,
}
