"""A wallet is topped up, paid from and told month by month."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from backend.identity.schemas import SYSTEM, AuditFilter
from backend.identity.service import list_audit
from backend.payments import service
from backend.payments.schemas import Money, TopUpIn, WalletIn
from backend.platform import clock
from backend.platform.errors import Invalid
from backend.platform.resources import Resources

from .books import check
from .people import LEAD
from .world import World


@pytest.fixture
def world(resources: Resources) -> World:
    return World(resources)


async def top_up(world: World, wallet: object, minor: int, method: str = "sandbox:ok") -> None:
    async with world.database.unit_of_work() as session:
        wanted = TopUpIn(amount=Money(minor=minor, currency="THB"), method=method)
        await service.top_up(session, SYSTEM, wallet, wanted)  # type: ignore[arg-type]
    await world.settle()


async def test_a_top_up_is_captured_as_soon_as_it_is_authorised(world: World) -> None:
    wallet = await world.wallet()
    await top_up(world, wallet, 30_000)
    assert await world.balance(wallet) == (30_000, 0)
    [told] = [e for e in await world.events() if e["type"] == "wallet.credited"]
    assert told["data"]["wallet_id"] == str(wallet)
    await top_up(world, wallet, 30_000, "sandbox:decline=card_declined")
    assert await world.balance(wallet) == (30_000, 0)
    await check(world.database)


async def test_who_had_money_brought_in_is_in_the_audit_trail(world: World) -> None:
    wallet = await world.wallet()
    async with world.database.unit_of_work() as session:
        wanted = TopUpIn(amount=Money(minor=30_000, currency="THB"), method="sandbox:ok")
        paid = await service.top_up(session, LEAD, wallet, wanted)
    async with world.database.unit_of_work() as session:
        found = await list_audit(session, SYSTEM, AuditFilter(action="wallet.top_up_asked"))
    [entry] = found
    assert (entry.actor, entry.object) == (LEAD.id, f"wallet:{wallet}")
    assert entry.after == {"payment": str(paid.id), "amount": 30_000, "currency": "THB"}


async def test_a_holder_has_one_wallet_in_a_currency(world: World) -> None:
    assert await world.wallet() == await world.wallet()
    assert await world.wallet(holder="customer:bob") != await world.wallet()


async def test_history_carries_the_balance_after_each_line(world: World) -> None:
    wallet = await world.wallet()
    await top_up(world, wallet, 30_000)
    order = await world.order(10_000, terms="wallet", wallet_id=wallet)
    await world.deliver(order)
    await top_up(world, wallet, 5_000)
    async with world.database.unit_of_work() as session:
        first = await service.wallet_entries(session, SYSTEM, wallet, limit=2)
        rest = await service.wallet_entries(session, SYSTEM, wallet, after=first.next_cursor)
    lines = [(e.amount, e.balance, e.version) for e in (*first.items, *rest.items)]
    assert lines == [(5_000, 25_000, 3), (-10_000, 20_000, 2), (30_000, 30_000, 1)]


async def test_a_wallet_never_used_has_an_empty_history(world: World) -> None:
    wallet = await world.wallet()
    async with world.database.unit_of_work() as session:
        page = await service.wallet_entries(session, SYSTEM, wallet)
        found = await service.wallet_statement(session, SYSTEM, wallet, date(2026, 11, 1))
    assert (page.items, found.opening, found.closing) == ([], 0, 0)


async def test_a_statement_leads_from_opening_to_closing_in_local_time(world: World) -> None:
    wallet = await world.wallet()
    await top_up(world, wallet, 30_000)
    await top_up(world, wallet, 7_050)
    order = await world.order(10_000, terms="wallet", wallet_id=wallet)
    await world.deliver(order)
    zone = ZoneInfo("Asia/Bangkok")
    this = clock.now().astimezone(zone).date().replace(day=1)
    # The first line is a second before this month's local midnight, though not in UTC.
    midnight = datetime(this.year, this.month, 1, tzinfo=zone)
    async with world.database.unit_of_work() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(
            text("UPDATE payments_entry SET at = :at WHERE version = 1"),
            {"at": (midnight - timedelta(seconds=1)).astimezone(UTC)},
        )
    async with world.database.unit_of_work() as session:
        found = await service.wallet_statement(session, SYSTEM, wallet, this)
        before = await service.wallet_statement(
            session, SYSTEM, wallet, (this - timedelta(days=1)).replace(day=1)
        )
    assert (found.opening, found.closing) == (30_000, 27_050)
    assert (found.paid_in, found.paid_out) == (7_050, 10_000)
    assert [line.description for line in found.lines] == ["Top-up", "Payment"]
    assert (before.opening, before.closing) == (0, 30_000)
    rows = list(csv.reader(io.StringIO(service.statement_csv(found))))
    assert rows[0] == ["at", "what", "order", "amount_THB", "balance"]
    assert [row[3:] for row in rows[1:]] == [
        ["", "300.00"], ["70.50", "370.50"], ["-100.00", "270.50"], ["", "270.50"],
    ]  # fmt: skip
    assert rows[2][0].endswith("+07:00")
    pdf = service.statement_pdf(found)
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 1_000


async def test_a_statement_of_many_lines_and_any_name_fits_on_pages(world: World) -> None:
    from backend.payments.schemas import Statement, StatementLine
    from backend.platform.ids import uuid7

    lines = [
        StatementLine(at=clock.now(), description="Payment", order="WP-1", amount=-1, balance=n)
        for n in range(120, 0, -1)
    ]
    statement = Statement(
        wallet_id=uuid7(), holder="x", name="Nguyễn Thị Lan", region="VN-SG",
        place="Ho Chi Minh City", time_zone="Asia/Ho_Chi_Minh", currency="VND",
        month=date(2026, 11, 1), opening=121, closing=1, paid_in=0, paid_out=120, lines=lines,
    )  # fmt: skip
    assert service.statement_pdf(statement).count(b"/Type /Page\n") >= 3


@pytest.mark.parametrize(
    ("money", "pointer"),
    [
        (Money(minor=100, currency="INR"), "/amount/currency"),
        (Money(minor=0, currency="THB"), "/amount/minor"),
    ],
)
async def test_a_wrong_top_up_is_refused_by_field(world: World, money: Money, pointer: str) -> None:
    wallet = await world.wallet()
    wanted = TopUpIn(amount=money, method="sandbox:ok")
    with pytest.raises(Invalid) as refused:
        async with world.database.unit_of_work() as session:
            await service.top_up(session, SYSTEM, wallet, wanted)
    assert refused.value.errors[0].pointer == pointer


async def test_a_wallet_needs_a_region_that_is_there(world: World) -> None:
    await world.wallet()
    with pytest.raises(Invalid) as refused:
        async with world.database.unit_of_work() as session:
            await service.open_wallet(
                session, SYSTEM, WalletIn(holder="x", name="X", region="XX-99")
            )
    assert refused.value.errors[0].pointer == "/region"
