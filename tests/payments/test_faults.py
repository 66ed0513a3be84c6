"""Gateways that fail, stay silent, lie or repeat themselves cost nobody money."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from backend.identity.schemas import SYSTEM
from backend.payments import actions, service, webhooks
from backend.payments.gateways.breaker import Breaker
from backend.payments.gateways.protocol import Call, RefundReport, Report, Unknown, Unreachable
from backend.payments.gateways.registry import Gateways
from backend.payments.gateways.sandbox import Sandbox
from backend.payments.rules import MOST_TRIES, State, advance, wait_s
from backend.payments.schemas import CaptureIn, Money, RefundIn
from backend.platform.errors import DomainError
from backend.platform.resources import Resources

from .books import check
from .doomed import STEPS
from .world import World

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(resources: Resources) -> World:
    return World(resources)


async def refund(world: World, order: Any, minor: int) -> Any:
    found = await world.payment(order)
    async with world.database.unit_of_work() as session:
        wanted = RefundIn(
            payment_id=found.id, amount=Money(minor=minor, currency="THB"), reason="broken"
        )
        return await service.request_refund(session, SYSTEM, wanted)


async def captured_order(world: World, method: str = "sandbox:ok", minor: int = 50_000) -> Any:
    order = await world.order(minor, method=method)
    await world.settle()
    await world.deliver(order)
    await world.settle()
    assert await world.state(order) == "captured"
    return order


async def test_a_lost_answer_is_found_by_asking_and_nothing_is_done_twice(world: World) -> None:
    order = await captured_order(world, "sandbox:lost,lost_capture")
    found = await world.payment(order)
    assert [(a.action, a.state, a.tries) for a in found.attempts] == [
        ("authorise", "succeeded", 2),
        ("capture", "succeeded", 2),
    ]
    async with world.database.unit_of_work() as session:
        made = await session.scalar(text("SELECT count(*) FROM payments_sandbox_payment"))
    assert made == 1
    await check(world.database)


async def test_a_second_refund_that_errs_yet_applies_is_counted_once(world: World) -> None:
    order = await captured_order(world, "sandbox:lost_refund")
    await refund(world, order, 20_000)
    await world.settle()
    await refund(world, order, 20_000)
    await world.settle()
    found = await world.payment(order)
    assert (found.refunded.minor, found.refundable.minor) == (40_000, 10_000)
    assert {r.state for r in found.refunds} == {"succeeded"}
    async with world.database.unit_of_work() as session:
        given_back = await session.scalar(text("SELECT refunded FROM payments_sandbox_payment"))
    assert given_back == 40_000
    await check(world.database)


async def test_two_equal_partial_refunds_are_two_actions(world: World) -> None:
    order = await captured_order(world)
    await refund(world, order, 10_000)
    await refund(world, order, 10_000)
    await world.settle()
    assert (await world.payment(order)).refunded.minor == 20_000


async def test_a_refund_the_gateway_refuses_leaves_the_money_with_the_merchant(
    world: World,
) -> None:
    order = await captured_order(world, "sandbox:refuse_refund")
    asked = await refund(world, order, 50_000)
    await world.settle()
    found = await world.payment(order)
    [failed] = found.refunds
    assert (failed.id, failed.state, failed.failure_code) == (asked.id, "failed", "refund_refused")
    assert (found.refunded.minor, found.refundable.minor) == (0, 50_000)
    types = [event["type"] for event in await world.events()]
    assert types[-3:] == ["refund.requested", "refund.approved", "refund.failed"]
    await check(world.database)


async def test_an_unreachable_gateway_is_asked_again_and_given_up_in_the_end(
    world: World,
) -> None:
    patient = await world.order(method="sandbox:unreachable=3")
    await world.settle()
    assert await world.state(patient) == "authorised"
    hopeless = await world.order(method="sandbox:unreachable=99")
    for _ in range(MOST_TRIES):
        await world.hurry()
        await actions.run_due(world.database, Gateways({"sandbox": world.sandbox}))
    found = await world.payment(hopeless)
    assert (found.state, found.failure_code) == ("failed", "unreachable")
    assert found.attempts[0].tries == MOST_TRIES


async def test_waiting_for_a_gateway_that_is_left_alone_costs_no_try(world: World) -> None:
    order = await world.order(method="sandbox:unreachable=99")
    for _ in range(MOST_TRIES * 2):
        await world.hurry()
        await actions.run_due(world.database, world.gateways)
    [attempt] = await world.attempts(order)
    assert (attempt.state, attempt.tries) == ("queued", 5)
    async with world.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE payments_attempt SET created_at = created_at - interval '1 hour'")
        )
    await world.settle()
    assert (await world.payment(order)).failure_code == "unreachable"


async def test_what_may_have_been_done_is_never_given_up_by_guessing(world: World) -> None:
    class Mute(Sandbox):
        silent = True

        async def authorise(self, call: Call) -> Report:
            report = await super().authorise(call)
            if self.silent:
                raise Unknown("no answer")
            return report

        async def find(self, call: Call) -> Report | None:
            if self.silent:
                raise Unknown("no answer")
            return await super().find(call)

    mute = Mute(world.database)
    order = await world.order()
    for _ in range(MOST_TRIES * 2):
        await world.hurry()
        await actions.run_due(world.database, Gateways({"sandbox": mute}))
    assert await world.state(order) == "processing"
    mute.silent = False
    await world.settle(Gateways({"sandbox": mute}))
    assert await world.state(order) == "authorised"


async def test_a_capture_the_bank_refuses_fails_and_can_be_tried_again(world: World) -> None:
    order = await world.order(method="sandbox:refuse_capture")
    await world.settle()
    await world.deliver(order)
    await world.settle()
    found = await world.payment(order)
    assert (found.state, found.failure_code) == ("failed", "capture_refused")
    await world.retry(order, "sandbox:ok")
    await world.settle()
    assert await world.state(order) == "captured"
    await check(world.database)


async def test_a_webhook_applied_twice_counts_once(world: World) -> None:
    order = await world.order(method="sandbox:repeat,reorder")
    await world.settle()
    await world.deliver(order)
    await world.settle()
    assert await world.state(order) == "captured"
    async with world.database.unit_of_work() as session:
        kept = (
            await session.execute(
                text("SELECT count(*), count(DISTINCT event_id) FROM payments_webhook")
            )
        ).one()
    assert tuple(kept) == (2, 2)
    assert [e["type"] for e in await world.events()].count("payment.captured") == 1
    await check(world.database)


async def test_webhooks_alone_bring_a_payment_forward(world: World) -> None:
    order = await world.order(method="sandbox:delay=3600")
    await actions.run_due(world.database, world.gateways)
    assert await world.state(order) == "processing"
    await world.let_time_pass_at_the_gateway()
    await webhooks.deliver_sandbox(world.database)
    await webhooks.work_in(world.database, world.gateways)
    assert await world.state(order) == "authorised"


async def test_polling_alone_brings_a_payment_forward(world: World) -> None:
    order = await world.order(method="sandbox:delay=3600,quiet")
    await actions.run_due(world.database, world.gateways)
    await world.let_time_pass_at_the_gateway()
    assert await actions.poll(world.database, world.gateways) == 0
    async with world.database.unit_of_work() as session:
        await session.execute(text("UPDATE payments_payment SET ask_at = now()"))
    assert await actions.poll(world.database, world.gateways) == 1
    assert await world.state(order) == "authorised"


async def test_concurrent_partial_captures_take_one_amount(world: World) -> None:
    order = await world.order(50_000)
    await world.settle()
    found = await world.payment(order)

    async def capture(minor: int) -> int | str:
        try:
            async with world.database.unit_of_work() as session:
                wanted = CaptureIn(amount=Money(minor=minor, currency="THB"))
                await service.capture_payment(session, SYSTEM, found.id, wanted)
        except DomainError as error:
            return error.code
        return minor

    outcomes = await asyncio.gather(*(capture(10_000 + part) for part in range(6)))
    taken = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert len(taken) == 1
    await world.settle()
    assert (await world.payment(order)).captured.minor == taken[0]
    await check(world.database)


async def test_concurrent_refunds_never_exceed_what_was_captured(world: World) -> None:
    order = await captured_order(world)

    async def ask() -> str:
        try:
            return str((await refund(world, order, 20_000)).state)
        except DomainError as error:
            return error.errors[0].code

    outcomes = await asyncio.gather(*(ask() for _ in range(6)))
    assert sorted(outcomes) == ["approved", "approved", *["over_refund"] * 4]
    await world.settle()
    assert (await world.payment(order)).refunded.minor == 40_000
    await check(world.database)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("action", ["authorise", "capture", "refund"])
async def test_a_worker_killed_at_any_step_leaves_nothing_half_done(
    world: World, action: str, step: str
) -> None:
    order = await world.order(50_000)
    if action != "authorise":
        await world.settle()
        await world.deliver(order)
    if action == "refund":
        await world.settle()
        await refund(world, order, 20_000)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.payments.doomed", step, cwd=ROOT
    )
    assert await worker.wait() == -signal.SIGKILL
    await check(world.database)
    # The next worker has a memory of its own.
    await world.settle(Gateways({"sandbox": Sandbox(world.database)}))
    if action == "authorise":
        await world.deliver(order)
        await world.settle()
    found = await world.payment(order)
    assert found.captured.minor == 50_000
    assert found.refunded.minor == (20_000 if action == "refund" else 0)
    async with world.database.unit_of_work() as session:
        theirs = (
            await session.execute(
                text("SELECT count(*), sum(captured), sum(refunded) FROM payments_sandbox_payment")
            )
        ).one()
    assert tuple(theirs) == (1, 50_000, found.refunded.minor)
    told = [event["type"] for event in await world.events()]
    assert len(told) == len(set(told)), told
    await check(world.database)


async def test_two_workers_ask_each_thing_once(world: World) -> None:
    orders = [await world.order() for _ in range(10)]
    done = await asyncio.gather(
        *(actions.run_due(world.database, world.gateways) for _ in range(4))
    )
    assert sum(done) == 10
    assert {await world.state(order) for order in orders} == {"authorised"}


def test_the_breaker_opens_lets_one_try_and_closes() -> None:
    now = [0.0]
    breaker = Breaker("x", failures=2, open_s=10, clock=lambda: now[0])
    for _ in range(2):
        breaker.enter()
        breaker.failed()
    with pytest.raises(Unreachable):
        breaker.enter()
    now[0] = 10.0
    breaker.enter()
    with pytest.raises(Unreachable):
        breaker.enter()
    breaker.failed()
    with pytest.raises(Unreachable):
        breaker.enter()
    now[0] = 20.0
    breaker.enter()
    breaker.succeeded()
    breaker.enter()
    breaker.enter()


async def test_a_gateway_that_does_not_answer_is_left_alone(world: World) -> None:
    class Dead(Sandbox):
        asked = 0

        async def inquire(self, ref: str) -> Report:
            self.asked += 1
            raise Unknown("no answer")

    dead = Dead(world.database)
    gateways = Gateways({"sandbox": dead})
    for _ in range(20):
        with pytest.raises((Unknown, Unreachable)):
            await gateways.ask("sandbox", lambda gateway: gateway.inquire("x"))
    assert dead.asked == 5


def test_waits_grow_are_scattered_and_bounded() -> None:
    waits = [wait_s(tries, 0.5) for tries in range(12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1.0, 300.0)
    assert wait_s(3, 0.0) < wait_s(3, 0.999)


@given(st.lists(st.sampled_from(State), max_size=12))
def test_nothing_leaves_captured_whatever_is_reported(reports: list[State]) -> None:
    state = State.PROCESSING
    for reported in reports:
        before = state
        state = advance(state, reported).state or state
        if before is State.CAPTURED:
            assert state is State.CAPTURED
    if State.CAPTURED in reports:
        assert state is State.CAPTURED


async def test_the_sandbox_refuses_to_give_back_more_than_it_took(world: World) -> None:
    from backend.payments.gateways.protocol import Refused
    from backend.platform import clock
    from backend.platform.ids import uuid7

    order = await captured_order(world)
    found = await world.payment(order)

    def call(minor: int) -> Call:
        return Call(uuid7(), found.id, minor, "THB", clock.now(), ref=found.gateway_ref)

    first = call(30_000)
    given: list[RefundReport] = [await world.sandbox.refund(first) for _ in range(2)]
    assert given[0] == given[1]
    with pytest.raises(Refused) as refused:
        await world.sandbox.refund(call(20_001))
    assert refused.value.code == "over_refund"
