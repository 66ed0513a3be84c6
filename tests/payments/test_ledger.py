"""Money moves once, never out of nothing, and what was written stays."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.identity.service import Denied
from backend.payments import booking, ledger, tending
from backend.payments import ledger_repository as repository
from backend.payments.ledger_rules import Account, AccountKind, expire, hold, post, settle, void
from backend.payments.schemas import CorrectionIn, Money
from backend.platform import clock
from backend.platform.errors import Conflict, Invalid
from backend.platform.ids import uuid7
from backend.platform.resources import Resources

from .books import CLEARING, SHOP, book, check, fund, holdings, purse


async def test_a_posted_transfer_moves_its_amount_and_leaves_two_entries(
    resources: Resources,
) -> None:
    await fund(resources.database, purse(), 500)
    assert await holdings(resources.database, purse(), CLEARING) == [(500, 0), (-500, 0)]
    async with resources.database.unit_of_work() as session:
        page = await ledger.account_entries(session, SYSTEM, purse().id)
    assert [(e.amount, e.balance, e.version, e.kind) for e in page.items] == [
        (500, 500, 1, "top_up")
    ]
    assert page.items[0].other.owner == "sandbox"
    await check(resources.database)


async def test_the_same_id_and_body_is_the_same_transfer(resources: Resources) -> None:
    await fund(resources.database, purse(), 500)
    payment = post(uuid7(), purse(), SHOP, 500, "payment", order_number="WP-1")
    outcomes = [(await book(resources.database, payment))[0].outcome for _ in range(2)]
    assert outcomes == ["done", "duplicate"]
    assert await holdings(resources.database, purse(), SHOP) == [(0, 0), (500, 0)]


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("amount", post(uuid7(), purse(), SHOP, 99, "payment")),
        ("debit", post(uuid7(), purse("bob"), SHOP, 100, "payment")),
        ("credit", post(uuid7(), purse(), purse("bob"), 100, "payment")),
        ("kind", post(uuid7(), purse(), SHOP, 100, "gift")),
        ("order_number", post(uuid7(), purse(), SHOP, 100, "payment", order_number="WP-2")),
        ("reference", post(uuid7(), purse(), SHOP, 100, "payment", reference="r")),
        ("two_phase", hold(uuid7(), purse(), SHOP, 100, "payment")),
    ],
)
async def test_the_same_id_and_another_body_names_the_field(
    resources: Resources, field: str, other: object
) -> None:
    from dataclasses import replace

    await fund(resources.database, purse(), 500)
    first = post(uuid7(), purse(), SHOP, 100, "payment")
    await book(resources.database, first)
    [booked] = await book(resources.database, replace(other, id=first.id))  # type: ignore[type-var]
    assert (booked.outcome, booked.why) == ("differs", field)
    error = booking.refusal(booked)
    assert isinstance(error, Conflict)
    assert error.errors[0].pointer == f"/{field}"


async def test_a_wallet_cannot_be_overdrawn_and_held_money_counts(resources: Resources) -> None:
    await fund(resources.database, purse(), 500)
    held = hold(uuid7(), purse(), SHOP, 400, "payment")
    assert (await book(resources.database, held))[0].outcome == "done"
    assert await holdings(resources.database, purse()) == [(500, 400)]
    [refused] = await book(resources.database, post(uuid7(), purse(), SHOP, 101, "payment"))
    assert (refused.outcome, refused.why) == ("refused", "insufficient")
    [taken] = await book(resources.database, post(uuid7(), purse(), SHOP, 100, "payment"))
    assert taken.outcome == "done"
    await check(resources.database)


async def test_a_part_is_settled_and_the_rest_released(resources: Resources) -> None:
    await fund(resources.database, purse(), 500)
    held = hold(uuid7(), purse(), SHOP, 400, "payment")
    await book(resources.database, held)
    [settled] = await book(resources.database, settle(held.id, 150))
    assert settled.outcome == "done"
    assert await holdings(resources.database, purse(), SHOP) == [(350, 0), (150, 0)]
    again, more = await book(resources.database, settle(held.id, 150), settle(held.id, 100))
    assert again.outcome == "duplicate"
    assert (more.outcome, more.why) == ("refused", "already_posted")
    await check(resources.database)


async def test_a_hold_voided_twice_is_released_once(resources: Resources) -> None:
    await fund(resources.database, purse(), 500)
    first, second = (hold(uuid7(), purse(), SHOP, 200, "payment") for _ in range(2))
    await book(resources.database, first, second)
    outcomes = await book(resources.database, void(first.id), void(first.id))
    assert [booked.outcome for booked in outcomes] == ["done", "duplicate"]
    assert await holdings(resources.database, purse()) == [(500, 200)]
    [settled] = await book(resources.database, settle(first.id))
    assert (settled.outcome, settled.why) == ("refused", "already_voided")


async def test_a_refused_hold_cannot_be_settled(resources: Resources) -> None:
    await fund(resources.database, purse(), 100)
    refused = hold(uuid7(), purse(), SHOP, 400, "payment")
    assert (await book(resources.database, refused))[0].why == "insufficient"
    [settled] = await book(resources.database, settle(refused.id))
    assert (settled.outcome, settled.why) == ("refused", "unknown_transfer")
    assert await holdings(resources.database, purse()) == [(100, 0)]


async def test_a_hold_expires_once_and_cannot_be_settled_after_its_time(
    resources: Resources,
) -> None:
    await fund(resources.database, purse(), 500)
    soon = clock.now() + timedelta(milliseconds=40)
    first = hold(uuid7(), purse(), SHOP, 200, "payment", expires_at=soon)
    second = hold(uuid7(), purse(), SHOP, 100, "payment", expires_at=soon)
    early = (await book(resources.database, first, second, expire(first.id)))[2]
    assert early.why == "not_due"
    while clock.now() < soon:
        await asyncio.sleep(0.01)
    [late] = await book(resources.database, settle(first.id))
    assert (late.outcome, late.why) == ("refused", "already_expired")
    assert await holdings(resources.database, purse()) == [(500, 100)]
    assert await tending.expire_holds(resources.database) == 1
    assert await tending.expire_holds(resources.database) == 0
    assert await holdings(resources.database, purse()) == [(500, 0)]
    await check(resources.database)


async def test_a_duplicate_inside_one_batch_is_one_transfer(resources: Resources) -> None:
    await fund(resources.database, purse(), 500)
    payment = post(uuid7(), purse(), SHOP, 300, "payment")
    outcomes = await book(resources.database, payment, payment)
    assert [booked.outcome for booked in outcomes] == ["done", "duplicate"]
    assert await holdings(resources.database, purse()) == [(200, 0)]


async def test_each_item_of_a_batch_sees_those_before_it(resources: Resources) -> None:
    outcomes = await book(
        resources.database,
        post(uuid7(), purse(), SHOP, 100, "payment"),
        post(uuid7(), CLEARING, purse(), 100, "top_up"),
        post(uuid7(), purse(), SHOP, 100, "payment"),
    )
    assert [booked.outcome for booked in outcomes] == ["refused", "done", "done"]
    await check(resources.database)


async def test_concurrent_partial_settlements_of_one_hold_settle_it_once(
    resources: Resources,
) -> None:
    await fund(resources.database, purse(), 1000)
    held = hold(uuid7(), purse(), SHOP, 1000, "payment")
    await book(resources.database, held)
    outcomes = await asyncio.gather(
        *(book(resources.database, settle(held.id, 100 + part)) for part in range(8))
    )
    assert sorted(o.outcome for [o] in outcomes) == ["done", *["refused"] * 7]
    [(_, taken)] = [(0, (await holdings(resources.database, SHOP))[0][0])]
    assert 100 <= taken <= 107
    await check(resources.database)


async def test_two_batches_over_the_same_accounts_and_ids_never_wait_in_a_ring(
    resources: Resources,
) -> None:
    people = [purse(f"p{number}") for number in range(6)]
    for person in people:
        await fund(resources.database, person, 10_000)
    ids = [uuid7() for _ in range(6)]
    pairs = list(zip(people, people[1:] + people[:1], strict=True))
    round_trip = [
        post(i, giver, taker, 10, "gift") for i, (giver, taker) in zip(ids, pairs, strict=True)
    ]
    outcomes = await asyncio.gather(
        *(book(resources.database, *round_trip) for _ in range(4)),
        *(book(resources.database, *reversed(round_trip)) for _ in range(4)),
    )
    counted = [booked.outcome for batch in outcomes for booked in batch]
    assert counted.count("done") == 6
    assert counted.count("duplicate") == 42
    assert await holdings(resources.database, *people) == [(10_000, 0)] * 6
    await check(resources.database)


async def test_what_was_written_cannot_be_changed_or_taken_away(resources: Resources) -> None:
    await fund(resources.database, purse(), 500)
    for statement in (
        "UPDATE payments_entry SET amount = amount + 1",
        "DELETE FROM payments_entry",
        "TRUNCATE payments_entry",
        "UPDATE payments_transfer SET amount = 1",
        "UPDATE payments_transfer SET state = 'voided'",
        "DELETE FROM payments_transfer",
        "UPDATE payments_account SET floored = false WHERE floored",
        "DELETE FROM payments_account",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with resources.database.unit_of_work() as session:
                await session.execute(text(statement))


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (post(uuid7(), CLEARING, purse("x", "INR"), 100, "top_up"), "currency"),
        (post(uuid7(), CLEARING, purse(), 0, "top_up"), "amount"),
        (post(uuid7(), CLEARING, purse(), -5, "top_up"), "amount"),
        (post(uuid7(), CLEARING, purse(), 10**15 + 1, "top_up"), "amount"),
        (post(uuid7(), CLEARING, CLEARING, 100, "top_up"), "same_account"),
        (void(uuid7()), "unknown_transfer"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(
    resources: Resources, item: object, why: str
) -> None:
    [booked] = await book(resources.database, item)  # type: ignore[arg-type]
    assert (booked.outcome, booked.why) == ("refused", why)
    assert booking.refusal(booked).status in (409, 422)
    await check(resources.database)


async def test_a_hot_account_is_read_from_its_sum_and_what_came_after(
    resources: Resources,
) -> None:
    for amount in (100, 200, 300):
        await fund(resources.database, purse(), amount)
    assert await booking.sum_up_hot_accounts(resources.database) == 1
    await fund(resources.database, purse(), 50)
    assert await booking.sum_up_hot_accounts(resources.database) == 1
    assert await booking.sum_up_hot_accounts(resources.database) == 1
    await fund(resources.database, purse(), 7)
    async with resources.database.unit_of_work() as session:
        sums = await session.scalar(text("SELECT count(*) FROM payments_snapshot"))
        found = await ledger.get_account(session, SYSTEM, CLEARING.id)
        page = await ledger.account_entries(session, SYSTEM, CLEARING.id, limit=2)
        rest = await ledger.account_entries(
            session, SYSTEM, CLEARING.id, after=page.next_cursor, limit=10
        )
    assert (found.balance, found.entries, sums) == (-657, 5, 2)
    lines = [*page.items, *rest.items]
    assert [entry.version for entry in lines] == [5, 4, 3, 2, 1]
    assert [entry.balance for entry in lines] == [-657, -650, -600, -300, -100]
    await check(resources.database)


async def test_balances_at_any_past_time(resources: Resources) -> None:
    moments = [clock.now()]
    for amount in (100, 200, 300):
        await fund(resources.database, purse(), amount)
        moments.append(clock.now())
    await booking.sum_up_hot_accounts(resources.database)
    await fund(resources.database, purse(), 1)
    for account, sign in ((purse(), 1), (CLEARING, -1)):
        async with resources.database.unit_of_work() as session:
            past = [
                (await ledger.balance_at(session, SYSTEM, account.id, at)).balance for at in moments
            ]
        assert past == [0, sign * 100, sign * 300, sign * 600]
    later = clock.now() + timedelta(minutes=1)
    with pytest.raises(Invalid):
        async with resources.database.unit_of_work() as session:
            await ledger.balance_at(session, SYSTEM, purse().id, later)


async def test_a_correction_points_at_what_it_corrects_and_takes_back_no_more(
    resources: Resources,
) -> None:
    first = await fund(resources.database, purse(), 500)
    async with resources.database.unit_of_work() as session:
        part = CorrectionIn(
            id=uuid7(), reason="typed twice", amount=Money(minor=200, currency="THB")
        )
        corrected = await ledger.correct_transfer(session, SYSTEM, first, part)
    assert (corrected.corrects, corrected.debit.kind) == (first, "wallet")
    assert await holdings(resources.database, purse(), CLEARING) == [(300, 0), (-300, 0)]
    await fund(resources.database, purse(), 1000)
    rest = CorrectionIn(id=uuid7(), reason="again", amount=None)
    with pytest.raises(Invalid, match="More would be taken back"):
        async with resources.database.unit_of_work() as session:
            await ledger.correct_transfer(session, SYSTEM, first, rest)
    await book(resources.database, post(uuid7(), purse(), SHOP, 1250, "payment"))
    spent = CorrectionIn(id=uuid7(), reason="spent", amount=Money(minor=100, currency="THB"))
    with pytest.raises(booking.Insufficient):
        async with resources.database.unit_of_work() as session:
            await ledger.correct_transfer(session, SYSTEM, first, spent)
    await check(resources.database)


async def test_an_auditor_reads_every_account_and_changes_nothing(resources: Resources) -> None:
    first = await fund(resources.database, purse(), 500)
    auditor = Principal("user", "user:a", "A", (GrantScope("auditor", "*"),))
    manager = Principal("user", "user:m", "M", (GrantScope("fleet_manager", "TH-10"),))
    async with resources.database.unit_of_work() as session:
        page = await ledger.list_accounts(session, auditor)
        assert {account.kind for account in page.items} == {"wallet", "gateway_clearing"}
        wanted = CorrectionIn(id=uuid7(), reason="not theirs")
        with pytest.raises(Denied):
            await ledger.correct_transfer(session, auditor, first, wanted)
        with pytest.raises(Denied):
            await ledger.list_accounts(session, manager)


async def test_pages_of_accounts_and_transfers_hold_each_once(resources: Resources) -> None:
    for number in range(5):
        await fund(resources.database, purse(f"p{number}"), 100)
    async with resources.database.unit_of_work() as session:
        for verb in (ledger.list_accounts, ledger.list_transfers):
            ids: list[object] = []
            after = None
            while True:
                page = await verb(session, SYSTEM, after=after, limit=2)
                ids += [item.id for item in page.items]
                after = page.next_cursor
                if after is None:
                    break
            assert len(ids) == len(set(ids)) == (6 if verb is ledger.list_accounts else 5)


async def test_an_account_of_a_till_has_a_floor_and_one_of_the_platform_is_hot() -> None:
    till = Account(AccountKind.COD_HUB, "TH-10.siam", "TH-10", "THB")
    assert (till.floored, till.hot) == (True, False)
    assert (CLEARING.floored, CLEARING.hot) == (False, True)
    assert till.id == Account(AccountKind.COD_HUB, "TH-10.siam", "TH-10", "THB").id
    assert repository.batch_json([])["items"] == "[]"


async def test_an_account_named_for_the_first_time_beside_a_settlement_is_opened(
    resources: Resources,
) -> None:
    await fund(resources.database, purse(), 500)
    held = hold(uuid7(), purse(), SHOP, 400, "payment")
    await book(resources.database, held)
    revenue = Account(AccountKind.REVENUE, "platform", "TH", "THB")
    outcomes = await book(
        resources.database, settle(held.id), post(uuid7(), SHOP, revenue, 8, "commission")
    )
    assert [booked.outcome for booked in outcomes] == ["done", "done"]
    await check(resources.database)
