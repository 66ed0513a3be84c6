"""Refunds within a limit go at once; above it a second person decides."""

from __future__ import annotations

from uuid import UUID

import pytest

from backend.identity.schemas import SYSTEM, Principal
from backend.identity.service import Denied
from backend.payments import service
from backend.payments.payments import NoSuchPayment
from backend.payments.progress import WrongState
from backend.payments.refunds import NoSuchRefund, SamePerson
from backend.payments.rules import refund_limit
from backend.payments.schemas import DecisionIn, Money, RefundFilter, RefundIn, RefundOut
from backend.platform.errors import Invalid
from backend.platform.ids import uuid7
from backend.platform.money import EXPONENTS
from backend.platform.resources import Resources

from .books import check
from .people import AGENT, FOREIGN_LEAD, LEAD, MANAGER, OTHER_AGENT, SECOND_LEAD
from .world import World

AGENT_LIMIT = refund_limit("THB", lead=False)
LEAD_LIMIT = refund_limit("THB", lead=True)


@pytest.fixture
def world(resources: Resources) -> World:
    return World(resources)


async def captured(world: World, minor: int = 3_000_000) -> UUID:
    order = await world.order(minor)
    await world.settle()
    await world.deliver(order)
    await world.settle()
    return order


async def ask(world: World, who: Principal, order: UUID, minor: int, **more: object) -> RefundOut:
    found = await world.payment(order)
    money = Money(minor=minor, currency="THB")
    wanted = RefundIn(payment_id=found.id, amount=money, reason="arrived broken", **more)  # type: ignore[arg-type]
    async with world.database.unit_of_work() as session:
        return await service.request_refund(session, who, wanted)


async def decide(world: World, who: Principal, refund_id: UUID, *, approve: bool) -> RefundOut:
    verb = service.approve_refund if approve else service.reject_refund
    async with world.database.unit_of_work() as session:
        return await verb(session, who, refund_id, DecisionIn(note="I looked at it"))


async def test_within_the_limit_a_refund_goes_at_once(world: World) -> None:
    order = await captured(world)
    asked = await ask(world, AGENT, order, AGENT_LIMIT)
    assert (asked.state, asked.decided_by) == ("approved", AGENT.id)
    await world.settle()
    found = await world.payment(order)
    assert (found.refunds[0].state, found.refunded.minor) == ("succeeded", AGENT_LIMIT)
    kinds = [t.kind for t in found.transfers if "refund" in t.kind]
    assert sorted(kinds) == ["refund", "refund_due"]
    await check(world.database)


async def test_above_the_limit_it_waits_for_a_second_person(world: World) -> None:
    order = await captured(world)
    asked = await ask(world, AGENT, order, AGENT_LIMIT + 1)
    assert asked.state == "requested"
    await world.settle()
    assert (await world.payment(order)).refunded.minor == 0
    assert (await world.payment(order)).refundable.minor == 3_000_000 - AGENT_LIMIT - 1
    approved = await decide(world, LEAD, asked.id, approve=True)
    assert (approved.state, approved.decided_by) == ("approved", LEAD.id)
    await world.settle()
    assert (await world.payment(order)).refunded.minor == AGENT_LIMIT + 1
    with pytest.raises(WrongState):
        await decide(world, SECOND_LEAD, asked.id, approve=True)


async def test_the_limit_counts_all_that_one_person_asks_of_one_payment(world: World) -> None:
    order = await captured(world)
    first = await ask(world, AGENT, order, AGENT_LIMIT)
    second = await ask(world, AGENT, order, 1)
    other = await ask(world, OTHER_AGENT, order, 1)
    assert [first.state, second.state, other.state] == ["approved", "requested", "approved"]


async def test_nobody_approves_what_they_asked_for_themselves(world: World) -> None:
    order = await captured(world)
    asked = await ask(world, LEAD, order, LEAD_LIMIT + 1)
    with pytest.raises(SamePerson):
        await decide(world, LEAD, asked.id, approve=True)
    with pytest.raises(Denied):
        await decide(world, AGENT, asked.id, approve=True)
    with pytest.raises(NoSuchRefund):
        await decide(world, FOREIGN_LEAD, asked.id, approve=True)
    assert (await decide(world, SECOND_LEAD, asked.id, approve=True)).state == "approved"


async def test_a_refund_turned_down_frees_its_amount(world: World) -> None:
    order = await captured(world)
    asked = await ask(world, AGENT, order, 3_000_000)
    with pytest.raises(Invalid, match="More than is left"):
        await ask(world, AGENT, order, 1)
    assert (await decide(world, LEAD, asked.id, approve=False)).state == "rejected"
    assert (await ask(world, AGENT, order, 1)).state == "approved"
    await check(world.database)


async def test_a_refund_may_go_into_a_wallet_of_the_country(world: World) -> None:
    order = await captured(world)
    wallet = await world.wallet()
    with pytest.raises(Invalid) as unknown:
        await ask(world, AGENT, order, 5_000, destination="wallet", wallet_id=uuid7())
    assert unknown.value.errors[0].pointer == "/wallet_id"
    asked = await ask(world, AGENT, order, 5_000, destination="wallet", wallet_id=wallet)
    assert asked.state == "succeeded"
    assert await world.balance(wallet) == (5_000, 0)
    await check(world.database)


async def test_a_wallet_payment_goes_back_where_it_came_from(world: World) -> None:
    wallet = await world.wallet(80_000)
    order = await world.order(50_000, terms="wallet", wallet_id=wallet)
    await world.deliver(order)
    assert (await ask(world, AGENT, order, 20_000)).state == "succeeded"
    assert await world.balance(wallet) == (50_000, 0)
    await check(world.database)


async def test_cash_goes_back_into_a_wallet_only(world: World) -> None:
    wallet = await world.wallet()
    order = await world.order(50_000, terms="cod")
    await world.deliver(order, collected=50_000)
    with pytest.raises(Invalid) as refused:
        await ask(world, AGENT, order, 5_000)
    assert refused.value.errors[0].pointer == "/destination"
    asked = await ask(world, AGENT, order, 5_000, destination="wallet", wallet_id=wallet)
    assert asked.state == "succeeded"
    await check(world.database)


async def test_what_cannot_be_refunded_is_refused_by_field(world: World) -> None:
    order = await captured(world, 50_000)
    found = await world.payment(order)
    for money, pointer in (
        (Money(minor=50_001, currency="THB"), "/amount/minor"),
        (Money(minor=0, currency="THB"), "/amount/minor"),
        (Money(minor=100, currency="VND"), "/amount/currency"),
    ):
        wanted = RefundIn(payment_id=found.id, amount=money, reason="broken")
        with pytest.raises(Invalid) as refused:
            async with world.database.unit_of_work() as session:
                await service.request_refund(session, AGENT, wanted)
        assert refused.value.errors[0].pointer == pointer
    unpaid = await world.order(50_000)
    with pytest.raises(WrongState):
        await ask(world, AGENT, unpaid, 1)


async def test_who_may_not_see_a_payment_cannot_refund_it(world: World) -> None:
    order = await captured(world)
    with pytest.raises(NoSuchPayment):
        await ask(world, FOREIGN_LEAD, order, 1)
    with pytest.raises(Denied):
        await ask(world, MANAGER, order, 1)
    await ask(world, AGENT, order, 1)
    async with world.database.unit_of_work() as session:
        seen = await service.list_refunds(session, MANAGER, RefundFilter())
        hidden = await service.list_refunds(session, FOREIGN_LEAD, RefundFilter())
    assert (len(seen.items), len(hidden.items)) == (1, 0)


def test_every_currency_has_its_limits() -> None:
    for currency in EXPONENTS:
        assert 0 < refund_limit(currency, lead=False) < refund_limit(currency, lead=True)
    told = service.refund_limit(AGENT, "TH-10", "THB")
    assert told.limit is not None
    assert (told.limit.minor, told.may_approve) == (AGENT_LIMIT, False)
    assert service.refund_limit(MANAGER, "TH-10", "THB").limit is None
    assert service.refund_limit(SYSTEM, "TH-10", "THB").may_approve
