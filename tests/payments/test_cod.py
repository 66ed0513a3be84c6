"""Cash goes from the door through driver, hub and bank to the merchant, and none is lost."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text

from backend.identity.schemas import SYSTEM
from backend.payments import accounts, service, tending
from backend.payments.booking import Insufficient
from backend.payments.cod import NothingToHandOver
from backend.payments.schemas import CodFilter, Money, RemittanceIn, RemittanceOut
from backend.platform.errors import Invalid
from backend.platform.ids import uuid7

from .books import check, holdings
from .people import MANAGER
from .world import MERCHANT, World

HUB = "TH-10.siam"


def thb(minor: int) -> Money:
    return Money(minor=minor, currency="THB")


async def delivered(
    world: World, driver: UUID, minor: int = 50_000, collected: int | None = None
) -> UUID:
    order = await world.order(minor, terms="cod")
    await world.deliver(order, driver=driver, collected=minor if collected is None else collected)
    return order


async def shift(world: World, driver: UUID) -> date:
    async with world.database.unit_of_work() as session:
        page = await service.list_cod_orders(session, SYSTEM, CodFilter(driver_id=driver))
    found = page.items[0].shift
    assert found is not None
    return found


async def hand_over(world: World, **wanted: object) -> RemittanceOut:
    async with world.database.unit_of_work() as session:
        return await service.record_remittance(session, MANAGER, RemittanceIn(**wanted))  # type: ignore[arg-type]


async def at_hub(world: World, driver: UUID, received: int) -> RemittanceOut:
    return await hand_over(
        world, kind="hub", driver_id=driver, shift=await shift(world, driver), hub=HUB,
        received=thb(received),
    )  # fmt: skip


async def to_bank(world: World, received: int) -> RemittanceOut:
    return await hand_over(world, kind="bank", hub=HUB, received=thb(received), reference="slip 1")


async def stages(world: World) -> dict[str, int]:
    async with world.database.unit_of_work() as session:
        return (await service.cod_board(session, SYSTEM)).counts


async def test_cash_goes_all_the_way(world: World) -> None:
    driver = uuid7()
    waiting = await world.order(10_000, terms="cod")
    orders = [await delivered(world, driver) for _ in range(2)]
    assert await stages(world) == {"to_collect": 1, "with_driver": 2}
    handed = await at_hub(world, driver, 100_000)
    assert (handed.orders, handed.expected.minor, handed.difference) == (2, 100_000, 0)
    assert await stages(world) == {"to_collect": 1, "at_hub": 2}
    await to_bank(world, 100_000)
    assert await stages(world) == {"to_collect": 1, "remitted": 2}
    paid = await hand_over_to_merchant(world)
    assert (paid.orders, paid.received.minor) == (2, 100_000)
    assert await stages(world) == {"to_collect": 1}
    payment = await world.payment(orders[0])
    assert (payment.state, payment.captured.minor) == ("captured", 50_000)
    types = [event["type"] for event in await world.events()]
    for kind in ("collected", "received_at_hub", "remitted", "paid_to_merchant"):
        assert types.count(f"cod.{kind}") == 2
    await check(world.database)
    await world.event("order.cancelled", waiting, reason="x")
    owed = accounts.Account(accounts.AccountKind.COD_MERCHANT, MERCHANT, "TH", "THB")
    assert await holdings(world.database, owed) == [(0, 0)]
    await check(world.database)


async def hand_over_to_merchant(world: World) -> RemittanceOut:
    async with world.database.unit_of_work() as session:
        return await service.record_remittance(
            session, SYSTEM,
            RemittanceIn(
                kind="merchant", merchant=MERCHANT, region="TH", currency="THB", reference="t 1"
            ),
        )  # fmt: skip


async def test_the_board_reconciles_each_driver_and_shift(world: World) -> None:
    short, exact = uuid7(), uuid7()
    await delivered(world, short)
    await delivered(world, short, 30_000, collected=28_000)
    await delivered(world, exact)
    await at_hub(world, short, 77_000)
    async with world.database.unit_of_work() as session:
        board = await service.cod_board(session, MANAGER, "TH-10")
    rows = {row.driver_id: row for row in board.drivers}
    row = rows[short]
    assert (row.orders, row.expected, row.collected, row.received) == (2, 80_000, 78_000, 77_000)
    assert (row.difference, row.handed_in, row.in_hand) == (-1_000, True, 1_000)
    row = rows[exact]
    assert (row.collected, row.received, row.difference, row.in_hand) == (50_000, 0, None, 50_000)
    [till] = board.hubs
    assert (till.hub, till.orders, till.expected, till.in_till) == (HUB, 2, 78_000, 77_000)
    await check(world.database)


async def test_too_much_cash_is_booked_as_a_difference(world: World) -> None:
    driver = uuid7()
    await delivered(world, driver, 50_000, collected=51_000)
    handed = await at_hub(world, driver, 52_500)
    assert handed.difference == 1_500
    over = accounts.cod_difference("TH-10", "THB")
    till = accounts.cod_hub(HUB, "THB")
    assert await holdings(world.database, over, till) == [(-2_500, 0), (52_500, 0)]
    await check(world.database)


async def test_cash_not_taken_at_the_door_is_no_longer_awaited(world: World) -> None:
    driver = uuid7()
    order = await delivered(world, driver, collected=0)
    payment = await world.payment(order)
    assert (payment.state, payment.failure_code) == ("failed", "not_collected")
    assert not payment.may_retry
    due = accounts.Account(accounts.AccountKind.COD_TO_COLLECT, "platform", "TH-10", "THB")
    assert await holdings(world.database, due) == [(0, 0)]
    await check(world.database)


async def test_a_till_gives_no_more_than_it_holds(world: World) -> None:
    driver = uuid7()
    await delivered(world, driver)
    await at_hub(world, driver, 50_000)
    with pytest.raises(Insufficient):
        await to_bank(world, 50_001)
    assert await stages(world) == {"at_hub": 1}
    short = await to_bank(world, 49_000)
    assert short.difference == -1_000
    assert await holdings(world.database, accounts.cod_hub(HUB, "THB")) == [(1_000, 0)]
    await check(world.database)


async def test_a_shift_handed_in_twice_is_handed_in_once(world: World) -> None:
    driver = uuid7()
    await delivered(world, driver)
    await at_hub(world, driver, 50_000)
    with pytest.raises(NothingToHandOver):
        await at_hub(world, driver, 50_000)
    assert await holdings(world.database, accounts.cod_hub(HUB, "THB")) == [(50_000, 0)]


async def test_a_hub_elsewhere_is_unknown(world: World) -> None:
    driver = uuid7()
    await delivered(world, driver)
    for hub in ("IN-KA.hebbal", "TH-10", "TH-10.nowhere"):
        wanted = RemittanceIn(
            kind="hub", driver_id=driver, shift=await shift(world, driver), hub=hub,
            received=thb(1),
        )  # fmt: skip
        with pytest.raises(Invalid) as refused:
            async with world.database.unit_of_work() as session:
                await service.record_remittance(session, MANAGER, wanted)
        assert refused.value.errors[0].pointer == "/hub"


async def test_cash_carried_for_too_long_is_told_once(world: World) -> None:
    order = await delivered(world, uuid7())
    assert await tending.tell_late(world.database) == 0
    async with world.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE payments_cod SET collected_at = now() - interval '2 days'")
        )
    assert await tending.tell_late(world.database) == 1
    assert await tending.tell_late(world.database) == 0
    [late] = [e for e in await world.events() if e["type"] == "settlement.late"]
    assert (late["data"]["kind"], late["data"]["order_id"]) == ("cash", str(order))
