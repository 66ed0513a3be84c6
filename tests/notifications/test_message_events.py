"""What happens to an order is told to its customer, once, and only while it is news."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from backend.dispatch import service as dispatch
from backend.dispatch.doorstep_rules import Step
from backend.dispatch.eta_role import foretell_once
from backend.dispatch.eta_rules import delay_is_news
from backend.dispatch.rules import Action
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import SYSTEM
from backend.notifications import broadcasts, message_consumers
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.outbox import Event, emit
from backend.platform.resources import Resources
from tests.dispatch.city import driver, open_city
from tests.dispatch.city import order as order_at
from tests.dispatch.orders import advance, marketplace, order_body, place_order
from tests.notifications.outbox import about, body, hear, messenger_of, prefer, send

A = Action
TO_DOOR = (A.ASSIGN, A.ACCEPT, A.REACH_PICKUP, A.PICK_UP, A.DEPART)


async def told(resources: Resources, order: OrderOut | UUID) -> dict[str, str]:
    """The words of each message about an order, by template, in English."""
    order_id = order if isinstance(order, UUID) else order.id
    return {
        each.template: await body(resources, each.id) for each in await about(resources, order_id)
    }


async def at_the_door(resources: Resources, order: OrderOut) -> None:
    who = await driver(resources, name="Somchai Jaidee")
    await advance(resources, order.id, *TO_DOOR, driver=who)


async def issue(resources: Resources, order: OrderOut, step: Step) -> None:
    async with resources.database.unit_of_work() as session:
        row = await dispatch.order_to_change(session, SYSTEM, "orders:write", order.id)
        await dispatch.mint_otp(session, SYSTEM, row, step)


async def english(resources: Resources, **changes: Any) -> OrderOut:
    """An order whose customer reads English at any hour."""
    order = await place_order(resources, **changes)
    await prefer(resources, order.id, language="en", quiet={"begins": "00:00", "ends": "00:00"})
    return order


async def test_a_customer_hears_of_every_step_once(resources: Resources) -> None:
    order = await english(resources)
    await at_the_door(resources, order)
    await issue(resources, order, Step.DROP)
    await advance(resources, order.id, A.ARRIVE, A.DELIVER, driver=uuid7())
    await hear(resources)
    await resources.redis.flushdb()
    await hear(resources)
    words = await told(resources, order)
    assert list(words) == ["order_received", "on_its_way", "arrived", "delivered"]
    assert "Somchai is on the way" in words["on_its_way"]
    assert "Somchai Jaidee" not in str(words)
    codes = await _codes(resources, order)
    assert codes[0] in words["arrived"]
    assert all(order.number in each for each in words.values())


async def _codes(resources: Resources, order: OrderOut) -> list[str]:
    """The codes of the order, read where its customer reads them."""
    messages = [each for each in await about(resources, order.id) if each.template == "arrived"]
    words = [await body(resources, each.id) for each in messages]
    return [each.split("code is ")[1][:6] for each in words]


async def test_a_second_code_comes_by_itself(resources: Resources) -> None:
    order = await english(resources)
    await at_the_door(resources, order)
    await issue(resources, order, Step.DROP)
    await issue(resources, order, Step.DROP)
    await hear(resources)
    states = {each.template: each.state for each in await about(resources, order.id)}
    assert states["otp"] == "queued"
    assert states["arrived"] == "cancelled", "its code opens nothing any more"
    assert "10 minutes" in (await told(resources, order))["otp"]


async def test_the_code_for_the_pickup_goes_to_the_sender(resources: Resources) -> None:
    order = await english(resources)
    await issue(resources, order, Step.PICKUP)
    await hear(resources)
    [code] = [each for each in await about(resources, order.id) if each.template == "otp"]
    assert (code.to, code.recipient) == ("sender", "+6•••67")


async def test_a_failed_delivery_says_why_as_far_as_it_is_the_customers(
    resources: Resources,
) -> None:
    reasons = {"nobody_there": "Nobody was there to take it.", "accident": ""}
    for reason, sentence in reasons.items():
        order = await english(resources)
        await at_the_door(resources, order)
        async with resources.database.unit_of_work() as session:
            row = await dispatch.order_to_change(session, SYSTEM, "orders:write", order.id)
            await dispatch.move(session, SYSTEM, row, A.FAIL, dispatch.Circumstances(reason=reason))
        await hear(resources)
        words = (await told(resources, order))["failed"]
        assert sentence in words
        assert "accident" not in words


async def test_nothing_is_told_of_an_order_that_was_cancelled_meanwhile(
    resources: Resources,
) -> None:
    order = await english(resources)
    await hear(resources)
    await advance(resources, order.id, A.CANCEL, driver=uuid7())
    await hear(resources)
    [one] = await about(resources, order.id)
    assert (one.template, one.state, one.why) == (
        "order_received",
        "cancelled",
        "The order was cancelled.",
    )


async def test_a_code_sealed_with_a_former_key_holds_nothing_up(resources: Resources) -> None:
    order = await english(resources)
    data = {
        "order_id": str(order.id), "number": order.number, "step": "drop", "sent": 1,
        "sealed_code": "not ours", "expires_at": clock.now().isoformat(),
    }  # fmt: skip
    async with resources.database.unit_of_work() as session:
        await emit(session, Event("otp.issued", "x", "driver", data, "TH-10"))
    await hear(resources)
    assert [each.template for each in await about(resources, order.id)] == ["order_received"]


async def test_a_refund_is_told_in_the_money_it_was_paid_in(resources: Resources) -> None:
    order = await english(resources)
    data = {"order_id": str(order.id), "refund": {"minor": 125_000, "currency": "THB"}}
    async with resources.database.unit_of_work() as session:
        await emit(session, Event("refund.succeeded", "pay", "system", data, "TH-10"))
        await emit(session, Event("refund.succeeded", "pay", "system", data | {"order_id": None}))
    await hear(resources)
    assert "refunded ฿1,250.00" in (await told(resources, order))["refunded"]


async def test_what_is_heard_too_late_is_not_told(resources: Resources) -> None:
    order = await english(resources)
    data = {"order_id": str(order.id)}
    long_ago = clock.now() - timedelta(hours=4)
    async with resources.database.unit_of_work() as session:
        await emit(session, Event("order.in_transit", "x", "driver", data, "TH-10", at=long_ago))
    await hear(resources)
    states = {each.template: each.state for each in await about(resources, order.id)}
    assert states["on_its_way"] == "suppressed"


@pytest.mark.parametrize(
    ("eta_min", "told_min", "news"),
    [(15, None, False), (16, None, True), (46, 16, False), (47, 16, True), (10, 16, False)],
)
def test_a_delay_is_news_past_a_quarter_of_an_hour_and_again_past_half_of_one(
    eta_min: int, told_min: int | None, news: bool
) -> None:
    promised = clock.now()
    heard_of = promised + timedelta(minutes=told_min) if told_min is not None else None
    assert delay_is_news(promised, promised + timedelta(minutes=eta_min), heard_of) is news


async def test_a_delay_is_told_before_anybody_asks_and_told_once(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_city(resources)
    late = await order_at(resources, promised_at=clock.now() - timedelta(hours=1))
    in_time = await order_at(resources, promised_at=clock.now() + timedelta(hours=5))
    held = await order_at(resources, promised_at=clock.now() - timedelta(hours=1))
    async with resources.database.unit_of_work() as session:
        await dispatch.order_to_change(session, SYSTEM, "orders:write", held.id)
        await asyncio.wait_for(foretell_once(resources), 20)
    for _ in range(2):
        await foretell_once(resources)
    await hear(resources)
    for order, kinds in ((late, ["delayed"]), (held, ["delayed"]), (in_time, [])):
        assert [each.template for each in await about(resources, order.id)] == kinds


async def test_delays_are_kept_to_ourselves_where_that_is_switched_off(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, str]] = []

    def off(key: str, **about_it: Any) -> bool:
        asked.append({"key": key, **about_it})
        return False

    monkeypatch.setattr(message_consumers, "switched_on", off)
    await open_city(resources)
    late = await order_at(resources, promised_at=clock.now() - timedelta(hours=1))
    await foretell_once(resources)
    await hear(resources)
    assert await about(resources, late.id) == []
    assert asked == [{"key": "proactive-messages", "region": "TH", "country": "TH"}]


async def _want(resources: Resources, region: str = "TH-10") -> None:
    data = {
        "incident_id": str(uuid7()), "number": "INC-1", "region": region,
        "since": (clock.now() - timedelta(hours=1)).isoformat(),
        "text": "We are late, and sorry.", "customers": 1, "by": "Mia Manager",
    }  # fmt: skip
    async with resources.database.unit_of_work() as session:
        await emit(session, Event("customers.message_wanted", "x", "user:mia", data, region))
    await hear(resources)


def _drop(number: int) -> dict[str, Any]:
    return order_body()["drop"] | {"phone": f"+6681234{number:04d}"}


async def _notices(resources: Resources) -> list[Any]:
    async with resources.database.unit_of_work() as session:
        rows = await session.execute(
            text(
                "SELECT order_number, recipient, by_name FROM notifications_message"
                " WHERE template = 'incident_notice'"
            )
        )
        return list(rows)


async def test_an_incidents_message_reaches_every_customer_once(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasts, "AT_ONCE", 2)
    orders = [await place_order(resources, drop=_drop(n)) for n in (1, 2, 1, 3, 4)]
    await place_order(resources, region="VN-SG", **_saigon())
    await _want(resources)
    after = await place_order(resources, drop=_drop(5))
    while await broadcasts.advance(resources.database):
        pass
    found = await _notices(resources)
    assert len(found) == 4
    assert len({row.recipient for row in found}) == 4
    assert after.number not in {row.order_number for row in found}
    assert {row.by_name for row in found} == {"Mia Manager"}
    words = (await told(resources, orders[0]))["incident_notice"]
    assert words.endswith(f"{orders[0].number} ของคุณ: We are late, and sorry.")


async def test_an_incidents_message_comes_from_each_marketplace_as_its_customer_wishes(
    resources: Resources,
) -> None:
    shop, _ = await marketplace(resources, "shop")
    market, _ = await marketplace(resources, "market")
    order = await place_order(resources, shop, drop=_drop(1))
    others = [await place_order(resources, market, drop=_drop(1)) for _ in range(2)]
    await prefer(resources, order.id, muted=["incident_notice"])
    await _want(resources)
    while await broadcasts.advance(resources.database):
        pass

    async def notices(*orders: OrderOut) -> list[bool]:
        """Whether each notice about the orders is to be sent."""
        said = [each for order in orders for each in await about(resources, order.id)]
        return [each.state != "suppressed" for each in said if each.template == "incident_notice"]

    assert await notices(order) == [False]
    assert await notices(*others) == [True]


def _saigon() -> dict[str, Any]:
    place = {"lat": 10.7725, "lon": 106.698}
    one = order_body()
    return {
        "pickup": one["pickup"] | place,
        "drop": one["drop"] | place,
        "payment": {"terms": "prepaid", "amount": {"minor": 1000, "currency": "VND"}},
    }


async def test_a_broadcast_goes_on_where_a_killed_process_left_it(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasts, "AT_ONCE", 2)
    for number in range(5):
        await place_order(resources, drop=_drop(number))
    await _want(resources)
    assert await broadcasts.advance(resources.database)
    real, calls = broadcasts.put, 0

    async def dies(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return await real(*args, **more)

    monkeypatch.setattr(broadcasts, "put", dies)
    with pytest.raises(KeyboardInterrupt):
        await broadcasts.advance(resources.database)
    assert len(await _notices(resources)) == 2
    while await broadcasts.advance(resources.database):
        pass
    assert len(await _notices(resources)) == 5
    async with messenger_of(resources) as messenger:
        await send(messenger)
