"""Receivers, endpoints and events of the webhook tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from backend.identity.schemas import GrantScope, Principal
from backend.notifications import service
from backend.notifications.consumers import GROUP, HANDLERS
from backend.notifications.notifier import Sender
from backend.notifications.outbound import Outbound
from backend.notifications.schemas import (
    DeliveryFilter,
    DeliveryOut,
    EndpointIn,
    EndpointWithSecret,
)
from backend.platform.consumers import Consumer
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit, relay_once
from backend.platform.resources import Resources
from tests.notifications.receiver import Receiver, receiving

SHOP = Principal(
    "service", "service:shop", "shop",
    permissions=frozenset({"orders:create", "webhooks:write"}), regions=("TH",),
)  # fmt: skip
OTHER_SHOP = Principal(
    "service", "service:other", "other",
    permissions=frozenset({"orders:create", "webhooks:write"}), regions=("TH",),
)  # fmt: skip
ADMIN = Principal("user", "user:admin", "Ada Admin", (GrantScope("admin", "*"),))
ADMIN_VN = Principal("user", "user:admin-vn", "Vu Admin", (GrantScope("admin", "VN"),))
VIEWER = Principal("user", "user:viewer", "Vi Viewer", (GrantScope("viewer", "*"),))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A marketplace's receiver on loopback."""
    async with receiving() as opened:
        yield opened


Subscribe = Callable[..., Awaitable[EndpointWithSecret]]


@pytest.fixture
def subscribe(resources: Resources, receiver: Receiver) -> Subscribe:
    """A function that makes an endpoint of the shop at the receiver."""

    async def make(principal: Principal = SHOP, **wanted: Any) -> EndpointWithSecret:
        async with resources.database.unit_of_work() as session:
            return await service.create_endpoint(
                session, principal, EndpointIn(**{"url": receiver.url, **wanted})
            )

    return make


@pytest.fixture
async def sender(resources: Resources) -> AsyncIterator[Sender]:
    """A sender with connections of its own."""
    async with Outbound(allow_loopback=True, timeout_s=1) as outbound:
        made = Sender(resources, outbound)
        yield made
        await made.abandon()


def told(kind: str, version: int, order_id: UUID, **data: Any) -> Event:
    """An event of an order as its lifecycle writes it."""
    return Event(
        kind, str(order_id), "driver:1", region="TH-10",
        data={
            "order_id": str(order_id), "number": "WP-0000000000", "merchant": "service:shop",
            "state": kind.removeprefix("order."), "version": version, **data,
        },
    )  # fmt: skip


async def publish(resources: Resources, *events: Event) -> None:
    """Emit the events and have the consumer read them."""
    async with resources.database.unit_of_work() as session:
        for event in events:
            await emit(session, event)
    while await relay_once(resources.database, resources.events):
        pass
    await read(resources)


async def read(resources: Resources) -> None:
    """Have the consumer read all that is published."""
    consumer = Consumer(resources, GROUP, HANDLERS)
    await consumer.prepare()
    while await consumer.turn(wait_ms=1):
        pass


async def life(resources: Resources, *kinds: str) -> UUID:
    """One order's steps, published; answers its id."""
    order_id = uuid7()
    await publish(
        resources, *(told(f"order.{kind}", at, order_id) for at, kind in enumerate(kinds, 1))
    )
    return order_id


async def work(sender: Sender) -> None:
    """Send until nothing is due and nothing is in flight."""
    while await sender.turn() or sender.busy:
        await sender.settled()


async def log_of(resources: Resources, **wanted: Any) -> list[DeliveryOut]:
    """The delivery log, oldest first."""
    async with resources.database.unit_of_work() as session:
        page = await service.list_deliveries(session, ADMIN, DeliveryFilter(**wanted), limit=200)
    return page.items[::-1]
