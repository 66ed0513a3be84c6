"""What support does about an order: each action by its owner's rules, once for each key."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from backend.dispatch import service as dispatch
from backend.dispatch.errors import Moved, NoSuchOrder, WrongState
from backend.dispatch.rules import Action
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import SYSTEM, AuditFilter, Principal
from backend.identity.service import Denied, list_audit
from backend.payments import service as payments
from backend.payments.credits import OverCredit
from backend.payments.wallets import NoSuchWallet
from backend.platform import clock
from backend.platform.errors import Conflict, DomainError, Forbidden, Invalid
from backend.platform.resources import Resources
from backend.support import service
from backend.support.case_schemas import CaseActionDone, CaseActionIn
from tests.dispatch.city import driver
from tests.dispatch.orders import advance, place_order
from tests.incidents.world import raised
from tests.payments.world import World
from tests.tracking.fleet import hire, somebody

from .test_cases import VIEWER, paid, prepaid
from .world import AGENT, FOREIGNER, LEAD, MANAGER, look, opened

THB = {"minor": 10_000, "currency": "THB"}


async def act(
    resources: Resources,
    order: OrderOut,
    kind: str,
    who: Principal = AGENT,
    key: str = "key-0001",
    **more: Any,
) -> CaseActionDone:
    wanted = CaseActionIn.model_validate(
        {"kind": kind, "reason": "Customer asks", "key": key, **more}
    )
    async with resources.database.unit_of_work() as session:
        return await service.act_on_case(session, who, order.number, wanted)


async def state(resources: Resources, order: OrderOut) -> OrderOut:
    async with resources.database.unit_of_work() as session:
        return await dispatch.get_order(session, SYSTEM, order.id)


async def steps(resources: Resources, order: OrderOut) -> list[str]:
    async with resources.database.unit_of_work() as session:
        return [each.type for each in await dispatch.order_history(session, SYSTEM, order.id)]


async def twice(resources: Resources, order: OrderOut, kind: str, **more: Any) -> CaseActionDone:
    """The same action with the same key two times: the second answers the first."""
    first = await act(resources, order, kind, **more)
    again = await act(resources, order, kind, **more)
    assert (first.repeated, again.repeated) == (False, True)
    assert (again.summary, again.data) == (first.summary, first.data)
    return first


async def test_hold_release_and_cancel_apply_once_for_each_key(resources: Resources) -> None:
    order = await place_order(resources)
    done = await twice(resources, order, "hold", key="hold-0001", seen_version=order.version)
    assert done.summary == "Put on hold."
    await twice(resources, order, "release", key="release-1")
    await twice(resources, order, "cancel", key="cancel-01")
    kinds = await steps(resources, order)
    assert [kind for kind in kinds if kind != "order.created"][-3:] == [
        "order.held", "order.released", "order.cancelled",
    ]  # fmt: skip


async def test_an_action_is_recorded_with_its_reason(resources: Resources) -> None:
    order = await place_order(resources)
    await act(resources, order, "hold")
    async with resources.database.unit_of_work() as session:
        [entry] = await list_audit(session, SYSTEM, AuditFilter(action="case.hold"))
    assert (entry.actor, entry.reason, entry.object) == (
        AGENT.id, "Customer asks", f"order:{order.id}",
    )  # fmt: skip


async def test_a_key_serves_one_request_alone(resources: Resources) -> None:
    order = await place_order(resources)
    await act(resources, order, "hold")
    with pytest.raises(Invalid, match="used with another request"):
        await act(resources, order, "release")
    other = await place_order(resources)
    with pytest.raises(Invalid):
        await act(resources, other, "hold")
    # Another person's keys are their own.
    await act(resources, other, "hold", MANAGER)


async def test_what_was_not_seen_is_not_overwritten(resources: Resources) -> None:
    order = await place_order(resources)
    await act(resources, order, "hold", MANAGER)
    with pytest.raises(Moved, match="Nok, held"):
        await act(resources, order, "cancel", seen_version=order.version)
    with pytest.raises(WrongState):
        await act(resources, order, "hold", key="key-0002")
    assert (await state(resources, order)).state == "on_hold"


@pytest.mark.parametrize("kind", ["hold", "cancel", "refund", "message_customer"])
async def test_nobody_acts_where_they_may_not(resources: Resources, kind: str) -> None:
    order = await prepaid(resources)
    more = {"text": "Hello", "amount": THB}
    with pytest.raises(NoSuchOrder):
        await act(resources, order, kind, FOREIGNER, **more)
    with pytest.raises((Denied, DomainError)):
        await act(resources, order, kind, VIEWER, **more)
    assert (await state(resources, order)).state == "ready"


async def test_an_agent_gives_an_order_to_another_driver(resources: Resources) -> None:
    order = await place_order(resources)
    first, second = await driver(resources), await driver(resources)
    await advance(resources, order.id, Action.ASSIGN, driver=first)
    with pytest.raises(Invalid) as missing:
        await act(resources, order, "reassign")
    assert missing.value.errors[0].pointer == "/driver_id"
    await twice(resources, order, "reassign", driver_id=str(second))
    assert (await state(resources, order)).driver_id == second
    assert (await steps(resources, order)).count("order.reassigned") == 1


async def test_drop_and_window_change(resources: Resources) -> None:
    order = await place_order(resources)
    with pytest.raises(Invalid):
        await act(resources, order, "change_drop")
    await twice(
        resources, order, "change_drop", address="99 Silom Road", point=[13.7262, 100.5234],
        key="drop-0001",
    )  # fmt: skip
    opens = clock.now() + timedelta(hours=1)
    window = [opens.isoformat(), (opens + timedelta(hours=2)).isoformat()]
    await twice(resources, order, "change_window", window=window, key="window-01")
    after = await state(resources, order)
    assert (after.drop["address"], after.drop["lat"]) == ("99 Silom Road", 13.7262)
    assert after.drop["window"][0] == opens
    past = [(opens - timedelta(days=2)).isoformat(), (opens - timedelta(days=1)).isoformat()]
    with pytest.raises(Invalid):
        await act(resources, order, "change_window", window=past, key="window-02")


async def test_a_new_code_is_sent_at_the_door_once(resources: Resources) -> None:
    phone = await hire(resources)
    order = await place_order(resources)
    way = [Action.ASSIGN, Action.ACCEPT, Action.REACH_PICKUP, Action.PICK_UP, Action.DEPART]
    await advance(resources, order.id, *way, driver=phone.id)
    with pytest.raises(WrongState):
        await act(resources, order, "resend_otp")
    await advance(resources, order.id, Action.ARRIVE, driver=phone.id)
    done = await twice(resources, order, "resend_otp", key="code-0001")
    assert done.data == {"step": "drop"}
    with pytest.raises(DomainError) as soon:
        await act(resources, order, "resend_otp", key="code-0002")
    assert soon.value.status == 429


async def test_a_refund_is_asked_for_once_and_only_of_the_orders_payments(
    resources: Resources,
) -> None:
    phone = await hire(resources)
    order = await prepaid(resources)
    other = await prepaid(resources)
    with pytest.raises(Invalid):
        await act(resources, order, "refund", amount=THB)
    way = [Action.ASSIGN, Action.ACCEPT, Action.REACH_PICKUP, Action.PICK_UP, Action.DEPART]
    for each in (order, other):
        await advance(resources, each.id, *way, Action.ARRIVE, Action.DELIVER, driver=phone.id)
    await paid(resources)
    async with resources.database.unit_of_work() as session:
        theirs = (await payments.order_payments(session, SYSTEM, other.number)).payments[0]
    with pytest.raises(Invalid) as strange:
        await act(resources, order, "refund", amount=THB, payment_id=str(theirs.id))
    assert strange.value.errors[0].pointer == "/payment_id"
    done = await twice(resources, order, "refund", amount=THB, key="refund-01")
    assert done.summary == "Refund of 100.00 THB is on its way."
    async with resources.database.unit_of_work() as session:
        [refund] = (await payments.order_payments(session, SYSTEM, order.number)).refunds
    assert (refund.amount.minor, refund.reason) == (10_000, "Customer asks")
    with pytest.raises(Invalid):
        await act(resources, order, "refund", amount=THB, key="refund-02")


async def test_goodwill_goes_into_a_wallet_once_and_within_the_limit(
    resources: Resources,
) -> None:
    world = World(resources)
    wallet = await world.wallet()
    order = await place_order(resources)
    await paid(resources)
    with pytest.raises(Invalid) as unnamed:
        await act(resources, order, "credit_wallet", amount=THB)
    assert unnamed.value.errors[0].pointer == "/wallet_id"
    into = {"wallet_id": str(wallet)}
    await twice(resources, order, "credit_wallet", amount=THB, key="credit-01", **into)
    assert await world.balance(wallet) == (10_000, 0)
    much = {"minor": 95_000, "currency": "THB"}
    with pytest.raises(OverCredit, match=r"1,000\.00 THB for one order; 900\.00 THB of it"):
        await act(resources, order, "credit_wallet", amount=much, key="credit-02", **into)
    await act(resources, order, "credit_wallet", LEAD, amount=much, key="credit-03", **into)
    assert await world.balance(wallet) == (105_000, 0)
    with pytest.raises(NoSuchWallet):
        await act(
            resources, order, "credit_wallet", amount=THB, key="credit-04",
            wallet_id=str(UUID(int=7)),
        )  # fmt: skip
    for wrong in ({"minor": 100, "currency": "INR"}, {"minor": 0, "currency": "THB"}):
        with pytest.raises(Invalid):
            await act(resources, order, "credit_wallet", amount=wrong, key="credit-05", **into)
    async with resources.database.unit_of_work() as session:
        assert (await payments.check_ledger(session, SYSTEM)).faults == []


async def test_a_marketplace_gives_none_of_our_money_to_a_wallet(resources: Resources) -> None:
    world = World(resources)
    wallet = await world.wallet()
    order = await place_order(resources)
    await paid(resources)
    named = frozenset({"orders:read", "refunds:write", "payments:read"})
    shop = Principal("service", order.merchant, "shop", permissions=named, regions=("*",))
    with pytest.raises(Forbidden, match="own money"):
        await act(resources, order, "credit_wallet", shop, amount=THB, wallet_id=str(wallet))
    assert await world.balance(wallet) == (0, 0)


async def test_two_at_once_give_no_more_than_the_limit_for_an_order_without_payments(
    resources: Resources,
) -> None:
    world = World(resources)
    wallet = await world.wallet()
    order = await place_order(resources)
    much = {"amount": {"minor": 60_000, "currency": "THB"}, "wallet_id": str(wallet)}
    done = await asyncio.gather(
        *(act(resources, order, "credit_wallet", key=f"at-once-{n}", **much) for n in range(4)),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in done) == ["CaseActionDone"] + ["OverCredit"] * 3
    assert await world.balance(wallet) == (60_000, 0)


async def test_customer_and_driver_are_written_to_once(resources: Resources) -> None:
    order = await place_order(resources)
    with pytest.raises(Conflict, match="Nobody has the order"):
        await act(resources, order, "message_driver", text="Please ring twice.")
    with pytest.raises(Invalid):
        await act(resources, order, "message_customer")
    await twice(resources, order, "message_customer", text="Sorry for the wait.", key="text-0001")
    await advance(resources, order.id, Action.ASSIGN, driver=(await hire(resources)).id)
    await twice(resources, order, "message_driver", text="Please ring twice.", key="text-0002")
    async with resources.database.unit_of_work() as session:
        written = (await service.case_of(session, AGENT, order.number)).messages
    assert sorted(each.to for each in written) == ["customer", "driver"]
    more = await act(resources, order, "message_customer", text="Soon.", channel="sms")
    assert more.summary == "Message to the customer by SMS: queued."


async def test_a_ticket_of_the_order_is_linked_to_an_incident(resources: Resources) -> None:
    order = await place_order(resources)
    incident = await raised(resources)
    with pytest.raises(Conflict, match="no unsolved ticket"):
        await act(resources, order, "link_incident", incident=incident.number)
    ticket = await opened(resources, order=order)
    await twice(resources, order, "link_incident", incident=incident.number, key="link-0001")
    assert (await look(resources, ticket.id)).incident_number == incident.number


async def test_an_action_over_http_asks_for_reason_and_key(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    headers = await somebody(resources, "support_agent", "TH-10")
    path = f"/api/v1/orders/{order.number}/case/actions"
    whole = {"kind": "hold", "reason": "Customer asks", "key": "key-0001"}
    for left_out in whole:
        body = {name: value for name, value in whole.items() if name != left_out}
        assert (await client.post(path, json=body, headers=headers)).status_code == 422
    for wrong in ({"reason": "  "}, {"key": "short"}, {"kind": "explode"}, {"template": "note"}):
        answer = await client.post(path, json={**whole, **wrong}, headers=headers)
        assert answer.status_code == 422, wrong
    answer = await client.post(path, json=whole, headers=headers)
    assert (answer.status_code, answer.json()["repeated"]) == (200, False)
    assert (await client.post(path, json=whole, headers=headers)).json()["repeated"] is True


async def test_two_at_once_with_one_key_act_once(resources: Resources) -> None:
    order = await place_order(resources)
    tries = [act(resources, order, "hold", key="together") for _ in range(4)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(each, CaseActionDone | Conflict) for each in results), results
    assert (await steps(resources, order)).count("order.held") == 1
    async with resources.database.unit_of_work() as session:
        kept = await session.scalar(text("SELECT count(*) FROM platform_idempotency"))
    assert kept == 1
