"""An order's payment follows the order, in whatever order its events come."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from sqlalchemy import text

from backend.payments import tending
from backend.payments.gateways.sandbox import Sandbox
from backend.platform.ids import uuid7
from backend.platform.resources import Resources

from .books import check
from .world import World, number_of


@pytest.fixture
def world(resources: Resources) -> World:
    return World(resources)


async def test_prepaid_is_authorised_on_creation_and_captured_on_delivery(world: World) -> None:
    order = await world.order(50_000)
    assert await world.state(order) == "processing"
    await world.settle()
    assert await world.state(order) == "authorised"
    await world.deliver(order)
    await world.settle()
    found = await world.payment(order)
    assert (found.state, found.captured.minor, found.order) == (
        "captured", 50_000, number_of(order),
    )  # fmt: skip
    kinds = {(t.kind, t.state, t.posted.minor) for t in found.transfers}
    assert kinds == {("payment", "posted", 50_000), ("commission", "posted", 1_000)}
    types = [event["type"] for event in await world.events()]
    assert types == ["payment.authorised", "payment.captured"]
    await check(world.database)


@pytest.mark.parametrize("outcome", ["order.cancelled", "order.returned"])
async def test_an_order_given_up_releases_its_payment(world: World, outcome: str) -> None:
    order = await world.order()
    await world.settle()
    await world.event(outcome, order, reason="changed my mind")
    await world.settle()
    assert await world.state(order) == "cancelled"
    found = await world.payment(order)
    assert [t.state for t in found.transfers] == ["voided"]
    assert found.gateway_ref is not None
    assert (await world.sandbox.inquire(found.gateway_ref)).state == "cancelled"
    await check(world.database)


async def test_a_failed_try_to_deliver_keeps_the_authorisation(world: World) -> None:
    order = await world.order()
    await world.settle()
    await world.event("order.failed", order, reason="nobody home")
    await world.settle()
    assert await world.state(order) == "authorised"


async def test_an_order_given_up_before_anything_was_asked_costs_no_call(world: World) -> None:
    order = await world.order()
    await world.event("order.cancelled", order, reason="typed wrong")
    assert await world.state(order) == "cancelled"
    await world.settle()
    [attempt] = await world.attempts(order)
    assert (attempt.tries, attempt.code) == (0, "given_up")


@pytest.mark.parametrize("terms", ["prepaid", "wallet", "cod"])
@pytest.mark.parametrize("end", ["delivered", "cancelled", "returned"])
async def test_events_of_an_order_mean_the_same_in_any_order(
    world: World, terms: str, end: str
) -> None:
    wallet = await world.wallet(10**6)
    driver = str(uuid7())
    for arrival in itertools.permutations(["created", "picked_up", end]):
        order = uuid7()
        for kind in arrival:
            if kind == "created":
                await world.order(order_id=order, terms=terms, wallet_id=wallet)
            else:
                cash = {"minor": 50_000, "currency": "THB"} if terms == "cod" else None
                await world.event(
                    f"order.{kind}", order, driver_id=driver, reason="x", collected=cash
                )
        await world.settle()
        wanted = "captured" if end == "delivered" else "cancelled"
        assert await world.state(order) == wanted, arrival
    await check(world.database)


async def test_an_event_that_comes_again_changes_nothing(world: World) -> None:
    order = await world.order()
    await world.order(order_id=order)
    await world.settle()
    for _ in range(2):
        await world.deliver(order)
        await world.settle()
    await world.event("order.cancelled", order, reason="late evidence")
    await world.settle()
    found = await world.payment(order)
    assert (found.state, len(found.transfers)) == ("captured", 2)
    assert [a.action for a in found.attempts] == ["authorise", "capture"]


async def test_a_declined_payment_keeps_the_order_and_can_be_tried_again(world: World) -> None:
    order = await world.order(method="sandbox:decline=insufficient_funds")
    await world.settle()
    found = await world.payment(order)
    assert (found.state, found.failure_code, found.may_retry) == (
        "failed", "insufficient_funds", True,
    )  # fmt: skip
    [told] = [e for e in await world.events() if e["type"] == "payment.failed"]
    assert told["data"]["number"] == number_of(order)
    assert (told["data"]["gateway"], told["data"]["code"]) == ("sandbox", "insufficient_funds")
    await world.deliver(order)
    await world.retry(order, "sandbox:ok")
    await world.settle()
    assert await world.state(order) == "captured"
    await check(world.database)


async def test_a_late_authorisation_after_a_failure_is_accepted(world: World) -> None:
    order = await world.order(method="sandbox:late=0")
    await world.settle()
    assert await world.state(order) == "authorised"
    states = [event["type"] for event in await world.events()]
    assert states == ["payment.failed", "payment.authorised"]


async def test_a_late_authorisation_of_an_order_given_up_is_released(world: World) -> None:
    order = await world.order(method="sandbox:late=3600")
    await world.settle()
    await world.event("order.cancelled", order, reason="x")
    assert await world.state(order) == "cancelled"
    await world.let_time_pass_at_the_gateway()
    await world.settle()
    found = await world.payment(order)
    assert found.state == "cancelled"
    assert (await world.sandbox.inquire(found.gateway_ref or "")).state == "cancelled"


async def test_money_of_an_earlier_round_is_released_when_it_comes_after_all(
    world: World,
) -> None:
    order = await world.order(method="sandbox:late=3600")
    await world.settle()
    first = (await world.payment(order)).gateway_ref
    await world.retry(order, "sandbox:ok")
    await world.settle()
    await world.let_time_pass_at_the_gateway()
    await world.settle()
    found = await world.payment(order)
    assert (found.state, found.gateway_ref == first) == ("authorised", False)
    assert (await world.sandbox.inquire(first or "")).state == "cancelled"
    await check(world.database)


async def test_the_customer_who_must_act_is_waited_for(world: World) -> None:
    order = await world.order(method="sandbox:action")
    await world.settle()
    found = await world.payment(order)
    assert (found.state, found.next_action) == ("requires_action", "confirm")
    await world.sandbox.complete_action(found.gateway_ref or "")
    await world.settle()
    assert await world.state(order) == "authorised"


async def test_an_order_without_a_method_waits_for_one(world: World) -> None:
    order = await world.order(method=None)
    await world.settle()
    assert await world.state(order) == "requires_method"
    assert await world.attempts(order) == []
    await world.event("order.cancelled", order, reason="x")
    assert await world.state(order) == "cancelled"


async def test_a_wallet_pays_by_a_hold_that_delivery_settles(world: World) -> None:
    wallet = await world.wallet(80_000)
    order = await world.order(50_000, terms="wallet", wallet_id=wallet)
    assert await world.balance(wallet) == (80_000, 50_000)
    second = await world.order(40_000, terms="wallet", wallet_id=wallet)
    assert (await world.payment(second)).failure_code == "insufficient_funds"
    await world.deliver(order)
    assert await world.balance(wallet) == (30_000, 0)
    await check(world.database)


async def test_a_wallet_payment_whose_hold_expired_fails_once(world: World) -> None:
    wallet = await world.wallet(80_000)
    await world.order(50_000, terms="wallet", wallet_id=wallet)
    async with world.database.unit_of_work() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(
            text("UPDATE payments_transfer SET expires_at = now() WHERE state = 'pending'")
        )
    assert await tending.expire_holds(world.database) == 1
    assert await tending.expire_holds(world.database) == 0
    assert await world.balance(wallet) == (80_000, 0)
    failures = [e for e in await world.events() if e["type"] == "payment.failed"]
    assert [event["data"]["code"] for event in failures] == ["hold_expired"]


async def test_an_unknown_wallet_fails_by_name(world: World) -> None:
    order = await world.order(terms="wallet", wallet_id=uuid7())
    assert (await world.payment(order)).failure_code == "unknown_wallet"


async def test_a_delivered_order_that_stays_unpaid_is_told_as_late_once(world: World) -> None:
    order = await world.order(method="sandbox:decline=card_declined")
    await world.settle()
    await world.deliver(order)
    assert await tending.tell_late(world.database) == 0
    async with world.database.unit_of_work() as session:
        await session.execute(text("UPDATE payments_payment SET due_at = now()"))
    assert await tending.tell_late(world.database) == 1
    assert await tending.tell_late(world.database) == 0
    [late] = [e for e in await world.events() if e["type"] == "settlement.late"]
    assert (late["data"]["number"], late["data"]["code"]) == (number_of(order), "card_declined")
    assert (await world.payment(order)).late


async def test_money_taken_after_the_order_was_given_up_goes_back(world: World) -> None:
    order = await world.order()
    await world.settle()
    found = await world.payment(order)
    ref = found.gateway_ref or ""
    await _capture_behind_our_back(world.sandbox, ref, found)
    await world.event("order.cancelled", order, reason="x")
    await world.settle()
    found = await world.payment(order)
    assert (found.state, found.refunded.minor) == ("captured", 50_000)
    assert found.refunds[0].requested_by == "system"
    await check(world.database)


async def _capture_behind_our_back(sandbox: Sandbox, ref: str, payment: Any) -> None:
    from backend.payments.gateways.protocol import Call
    from backend.platform import clock

    call = Call(uuid7(), payment.id, payment.amount.minor, "THB", clock.now(), ref=ref)
    await sandbox.capture(call)


async def test_nothing_is_opened_for_an_order_that_costs_nothing(world: World) -> None:
    await world.order(0)
    async with world.database.unit_of_work() as session:
        assert await session.scalar(text("SELECT count(*) FROM payments_payment")) == 0
