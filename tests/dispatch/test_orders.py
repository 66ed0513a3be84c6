"""Reading orders: who sees which, what is masked, and what is found."""

from __future__ import annotations

from datetime import datetime

import orjson
import pytest
from sqlalchemy import text

from backend.dispatch import service
from backend.dispatch.errors import NoSuchOrder, WrongState
from backend.dispatch.order_schemas import BulkIn, BulkItem, OrderFilter
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


async def test_what_is_rolled_back_is_not_told_of(resources: Resources) -> None:
    made = await place_order(resources)
    before = await service.changes_of(DISPATCHER)

    async def hold_twice() -> None:
        async with resources.database.unit_of_work() as session:
            for _ in range(2):
                await service.hold_order(session, DISPATCHER, made.id, reason="Rain")

    with pytest.raises(WrongState):
        await hold_twice()
    assert await service.changes_of(DISPATCHER) == before
    items = [BulkItem(order_id=made.id)]
    async with resources.database.unit_of_work() as session:
        wanted = BulkIn(action="hold", items=items, reason="Rain")
        await service.act_on_orders(session, DISPATCHER, wanted)
        assert await service.changes_of(DISPATCHER) == before
    assert await service.changes_of(DISPATCHER) == before + 1


async def test_the_creation_tells_payments_what_they_need(resources: Resources) -> None:
    market, _ = await marketplace(resources)
    made = await place_order(
        resources,
        market,
        payment={
            "terms": "wallet",
            "amount": {"minor": 9_900, "currency": "THB"},
            "wallet_id": "0192f3a0-0000-7000-8000-000000000001",
        },
    )
    async with resources.database.unit_of_work() as session:
        values = await session.scalars(text("SELECT value FROM platform_outbox ORDER BY seq"))
        told = {event["type"]: event for event in map(orjson.loads, values)}
    event = told["order.created"]
    assert (event["key"], event["region"], event["actor"]) == (str(made.id), made.hub, market.id)
    expected = {
        "order_id": str(made.id),
        "number": made.number,
        "reference": made.reference,
        "merchant": market.id,
        "region": "TH-10",
        "terms": "wallet",
        "amount": {"minor": 9_900, "currency": "THB"},
        "wallet_id": "0192f3a0-0000-7000-8000-000000000001",
        "method": None,
        "gateway": None,
        "weight_g": 900,
    }
    assert expected.items() <= event["data"].items()
    assert datetime.fromisoformat(event["data"]["promised_at"]) == made.promised_at
    assert told["order.ready"]["actor"] == "system"


async def test_a_marketplace_is_not_told_who_works_here(resources: Resources) -> None:
    market, _ = await marketplace(resources)
    made = await place_order(resources, market)
    async with resources.database.unit_of_work() as session:
        await service.hold_order(session, DISPATCHER, made.id, reason="Wrong address")
        steps = await service.order_history(session, market, made.id)
        seen = await service.order_history(session, DISPATCHER, made.id)
    assert [step.actor_name for step in steps] == ["market", "system", "user"]
    assert seen[-1].actor_name == "Nok"
