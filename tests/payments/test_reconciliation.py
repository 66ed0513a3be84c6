"""A gateway's report is compared line by line, and every difference is listed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from backend.identity.schemas import SYSTEM
from backend.payments import service
from backend.payments.reconciliation import KnownReport, NoSuchReport
from backend.payments.report_rules import compare, read_report
from backend.payments.schemas import Money, RefundIn, ReportIn, SettleDifferenceIn
from backend.platform import clock
from backend.platform.errors import Conflict, Invalid
from backend.platform.money import EXPONENTS

from .people import FOREIGN_LEAD, LEAD
from .world import World, number_of

HEAD = "Reference,kind,Amount,currency,fee\n"


async def captured(world: World, minor: int) -> Any:
    order = await world.order(minor)
    await world.settle()
    await world.deliver(order)
    await world.settle()
    return await world.payment(order)


async def compared(world: World, content: str, **more: Any) -> Any:
    from zoneinfo import ZoneInfo

    wanted = ReportIn(
        gateway="sandbox", region="TH-10", name="report.csv", content=content,
        day=clock.now().astimezone(ZoneInfo("Asia/Bangkok")).date(), **more,
    )  # fmt: skip
    async with world.database.unit_of_work() as session:
        return await service.import_report(session, LEAD, wanted)


async def test_every_difference_is_listed_with_both_sides(world: World) -> None:
    same, other, absent = [await captured(world, minor) for minor in (10_000, 20_000, 30_000)]
    async with world.database.unit_of_work() as session:
        wanted = RefundIn(
            payment_id=same.id, amount=Money(minor=4_000, currency="THB"), reason="broken"
        )
        await service.request_refund(session, SYSTEM, wanted)
    unpaid = await world.order(5_000)
    await world.settle()
    refund = (await world.payment(same.order_id)).refunds[0]
    held = await world.payment(unpaid)
    report = await compared(
        world,
        HEAD
        + f"{same.gateway_ref},payment,100.00,THB,1\n"
        + f"{refund.gateway_ref},refund,40,thb,0\n"
        + f"{other.gateway_ref},payment,200.01,THB,1\n"
        + f"{same.gateway_ref},payment,100.00,THB,1\n"
        + "sbx_nobody,payment,7.00,THB,1\n"
        + f"{held.gateway_ref},payment,50.00,THB,1\n"
        + "\n"
        + "x,payment,1.005,THB,0\n"
        + "y,gift,1,THB,0\n",
    )
    found = [(d.kind, d.line, d.theirs, d.ours) for d in report.items]
    assert found == [
        ("bad_line", 9, None, None),
        ("bad_line", 10, None, None),
        ("amount", 4, 20_001, 20_000),
        ("duplicate_line", 5, 10_000, 10_000),
        ("missing_here", 6, 700, None),
        ("state", 7, 5_000, None),
        ("missing_there", None, None, 30_000),
    ]
    assert report.items[-1].order == number_of(absent.order_id)
    assert (report.lines, report.matched, report.open) == (8, 2, 7)
    [total] = report.totals
    assert (total.theirs, total.ours) == (10_000 - 4_000 + 20_001 + 700 + 5_000, 56_000)


async def test_a_report_that_agrees_has_no_differences(world: World) -> None:
    payment = await captured(world, 10_000)
    report = await compared(world, f"\ufeff{HEAD}{payment.gateway_ref},payment,100,THB,0\n")
    assert (report.items, report.matched) == ([], 1)


async def test_the_same_file_is_compared_once(world: World) -> None:
    await compared(world, HEAD + "x,payment,1,THB,0\n")
    with pytest.raises(KnownReport):
        await compared(world, HEAD + "x,payment,1,THB,0\n")


async def test_a_line_that_names_another_regions_payment_tells_nothing_of_it(
    world: World,
) -> None:
    foreign = await captured(world, 10_000)
    async with world.database.unit_of_work() as session:
        move = text("UPDATE payments_payment SET region = 'SG-01' WHERE id = :id")
        await session.execute(move, {"id": foreign.id})
    report = await compared(world, f"{HEAD}{foreign.gateway_ref},payment,100,THB,0\n")
    [found] = report.items
    assert (found.kind, found.order, found.payment_id) == ("missing_here", None, None)


async def test_a_file_without_its_columns_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match="amount, currency") as refused:
        await compared(world, "reference,kind\nx,payment\n")
    assert refused.value.errors[0].pointer == "/content"


async def test_a_difference_is_settled_once_by_who_may(world: World) -> None:
    report = await compared(world, HEAD + "x,payment,1,THB,0\n")
    found = SettleDifferenceIn(note="a test payment of theirs")
    async with world.database.unit_of_work() as session:
        settled = await service.settle_difference(session, LEAD, report.items[0].id, found)
        assert settled.settled_by == LEAD.id
    with pytest.raises(Conflict):
        async with world.database.unit_of_work() as session:
            await service.settle_difference(session, LEAD, report.items[0].id, found)
    async with world.database.unit_of_work() as session:
        page = await service.list_reconciliations(session, LEAD)
        assert [(r.differences, r.open) for r in page.items] == [(1, 0)]
        with pytest.raises(NoSuchReport):
            await service.get_reconciliation(session, FOREIGN_LEAD, report.id)
        text = await service.export_differences(session, LEAD, report.id)
    assert "missing_here" in text
    assert "1.00" in text


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("r,payment,-1,THB", "bounds"),
        ("r,payment,0,THB", "bounds"),
        ("r,payment,nan,THB", "bounds"),
        ("r,payment,1e400,THB", "bounds"),
        ("r,payment,x,THB", "not an amount"),
        ("r,payment,1.5,VND", "no more than 0 decimals"),
        ("r,payment,1.001,INR", "no more than 2 decimals"),
        ("r,payment,1,EUR", "not a currency"),
        (",payment,1,THB", "no reference"),
        ("r", "payment or a refund"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line: str, why: str) -> None:
    lines, [fault], _ = read_report(f"reference,kind,amount,currency\n{line}\n", EXPONENTS)
    assert lines == []
    assert why in fault.detail


def test_nothing_compared_with_nothing_agrees() -> None:
    assert compare([], []) == (0, [])
