"""A marketplace sees and moves its own money, and does not learn of anybody else's."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from backend.identity.schemas import GrantScope, Principal
from backend.payments import service
from backend.payments.payments import NoSuchPayment
from backend.payments.refunds import NoSuchRefund
from backend.payments.schemas import (
    CancelIn,
    CodFilter,
    DecisionIn,
    Money,
    PaymentFilter,
    PaymentIn,
    RefundFilter,
    RefundIn,
    RemittanceIn,
    RetryIn,
    TopUpIn,
    WalletIn,
    WalletOut,
)
from backend.payments.wallets import NoSuchWallet
from backend.platform.errors import Forbidden, Invalid
from backend.platform.ids import uuid7

from .people import AGENT, LEAD
from .world import MERCHANT, World, number_of

EVERYTHING = frozenset(
    f"{thing}:{verb}"
    for thing, verbs in {
        "payments": ("read", "write"), "refunds": ("read", "write", "approve"),
        "cod": ("read", "write"), "wallets": ("read", "write"),
    }.items()
    for verb in verbs
)  # fmt: skip
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def marketplace(name: str) -> Principal:
    """An integration that acts by permissions of its own, everywhere."""
    return Principal("service", f"service:{name}", name, permissions=EVERYTHING, regions=("*",))


OWNER = marketplace(MERCHANT.partition(":")[2])
RIVAL = marketplace("rival")
BOOKKEEPING = Principal("service", "service:books", "books", (GrantScope("support_lead", "*"),))


async def captured(world: World) -> UUID:
    order = await world.order(3_000_000)
    await world.settle()
    await world.deliver(order)
    await world.settle()
    return order


def refund_of(payment_id: UUID, minor: int = 2_000_000) -> RefundIn:
    return RefundIn(
        payment_id=payment_id, amount=Money(minor=minor, currency="THB"), reason="arrived broken"
    )


async def test_lists_figures_and_files_hold_only_its_own(world: World) -> None:
    order = await captured(world)
    await world.settle()
    await world.order(method="sandbox:decline=card_declined")
    await world.settle()
    payment = await world.payment(order)
    async with world.database.unit_of_work() as session:
        await service.request_refund(session, AGENT, refund_of(payment.id))
    seen = {}
    for who in (OWNER, RIVAL, BOOKKEEPING):
        async with world.database.unit_of_work() as session:
            totals = await service.payment_totals(session, who, LONG_AGO)
            csv = await service.export_payments(session, who, PaymentFilter())
            refunds_csv = await service.export_refunds(session, who, RefundFilter())
            seen[who.id] = (
                len((await service.list_payments(session, who, PaymentFilter())).items),
                len((await service.list_refunds(session, who, RefundFilter())).items),
                len(await service.failure_groups(session, who)),
                sum(totals.counts.values()),
                totals.awaiting_approval,
                number_of(order) in csv,
                number_of(order) in refunds_csv,
                len((await service.order_payments(session, who, number_of(order))).payments),
            )
    nothing = (0, 0, 0, 0, 0, False, False, 0)
    assert seen[RIVAL.id] == nothing
    assert seen[OWNER.id] == seen[BOOKKEEPING.id] == (2, 1, 1, 2, 1, True, True, 1)


async def test_what_is_not_its_own_is_not_there(world: World) -> None:
    order = await captured(world)
    payment = await world.payment(order)
    async with world.database.unit_of_work() as session:
        asked = await service.request_refund(session, OWNER, refund_of(payment.id))
    assert asked.state == "requested"
    note = DecisionIn(note="I looked at it")
    async with world.database.unit_of_work() as session:
        for refused in (
            service.get_payment(session, RIVAL, payment.id),
            service.retry_payment(session, RIVAL, payment.id, RetryIn()),
            service.cancel_payment(session, RIVAL, payment.id, CancelIn(reason="not ours")),
            service.request_refund(session, RIVAL, refund_of(payment.id, 1)),
        ):
            with pytest.raises(NoSuchPayment):
                await refused
        for refused in (
            service.get_refund(session, RIVAL, asked.id),
            service.approve_refund(session, RIVAL, asked.id, note),
            service.reject_refund(session, RIVAL, asked.id, note),
        ):
            with pytest.raises(NoSuchRefund):
                await refused
        assert (await service.get_payment(session, OWNER, payment.id)).id == payment.id
        assert (await service.get_refund(session, OWNER, asked.id)).state == "requested"


async def test_it_is_not_told_who_of_waypost_decided(world: World) -> None:
    payment = await world.payment(await captured(world))
    async with world.database.unit_of_work() as session:
        asked = await service.request_refund(session, AGENT, refund_of(payment.id))
        note = DecisionIn(note="they always complain")
        await service.reject_refund(session, LEAD, asked.id, note)
    told = {}
    for who in (OWNER, AGENT):
        async with world.database.unit_of_work() as session:
            whole = await service.get_payment(session, who, payment.id)
            listed = await service.list_refunds(session, who, RefundFilter())
        told[who.id] = whole.model_dump_json() + listed.model_dump_json()
    for word in ("complain", AGENT.name, LEAD.name):
        assert word in told[AGENT.id]
        assert word not in told[OWNER.id]


async def test_it_pays_for_its_own_orders_alone(world: World) -> None:
    order = await world.order(method=None)
    wanted = PaymentIn(
        order=number_of(order), amount=Money(minor=50_000, currency="THB"), method="sandbox:ok"
    )
    async with world.database.unit_of_work() as session:
        with pytest.raises(Invalid, match="no such order"):
            await service.create_payment(session, RIVAL, wanted)
        paid = await service.create_payment(session, OWNER, wanted)
    assert paid.state == "processing"


async def test_of_the_cash_it_sees_its_own_orders_and_no_bag_or_till(world: World) -> None:
    order, driver = await world.order(terms="cod"), uuid7()
    await world.deliver(order, driver=driver, collected=50_000)
    async with world.database.unit_of_work() as session:
        boards = {
            who.id: await service.cod_board(session, who) for who in (OWNER, RIVAL, BOOKKEEPING)
        }
        mine = await service.list_cod_orders(session, OWNER, CodFilter())
        theirs = await service.list_cod_orders(session, RIVAL, CodFilter())
        csv = await service.export_cod(session, RIVAL, CodFilter())
    assert boards[BOOKKEEPING.id].drivers
    assert boards[OWNER.id].drivers == boards[OWNER.id].hubs == []
    assert (boards[OWNER.id].counts, boards[RIVAL.id].counts) == ({"with_driver": 1}, {})
    assert ([o.order_id for o in mine.items], theirs.items) == ([order], [])
    assert number_of(order) not in csv


async def test_it_hands_no_cash_over_and_does_not_pay_itself(world: World) -> None:
    wanted = RemittanceIn(
        kind="merchant", merchant=OWNER.id, region="TH", currency="THB", reference="T-1"
    )
    async with world.database.unit_of_work() as session:
        with pytest.raises(Forbidden, match="Waypost's people"):
            await service.record_remittance(session, OWNER, wanted)


async def opened(world: World, who: Principal, holder: str = "customer:7") -> WalletOut:
    async with world.database.unit_of_work() as session:
        wanted = WalletIn(holder=holder, name="Somchai Jaidee", region="TH-10")
        return await service.open_wallet(session, who, wanted)


async def test_customers_of_two_marketplaces_may_have_the_same_id(world: World) -> None:
    mine, theirs = await opened(world, OWNER), await opened(world, RIVAL)
    assert mine.id != theirs.id
    assert (await opened(world, OWNER)).id == mine.id
    top_up = TopUpIn(amount=Money(minor=100, currency="THB"), method="sandbox:ok")
    async with world.database.unit_of_work() as session:
        page = await service.list_wallets(session, OWNER)
        assert [wallet.id for wallet in page.items] == [mine.id]
        assert len((await service.list_wallets(session, BOOKKEEPING)).items) == 2
        for refused in (
            service.get_wallet(session, OWNER, theirs.id),
            service.wallet_entries(session, OWNER, theirs.id),
            service.wallet_statement(session, OWNER, theirs.id, LONG_AGO.date()),
            service.top_up(session, OWNER, theirs.id, top_up),
        ):
            with pytest.raises(NoSuchWallet):
                await refused


async def test_an_order_is_not_paid_from_another_marketplaces_wallet(world: World) -> None:
    theirs = await opened(world, RIVAL)
    top_up = TopUpIn(amount=Money(minor=100_000, currency="THB"), method="sandbox:ok")
    async with world.database.unit_of_work() as session:
        paid = await service.top_up(session, RIVAL, theirs.id, top_up)
        assert (await service.get_payment(session, RIVAL, paid.id)).wallet_id == theirs.id
    await world.settle()
    order = await world.order(terms="wallet", wallet_id=theirs.id)
    refused = await world.payment(order)
    assert (refused.state, refused.failure_code) == ("failed", "unknown_wallet")
    assert await world.balance(theirs.id) == (100_000, 0)
    payment = await world.payment(await captured(world))
    asked = refund_of(payment.id, 1).model_copy(
        update={"destination": "wallet", "wallet_id": theirs.id}
    )
    async with world.database.unit_of_work() as session:
        with pytest.raises(Invalid, match="no such wallet"):
            await service.request_refund(session, OWNER, asked)


async def test_a_wallets_name_is_masked_for_who_may_only_look(world: World) -> None:
    wallet = await opened(world, OWNER)
    looker = Principal(
        "user", "user:x", "X", permissions=frozenset({"wallets:read"}), regions=("TH",)
    )
    async with world.database.unit_of_work() as session:
        names = [
            (await service.get_wallet(session, who, wallet.id)).name
            for who in (looker, OWNER, AGENT)
        ]
    assert names == ["So•••ee", "Somchai Jaidee", "Somchai Jaidee"]
