"""What opens by itself, once, and goes by itself when it comes right."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import text

from backend.dispatch import service as dispatch
from backend.dispatch.doorstep_rules import OTP_ATTEMPTS, Step
from backend.dispatch.rules import Action
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import SYSTEM, Principal
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.support import repository, service, sweeps
from backend.support.rules import State
from tests.dispatch.orders import advance, place_order
from tests.tracking.fleet import hire

from .world import ADMIN, AGENT, answer, do, happens, hear, look, opened, queue, work


async def payment_fails(resources: Resources, order: OrderOut, reason: str) -> None:
    facts = {"order_id": str(order.id), "number": order.number, "reason": reason, "code": "x"}
    await happens(resources, "payment.failed", uuid7(), order.region, **facts)


async def test_a_payment_that_fails_again_and_again_opens_one(resources: Resources) -> None:
    order = await place_order(resources)
    for reason in ("Card expired.", "Card expired.", "No money."):
        await payment_fails(resources, order, reason)
    [row] = await queue(resources)
    assert (row.kind, row.priority, row.origin) == ("payment", "high", "system")
    assert (row.order_number, row.region) == (order.number, "TH-10.siam")
    told = [each.text for each in (await look(resources, row.id)).timeline]
    assert told == [
        "ESC-1 opened.", "Card expired.", "Again: Card expired.", "Again: No money."
    ]  # fmt: skip
    # Solved, and failed again: a new one.
    await do(resources, service.set_state, AGENT, row.id, State.SOLVED, seen_version=row.version)
    await payment_fails(resources, order, "No money.")
    [again] = await queue(resources)
    assert again.number == "ESC-2"


async def test_what_comes_right_before_anybody_said_a_word_is_solved(resources: Resources) -> None:
    order, other = await place_order(resources), await place_order(resources)
    for each in (order, other):
        await payment_fails(resources, each, "No money.")
    spoken = next(row for row in await queue(resources) if row.order_id == other.id)
    await answer(resources, spoken)
    for each in (order, other):
        facts = {"order_id": str(each.id), "number": each.number}
        await happens(resources, "payment.captured", uuid7(), each.region, **facts)
    assert [row.id for row in await queue(resources)] == [spoken.id]
    solved = await queue(resources, states=[State.SOLVED])
    assert [row.order_id for row in solved] == [order.id]


async def test_a_code_that_is_guessed_away_calls_for_help(
    resources: Resources,
) -> None:
    order = await place_order(resources)
    phone = await hire(resources, name="Somchai", phone="+66899999999")
    way = (Action.ASSIGN, Action.ACCEPT, Action.REACH_PICKUP, Action.PICK_UP, Action.DEPART)
    await advance(resources, order.id, *way, Action.ARRIVE, driver=phone.id)
    driver = Principal(
        "device", f"driver:{phone.id}", "Somchai", (), frozenset({"tasks:write"}),
        ("TH-10",), driver_id=phone.id,
    )  # fmt: skip
    async with resources.database.unit_of_work() as session:
        held = await dispatch.order_to_change(session, SYSTEM, "orders:write", order.id)
        await dispatch.mint_otp(session, SYSTEM, held, Step.DROP)
    for _ in range(OTP_ATTEMPTS + 2):
        async with resources.database.unit_of_work() as session:
            await dispatch.verify_otp(session, driver, order.id, Step.DROP, "no-code")
    await hear(resources)
    [row] = await queue(resources)
    assert (row.kind, row.priority, row.order_id) == ("otp", "high", order.id)
    assert len((await look(resources, row.id)).timeline) == 2


async def test_an_order_later_than_allowed_opens_one_for_good(resources: Resources) -> None:
    late, soon, ended = [await place_order(resources) for _ in range(3)]
    async with resources.database.unit_of_work() as session:
        for order, minutes in ((late, 31), (soon, 29), (ended, 90)):
            await session.execute(
                text(
                    "UPDATE dispatch_order SET promised_at = now() - make_interval(mins => :m)"
                    " WHERE id = :id"
                ),
                {"m": minutes, "id": order.id},
            )
        await dispatch.cancel_order(session, ADMIN, ended.id, reason="No longer wanted.")
    await work(resources)
    await work(resources)
    [row] = await queue(resources)
    assert (row.kind, row.order_id, row.subject) == (
        "late", late.id, "Later than promised by 30 min"
    )  # fmt: skip
    await do(resources, service.set_state, AGENT, row.id, State.SOLVED, seen_version=row.version)
    await work(resources)
    assert await queue(resources) == []
    await work(resources, later=timedelta(minutes=3))
    assert [each.order_id for each in await queue(resources)] == [soon.id]


async def _somebody_waits(resources: Resources) -> bool:
    query = text("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted LIMIT 1")
    async with resources.database.unit_of_work() as session:
        return await session.scalar(query) is not None


async def test_what_ends_while_its_turn_is_awaited_opens_nothing(resources: Resources) -> None:
    late, ended = await place_order(resources), await place_order(resources)
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE dispatch_order SET promised_at = now() - interval '1 hour'")
        )
    async with resources.database.unit_of_work() as turn:
        await repository.await_turn(turn)
        opening = asyncio.create_task(sweeps.open_late(resources.database))
        while not await _somebody_waits(resources):
            await asyncio.sleep(0.02)
        await do(resources, dispatch.cancel_order, ADMIN, ended.id, reason="No longer wanted.")
    assert await opening == 1
    assert [row.order_id for row in await queue(resources)] == [late.id]


async def test_an_end_without_trouble_waits_for_nobody(resources: Resources) -> None:
    order = await place_order(resources)
    facts = {"order_id": str(order.id), "number": order.number}
    async with resources.database.unit_of_work() as turn:
        await repository.await_turn(turn)
        async with asyncio.timeout(30):
            await happens(resources, "order.delivered", order.id, order.region, **facts)


async def test_what_a_customer_asked_about_the_same_is_not_opened_twice(
    resources: Resources,
) -> None:
    order = await place_order(resources)
    row = await opened(resources, order=order, kind="payment")
    await payment_fails(resources, order, "No money.")
    assert [each.id for each in await queue(resources)] == [row.id]
    assert (await look(resources, row.id)).timeline[-1].text == "Again: No money."
