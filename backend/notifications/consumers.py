"""Turns each step of an order into a delivery to every endpoint that wants to hear of it."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.schemas import ORDER_EVENTS
from backend.notifications import repository
from backend.notifications.models import DeliveryRow, EndpointRow
from backend.notifications.rules import DeliveryState, wants
from backend.platform import clock
from backend.platform.consumers import Received
from backend.platform.ids import uuid7
from backend.platform.scopes import EVERYWHERE, covers

GROUP = "webhooks"

# What a marketplace learns of its order. Names, phone numbers, addresses, positions, wallets and
# what colleagues noted for each other stay inside.
_TOLD = (
    "order_id", "number", "reference", "merchant", "region", "state", "version", "reason",
    "driver_id", "former_driver_id", "terms", "amount", "collected", "promised_at", "weight_g",
)  # fmt: skip


async def announce(session: AsyncSession, event: Received) -> None:
    """Write a delivery for every endpoint of the order's marketplace that wants this event."""
    merchant = event.data.get("merchant")
    if not isinstance(merchant, str):
        return
    place = event.region or EVERYWHERE
    told = [
        endpoint
        for endpoint in await repository.endpoints_of(session, merchant)
        if wants(endpoint.event_types, event.type) and covers(endpoint.region, place)
    ]
    if not told:
        return
    now = clock.now()
    behind = await repository.next_in_line(session, [each.id for each in told], event.key)
    payload = orjson.dumps(message(event)).decode()
    rows = []
    for endpoint in told:
        row = _delivery(endpoint, event, payload)
        row.next_at = max(now, behind.get(endpoint.id, now))
        rows.append(row)
    await repository.add_deliveries(session, rows)


HANDLERS = dict.fromkeys(ORDER_EVENTS, announce)


def message(event: Received) -> dict[str, Any]:
    """The event as it is sent."""
    return {
        "id": event.id,
        "type": event.type,
        "at": event.at,
        "device_at": event.device_at,
        "actor": event.actor,
        "data": {name: event.data[name] for name in _TOLD if name in event.data},
    }


def _delivery(endpoint: EndpointRow, event: Received, payload: str) -> DeliveryRow:
    """A delivery to be sent at once; for an endpoint that is off, one that can be replayed."""
    now = clock.now()
    return DeliveryRow(
        id=uuid7(),
        endpoint_id=endpoint.id,
        event_id=event.id,
        event_type=event.type,
        event_at=event.at,
        subject=event.key,
        position=_position(event.data.get("version")),
        order_number=event.data.get("number"),
        payload=payload,
        state=DeliveryState.PENDING if endpoint.active else DeliveryState.GIVEN_UP,
        attempts=0,
        next_at=now,
        why=None if endpoint.active else "The endpoint was off.",
        created_at=now,
        settled_at=None if endpoint.active else now,
    )


def _position(version: object) -> int:
    """Where in the order's history the event stands; its first tells no version."""
    return version if isinstance(version, int) else 0


def trial(endpoint: EndpointRow, actor: str) -> DeliveryRow:
    """A delivery that tells of nothing, to see whether an endpoint takes it."""
    event_id, now = uuid7(), clock.now()
    data = {"endpoint_id": str(endpoint.id), "merchant": endpoint.merchant}
    event = Received(
        event_id, "webhook.test", str(event_id), actor, endpoint.region, now, None, None, data
    )
    payload = orjson.dumps({**message(event), "data": data}).decode()
    return _delivery(endpoint, event, payload)
