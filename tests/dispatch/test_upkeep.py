"""Orders are made ready when their pickup is near, by whoever keeps them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from backend.dispatch import service
from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.rules import OrderState
from backend.dispatch.schemas import OrderOut
from backend.dispatch.upkeep import keep_orders, prepare_due
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.resources import Resources
from tests.dispatch.orders import order_body, place_order


async def waiting_order(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> OrderOut:
    """An order whose pickup opens in three hours, and the clock an hour before that."""
    opens = clock.now() + timedelta(hours=3)
    window = [opens.isoformat(), (opens + timedelta(hours=2)).isoformat()]
    pickup = {**order_body()["pickup"], "window": window}
    order = await place_order(resources, pickup=pickup, promised_at=None)
    assert (order.state, order.version) == ("created", 1)
    assert await prepare_due(resources) == 0
    near = opens - timedelta(minutes=59)
    monkeypatch.setattr(clock, "now", lambda: near)
    return order


async def test_an_order_waits_for_its_pickup_window(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await waiting_order(resources, monkeypatch)
    assert await prepare_due(resources) == 1
    async with resources.database.unit_of_work() as session:
        [ready] = (await service.list_orders(session, SYSTEM, OrderFilter())).items
    assert (ready.state, ready.version) == ("ready", 2)


async def test_two_sweeps_at_once_ready_an_order_once(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await waiting_order(resources, monkeypatch)
    assert sorted(await asyncio.gather(*(prepare_due(resources) for _ in range(4)))) == [0, 0, 0, 1]


async def test_the_role_readies_orders_until_it_is_stopped(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await waiting_order(resources, monkeypatch)
    stop = asyncio.Event()
    running = asyncio.create_task(keep_orders(resources, stop))
    state = OrderState.CREATED
    async with asyncio.timeout(30):
        while state != OrderState.READY:
            await asyncio.sleep(0.02)
            async with resources.database.unit_of_work() as session:
                state = (await service.get_order(session, SYSTEM, order.id)).state
        stop.set()
        await running
