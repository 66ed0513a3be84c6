"""Reading orders: who sees which, what is masked, and what is found."""

from __future__ import annotations

import pytest

from backend.dispatch import service
from backend.dispatch.errors import NoSuchOrder
from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.rules import OrderState
from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.platform.resources import Resources
from tests.dispatch.orders import marketplace, place_order
from tests.tracking.fleet import hire

DISPATCHER = Principal("user", "user:nok", "Nok", (GrantScope("fleet_manager", "TH-10"),))
ABROAD = Principal("user", "user:dev", "Dev", (GrantScope("fleet_manager", "IN"),))


async def test_an_order_is_ready_at_once_and_masked_for_people(resources: Resources) -> None:
    market, _ = await marketplace(resources)
    made = await place_order(resources, market)
    assert (made.state, made.version, made.hub is not None) == (OrderState.READY, 2, True)
    assert made.drop["name"] == "Malee Srisuk"
    async with resources.database.unit_of_work() as session:
        seen = await service.get_order(session, DISPATCHER, made.number)
        steps = await service.order_history(session, DISPATCHER, made.id)
        stored = await service.get_order(session, SYSTEM, made.id)
    assert (seen.drop["name"], seen.drop["phone"]) == ("M••• S•••", "+6•••78")
    assert [step.type for step in steps] == ["order.created", "order.ready"]
    assert (stored.state, stored.version) == (made.state, made.version)


async def test_orders_of_other_regions_are_not_there(resources: Resources) -> None:
    made = await place_order(resources)
    async with resources.database.unit_of_work() as session:
        with pytest.raises(NoSuchOrder):
            await service.get_order(session, ABROAD, made.id)
        assert (await service.list_orders(session, ABROAD)).items == []
        found = await service.list_orders(session, DISPATCHER, OrderFilter(q="malee"))
    assert [order.id for order in found.items] == [made.id]


async def test_a_ready_order_is_given_to_a_driver(resources: Resources) -> None:
    phone = await hire(resources)
    made = await place_order(resources)
    async with resources.database.unit_of_work() as session:
        given = await service.assign_order(session, DISPATCHER, made.id, phone.id)
        counts = await service.count_orders(session, DISPATCHER)
    assert (given.state, given.driver_id) == (OrderState.ASSIGNED, phone.id)
    assert counts.by_state == {OrderState.ASSIGNED: 1}
    assert counts.by_lateness == {"on_time": 1}
    assert await service.changes_of(DISPATCHER, "TH-10") == 3
    assert await service.changes_of(ABROAD) == 0
