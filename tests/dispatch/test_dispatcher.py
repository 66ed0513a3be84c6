"""Open orders find drivers: offers, rounds, cool-downs, skills, pauses, escalation."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from backend.dispatch import (
    service,
)
from backend.dispatch.dispatcher_role import dispatch_once
from backend.dispatch.errors import OfferGone
from backend.dispatch.matching_models import OfferRow
from backend.dispatch.matching_repository import UNMATCHED
from backend.dispatch.matching_schemas import OfferState
from backend.dispatch.models import OrderEventRow, ShiftRow
from backend.dispatch.rules import Action
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.platform.ids import uuid7
from backend.platform.resources import Resources

from .city import (
    CENTRE,
    CITY,
    FAR,
    NEAR,
    can_carry,
    driver,
    heard,
    offers_made,
    open_city,
    order,
    order_now,
    person,
    phone_of,
    published,
    time_passes,
    turn,
)
from .routing_server import routing_server


@pytest.fixture(autouse=True)
async def city(resources: Resources) -> None:
    await open_city(resources)


async def test_the_near_driver_is_asked_and_the_decision_says_why(resources: Resources) -> None:
    near, far = await driver(resources, NEAR), await driver(resources, FAR)
    silent = await driver(resources, NEAR, age_s=4_000)
    waiting = await order(resources)
    result = await turn(resources)
    assert (result.orders, result.offers, result.unmatched) == (1, 1, 0)
    [offer] = await offers_made(resources)
    assert (offer.order_id, offer.driver_id, offer.state, offer.round) == (
        waiting.id, near, "open", 1,
    )  # fmt: skip
    assert offer.expires_at - offer.offered_at == timedelta(seconds=25)
    async with resources.database.unit_of_work() as session:
        [decision] = await service.why(session, person("viewer"), waiting.id)
    assert decision.chosen == near
    assert [one.driver_id for one in decision.candidates] == [near, far, silent]
    assert decision.candidates[0].costs.total < decision.candidates[1].costs.total
    assert decision.candidates[2].unfit == ["not_heard"]
    assert decision.unfit == {"not_heard": 1}
    assert "offer.made" in await published(resources)


async def test_all_orders_are_matched_together_not_first_come(resources: Resources) -> None:
    """The driver between two orders goes to the one that nobody else can reach soon."""
    await driver(resources, CENTRE)
    await driver(resources, (CENTRE[0] + 0.03, CENTRE[1]))
    south = await order(resources, pickup_lat=CENTRE[0] - 0.03)
    middle = await order(resources, promised_at=clock.now() + timedelta(hours=1))
    await turn(resources)
    asked = {offer.order_id for offer in await offers_made(resources)}
    assert asked == {south.id, middle.id}
    pairs = {offer.order_id: offer.driver_id for offer in await offers_made(resources)}
    assert len(set(pairs.values())) == 2


async def test_silence_moves_on_and_the_silent_driver_cools_down(resources: Resources) -> None:
    near, far = await driver(resources, NEAR), await driver(resources, FAR)
    waiting = await order(resources)
    await turn(resources)
    await time_passes(resources, 26)
    await turn(resources)
    first, second = await offers_made(resources, waiting.id)
    assert (first.driver_id, first.state) == (near, "expired")
    assert (second.driver_id, second.state, second.round) == (far, "open", 2)
    await time_passes(resources, 26)
    result = await turn(resources)
    assert (result.offers, result.unmatched) == (0, 1)
    await time_passes(resources, 300)
    await heard(resources, near, NEAR)
    await turn(resources)
    assert [offer.driver_id for offer in await offers_made(resources)][-1] == near


async def test_a_refusal_moves_on_at_once(resources: Resources) -> None:
    near, far = await driver(resources, NEAR), await driver(resources, FAR)
    waiting = await order(resources)
    await turn(resources)
    [offer] = await offers_made(resources)
    for _ in range(2):
        async with resources.database.unit_of_work() as session:
            told = await service.reject_offer(session, phone_of(near), offer.id, "puncture")
            assert (told.state, told.reason) == (OfferState.REJECTED, "puncture")
    await turn(resources)
    assert (await offers_made(resources, waiting.id))[1].driver_id == far
    assert (await published(resources)).count("offer.rejected") == 1


async def test_an_express_order_asks_several_and_one_gets_it(resources: Resources) -> None:
    drivers = [await driver(resources, NEAR) for _ in range(4)]
    waiting = await order(resources, service="express")
    result = await turn(resources)
    assert result.offers == 3
    made = await offers_made(resources, waiting.id)
    assert len({offer.driver_id for offer in made}) == 3

    async def accept(offer: OfferRow) -> bool:
        try:
            async with resources.database.unit_of_work() as session:
                await service.accept_offer(session, phone_of(offer.driver_id), offer.id)
        except OfferGone:
            return False
        return True

    assert sorted(await asyncio.gather(*map(accept, made))) == [False, False, True]
    after = await offers_made(resources, waiting.id)
    assert sorted(offer.state for offer in after) == ["accepted", "withdrawn", "withdrawn"]
    [winner] = [offer.driver_id for offer in after if offer.state == "accepted"]
    taken = await order_now(resources, waiting.id)
    assert (taken.state, taken.driver_id, taken.version) == ("accepted", winner, 3)
    assert winner in drivers


async def test_twenty_accepts_of_one_offer_make_one_assignment(resources: Resources) -> None:
    near = await driver(resources, NEAR)
    waiting = await order(resources)
    await turn(resources)
    [offer] = await offers_made(resources)

    async def accept() -> str:
        async with resources.database.unit_of_work() as session:
            return (await service.accept_offer(session, phone_of(near), offer.id)).state

    assert set(await asyncio.gather(*(accept() for _ in range(20)))) == {"accepted"}
    async with resources.database.unit_of_work() as session:
        steps = await session.scalars(
            select(col(OrderEventRow.type))
            .where(col(OrderEventRow.order_id) == waiting.id)
            .order_by(col(OrderEventRow.seq))
        )
        assert list(steps) == ["order.ready", "order.assigned", "order.accepted"]


async def test_an_accept_and_a_cancellation_at_once_leave_one_truth(resources: Resources) -> None:
    near = await driver(resources, NEAR)
    for _ in range(5):
        waiting = await order(resources)
        await turn(resources)
        [offer] = await offers_made(resources, waiting.id)

        async def accept(offer: OfferRow = offer) -> None:
            async with resources.database.unit_of_work() as session:
                await service.accept_offer(session, phone_of(near), offer.id)

        async def cancel(waiting: Any = waiting) -> None:
            async with resources.database.unit_of_work() as session:
                found = await service.order_to_change(session, SYSTEM, "orders:write", waiting.id)
                await service.move(session, SYSTEM, found, Action.CANCEL)

        outcomes = await asyncio.gather(accept(), cancel(), return_exceptions=True)
        assert outcomes[1] is None
        assert outcomes[0] is None or isinstance(outcomes[0], OfferGone)
        assert (await order_now(resources, waiting.id)).state == "cancelled"
        await dispatch_once(resources)
        [after] = await offers_made(resources, waiting.id)
        assert after.state in ("accepted", "withdrawn")


async def test_an_offer_past_its_time_cannot_be_accepted(resources: Resources) -> None:
    near = await driver(resources, NEAR)
    waiting = await order(resources)
    await turn(resources)
    [offer] = await offers_made(resources)
    await time_passes(resources, 26)
    with pytest.raises(OfferGone):
        async with resources.database.unit_of_work() as session:
            await service.accept_offer(session, phone_of(near), offer.id)
    assert (await order_now(resources, waiting.id)).state == "ready"


async def test_an_offer_is_nothing_to_another_driver(resources: Resources) -> None:
    await driver(resources, NEAR)
    other = await driver(resources, FAR)
    await order(resources)
    await turn(resources)
    [offer] = await offers_made(resources)
    with pytest.raises(NotFound):
        async with resources.database.unit_of_work() as session:
            await service.accept_offer(session, phone_of(other), offer.id)
    async with resources.database.unit_of_work() as session:
        assert await service.offers_of_driver(session, phone_of(other), other) == []
        [mine] = await service.offers_of_driver(session, phone_of(offer.driver_id), offer.driver_id)
    assert mine.pickup.address == "1 Rama I Road"
    assert "66812345678" not in mine.model_dump_json()


async def test_nobody_is_offered_more_than_they_can_carry(resources: Resources) -> None:
    near = await driver(resources, NEAR)
    await can_carry(resources, near, 2)
    for _ in range(4):
        await order(resources)
    for _ in range(4):
        await turn(resources)
    made = await offers_made(resources)
    assert len(made) == 2
    for offer in made:
        async with resources.database.unit_of_work() as session:
            await service.accept_offer(session, phone_of(near), offer.id)
    result = await turn(resources)
    assert (result.orders, result.offers) == (2, 0)


async def test_skills_vehicle_and_shift_end_are_kept(resources: Resources) -> None:
    bike = await driver(resources, NEAR)
    van = await driver(resources, FAR, vehicle="van")
    ending = await driver(resources, NEAR, vehicle="van")
    now = clock.now()
    async with resources.database.unit_of_work() as session:
        session.add(
            ShiftRow(
                id=uuid7(), driver_id=ending, region=CITY,
                starts_at=now - timedelta(hours=8), ends_at=now + timedelta(minutes=5),
            )
        )  # fmt: skip
    await can_carry(resources, bike, 5, ["cold"])
    cold, large = await order(resources, skills=["cold"]), await order(resources, vehicle="van")
    await turn(resources)
    pairs = {offer.order_id: offer.driver_id for offer in await offers_made(resources)}
    assert pairs == {cold.id: bike, large.id: van}


async def test_a_paused_city_keeps_its_orders_and_goes_on_where_it_was(
    resources: Resources,
) -> None:
    near = await driver(resources, NEAR)
    waiting = await order(resources)
    await turn(resources)
    manager = person("fleet_manager", CITY)
    async with resources.database.unit_of_work() as session:
        switch = await service.set_city_switch(
            session, manager, CITY, automatic=False, reason="flooded streets"
        )
    assert (switch.automatic, switch.reason, switch.changed_by_name) == (
        False, "flooded streets", "Nok",
    )  # fmt: skip
    [offer] = await offers_made(resources)
    assert (offer.state, offer.reason) == ("withdrawn", "paused")
    later = await order(resources)
    assert await dispatch_once(resources) == []
    assert [row.state for row in await offers_made(resources)] == ["withdrawn"]
    async with resources.database.unit_of_work() as session:
        figures = await service.matching_figures(session, manager, CITY)
        trail = await service_audit(session)
    assert [(city.code, city.automatic, city.queue) for city in figures.cities] == [
        (CITY, False, 2)
    ]
    assert trail == [("dispatch.city_paused", "flooded streets")]
    async with resources.database.unit_of_work() as session:
        await service.set_city_switch(session, manager, CITY, automatic=True, reason="dry again")
    await turn(resources)
    await turn(resources)
    asked = {row.order_id for row in await offers_made(resources) if row.state == "open"}
    assert asked == {waiting.id, later.id}
    assert {row.driver_id for row in await offers_made(resources)} == {near}


async def service_audit(session: Any) -> list[tuple[str, str | None]]:
    from backend.identity.schemas import AuditFilter
    from backend.identity.service import list_audit

    rows = await list_audit(session, SYSTEM, AuditFilter(action="dispatch.city_paused"))
    return [(row.action, row.reason) for row in rows]


async def test_a_manager_of_another_city_cannot_switch(resources: Resources) -> None:
    with pytest.raises(NotFound):
        async with resources.database.unit_of_work() as session:
            await service.set_city_switch(
                session, person("fleet_manager", "IN-KA"), CITY, automatic=False, reason="no"
            )


async def test_an_order_that_nobody_takes_is_escalated_once(resources: Resources) -> None:
    waiting = await order(resources)
    await turn(resources)
    assert UNMATCHED not in await published(resources)
    await time_passes(resources, 601)
    await turn(resources)
    await turn(resources)
    assert (await published(resources)).count(UNMATCHED) == 1
    assert (await order_now(resources, waiting.id)).state == "ready"


async def test_an_order_that_found_nobody_is_decided_on_once_a_minute(
    resources: Resources,
) -> None:
    waiting = await order(resources)
    for _ in range(3):
        await turn(resources)
    async with resources.database.unit_of_work() as session:
        assert len(await service.why(session, SYSTEM, waiting.id)) == 1
    await time_passes(resources, 61)
    await turn(resources)
    async with resources.database.unit_of_work() as session:
        assert len(await service.why(session, SYSTEM, waiting.id)) == 2


async def test_two_workers_at_once_offer_each_order_once(resources: Resources) -> None:
    for _ in range(6):
        await driver(resources, NEAR)
    waiting = [await order(resources) for _ in range(6)]
    for _ in range(3):
        await asyncio.gather(*(dispatch_once(resources) for _ in range(4)))
    made = await offers_made(resources)
    assert sorted(offer.order_id for offer in made) == sorted(row.id for row in waiting)


@pytest.mark.parametrize("routed", [False, True])
async def test_the_routing_service_decides_who_is_near(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, routed: bool
) -> None:
    """As the crow flies the one across the blocks is nearer; by the roads it is the other."""
    across = await driver(resources, (CENTRE[0] + 0.0069, CENTRE[1] + 0.0069))
    straight_on = await driver(resources, (CENTRE[0] + 0.01, CENTRE[1]))
    await order(resources)
    with routing_server() as server:
        monkeypatch.setattr(resources.settings, "routing_url", server.url if routed else "")
        await turn(resources)
        assert bool(server.asked) is routed
    [offer] = await offers_made(resources)
    assert offer.driver_id == (straight_on if routed else across)
