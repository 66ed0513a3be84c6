"""The worker's role as it runs, and many who come at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import text

from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit, relay_once
from backend.platform.resources import Resources
from backend.support import role, service
from backend.support.customer_schemas import HelpIn
from backend.worker import ROLES
from tests.dispatch.orders import place_order

from .world import AGENT, by_link, colleague, do, hear, opened, queue, token_of


@asynccontextmanager
async def running(resources: Resources) -> AsyncIterator[None]:
    """The role in this process."""
    stop = asyncio.Event()
    task = asyncio.create_task(ROLES["support"](resources, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(found: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    """Return once it is so."""
    async with asyncio.timeout(within_s):
        while not await found():
            await asyncio.sleep(0.05)


async def test_the_worker_opens_what_fails_and_what_is_late(resources: Resources) -> None:
    assert ROLES["support"] is role.run
    late, unpaid = await place_order(resources), await place_order(resources)
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE dispatch_order SET promised_at = :at WHERE id = :id"),
            {"at": late.promised_at - timedelta(hours=6), "id": late.id},
        )
        data = {"order_id": str(unpaid.id), "number": unpaid.number, "reason": "Declined."}
        await emit(session, Event("payment.failed", str(uuid7()), "system", data, "TH-10"))

    async def both_are_there() -> bool:
        while await relay_once(resources.database, resources.events):
            pass
        return {row.kind for row in await queue(resources)} == {"late", "payment"}

    async with running(resources):
        await until(both_are_there)


async def test_the_worker_forgets_drafts_of_what_is_closed(resources: Resources) -> None:
    row = await opened(resources)
    await do(resources, service.save_draft, AGENT, row.id, "Half a", seen_version=row.version)
    async with resources.database.unit_of_work() as session:
        ago = {"at": clock.now() - timedelta(days=2)}
        await session.execute(
            text("UPDATE support_escalation SET state = 'closed', closed_at = :at"), ago
        )
        await session.execute(text("UPDATE support_draft SET saved_at = :at"), ago)

    async def it_is_gone() -> bool:
        return await do(resources, service.draft_of, AGENT, row.id) is None

    assert not await it_is_gone()
    async with running(resources):
        await until(it_is_gone)


async def test_customers_agents_and_the_worker_at_once_lose_nothing(resources: Resources) -> None:
    orders = [await place_order(resources) for _ in range(6)]
    ann = await colleague(resources, "Ann", "support_agent", "TH-10")
    ben = await colleague(resources, "Ben", "support_agent", "TH-10")
    for who in (ann, ben):
        await do(resources, service.set_available, who, True)
    async with resources.database.unit_of_work() as session:
        for order in orders:
            data = {"order_id": str(order.id), "number": order.number, "reason": "Declined."}
            await emit(session, Event("payment.failed", str(uuid7()), "system", data, "TH-10"))
    asked = [
        by_link(resources, service.open_by_customer, token_of(order), HelpIn(text=f"Help {n}"))
        for order in orders
        for n in range(3)
    ]
    again = [do(resources, service.set_available, who, True) for who in (ann, ben)]
    await asyncio.gather(hear(resources), hear(resources), *asked, *again)
    rows = await queue(resources)
    assert sorted((row.order_number, row.kind) for row in rows) == sorted(
        (order.number, kind) for order in orders for kind in ("payment", "other")
    )
    given = [row.assignee for row in rows]
    assert given.count(ann.id) == given.count(ben.id) == 6
    for order in orders:
        told = await by_link(resources, service.conversation_of_customer, token_of(order))
        assert sorted(each.text for each in told.items) == ["Help 0", "Help 1", "Help 2"]
