"""The worker role reads events, goes through broadcasts, sends, and stops when it is asked to."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from backend.notifications import messenger_role
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit
from backend.platform.resources import Resources
from backend.worker import ROLES, relay
from tests.dispatch.orders import place_order
from tests.notifications.outbox import about, body, prefer


async def test_an_order_and_an_incident_reach_the_customers_phone(resources: Resources) -> None:
    assert ROLES["messenger"] is messenger_role.run
    order = await place_order(resources)
    await prefer(resources, order.id, language="en", quiet={"begins": "00:00", "ends": "00:00"})
    data = {
        "incident_id": str(uuid7()), "number": "INC-1", "region": "TH-10",
        "since": (clock.now() - timedelta(hours=1)).isoformat(), "text": "We are late.",
    }  # fmt: skip
    async with resources.database.unit_of_work() as session:
        await emit(session, Event("customers.message_wanted", "x", "user:mia", data, "TH-10"))
    stop = asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(relay(resources, stop))
        group.create_task(messenger_role.run(resources, stop))
        while {each.state for each in await about(resources, order.id)} != {"delivered"} or len(
            await about(resources, order.id)
        ) < 2:
            await asyncio.sleep(0.05)
        stop.set()
    words = {
        each.template: await body(resources, each.id) for each in await about(resources, order.id)
    }
    assert words["order_received"].startswith(f"Waypost: we have your order {order.number}")
    assert words["incident_notice"].endswith("We are late.")
