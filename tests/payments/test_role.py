"""The worker's role brings an order's payment from its event to the captured money by itself."""

from __future__ import annotations

import asyncio

from backend.identity.schemas import SYSTEM
from backend.payments import role, service
from backend.payments.schemas import PaymentFilter
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit, relay_once
from backend.platform.resources import Resources
from backend.worker import ROLES

from .books import check


async def test_an_order_is_followed_from_event_to_capture(resources: Resources) -> None:
    order = uuid7()
    about = {"order_id": str(order), "number": "WP-TEST"}
    created = {
        **about, "reference": "M-1", "region": "TH-10", "terms": "prepaid",
        "amount": {"minor": 50_000, "currency": "THB"}, "wallet_id": None,
        "method": "sandbox:ok,lost", "gateway": None, "merchant": "service:marketplace-th",
    }  # fmt: skip
    async with resources.database.unit_of_work() as session:
        delivered = {**about, "driver_id": str(uuid7()), "collected": None}
        await emit(session, Event("order.delivered", str(order), "system", delivered, "TH-10"))
        await emit(session, Event("order.created", str(order), "system", created, "TH-10"))
    await relay_once(resources.database, resources.events)
    stop = asyncio.Event()
    running = asyncio.create_task(role.run(resources, stop))
    async with asyncio.timeout(60):
        while True:
            async with resources.database.unit_of_work() as session:
                page = await service.list_payments(session, SYSTEM, PaymentFilter())
            if page.items and page.items[0].state == "captured":
                break
            await asyncio.sleep(0.1)
    stop.set()
    await running
    assert page.items[0].captured.minor == 50_000
    await check(resources.database)


def test_the_worker_has_the_role() -> None:
    assert ROLES["payments"] is role.run
