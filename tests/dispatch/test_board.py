"""What the dispatcher's board asks of many orders at once: who has them, what became of them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from backend.dispatch import service
from backend.dispatch.board_schemas import Carrier
from backend.dispatch.dispatcher_role import dispatch_once
from backend.dispatch.schemas import Eta
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.resources import Resources

from .city import CENTRE, driver, offers_made, open_city, order, person, time_passes
from .orders import place_order

NEAR = (CENTRE[0] + 0.002, CENTRE[1])


@pytest.fixture(autouse=True)
async def city(resources: Resources) -> None:
    await open_city(resources)


async def carriers(resources: Resources, principal: Principal) -> dict[UUID, Carrier]:
    async with resources.database.unit_of_work() as session:
        page = await service.list_orders(session, principal)
        return await service.carriers(session, principal, page.items)


async def test_an_offered_order_names_the_driver_and_the_end_of_the_offer(
    resources: Resources,
) -> None:
    asked = await driver(resources, NEAR)
    waiting, lonely = await order(resources), await order(resources, vehicle="truck")
    await dispatch_once(resources)
    [offer] = await offers_made(resources)
    found = await carriers(resources, person("viewer"))
    assert found[waiting.id].driver_id == asked
    assert found[waiting.id].offered_until == offer.expires_at
    assert found[waiting.id].code.startswith("DRV-")
    assert lonely.id not in found
    await time_passes(resources, 60)
    assert await carriers(resources, person("viewer")) == {}


async def test_an_assigned_order_names_its_driver_without_an_end(resources: Resources) -> None:
    hired = await driver(resources, NEAR)
    waiting = await order(resources)
    async with resources.database.unit_of_work() as session:
        await service.assign_order(session, person("fleet_manager"), waiting.id, hired)
    found = await carriers(resources, person("viewer"))
    assert (found[waiting.id].driver_id, found[waiting.id].offered_until) == (hired, None)


async def test_the_last_step_says_who_did_what(resources: Resources) -> None:
    hired = await driver(resources, NEAR)
    taken, held = await order(resources), await order(resources)
    manager = person("fleet_manager")
    async with resources.database.unit_of_work() as session:
        await service.assign_order(session, manager, taken.id, hired)
        await service.hold_order(session, manager, held.id, reason="Address unclear")
    async with resources.database.unit_of_work() as session:
        steps = await service.last_steps(session, person("viewer"), [taken.id, held.id])
    said = {step.order_id: (step.kind, step.state, step.actor_name) for step in steps}
    assert said == {
        taken.id: ("order.assigned", "assigned", "Nok"),
        held.id: ("order.held", "on_hold", "Nok"),
    }
    with_driver = {step.order_id: step.driver_code is not None for step in steps}
    assert with_driver == {taken.id: True, held.id: False}


async def test_orders_of_other_regions_are_not_told_of(resources: Resources) -> None:
    await driver(resources, NEAR)
    waiting = await order(resources)
    await dispatch_once(resources)
    elsewhere = person("viewer", "VN")
    async with resources.database.unit_of_work() as session:
        everything = await service.list_orders(session, person("viewer"))
        assert await service.carriers(session, elsewhere, everything.items) == {}
        assert await service.last_steps(session, elsewhere, [waiting.id]) == []


async def test_at_risk_begins_half_an_hour_before_the_promise_or_with_a_late_eta(
    resources: Resources,
) -> None:
    placed = await place_order(resources)
    promised = placed.promised_at
    assert service.at_risk_from(placed) == promised - timedelta(minutes=30)
    now = clock.now()
    in_time = Eta(at=now, low=now, high=promised - timedelta(minutes=1))
    assert service.at_risk_from(placed.model_copy(update={"eta": in_time})) == promised
    late = Eta(at=now, low=now, high=promised + timedelta(minutes=1))
    assert service.at_risk_from(placed.model_copy(update={"eta": late})) <= now
