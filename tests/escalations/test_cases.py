"""An order's case: one timeline of all that happened, what the customer sees, what can be done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.dispatch.errors import NoSuchOrder
from backend.dispatch.rules import Action
from backend.dispatch.schemas import OrderOut
from backend.flags.demo import seed as seed_flags
from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.payments import consumers as paying
from backend.platform import clock
from backend.platform.consumers import Consumer
from backend.platform.outbox import relay_once
from backend.platform.resources import Resources
from backend.support import service
from backend.support.case_schemas import Case
from tests.dispatch.orders import advance, order_body, place_order
from tests.incidents.world import raised
from tests.payments.world import World
from tests.tracking.fleet import BANGKOK, fix, hire, send, somebody, work_off

from .world import AGENT, FOREIGNER, answer, opened

VIEWER = Principal("user", "user:vi", "Vi", (GrantScope("viewer", "TH"),))


async def look(resources: Resources, order: OrderOut, principal: Principal = AGENT) -> Case:
    async with resources.database.unit_of_work() as session:
        return await service.case_of(session, principal, order.number)


async def paid(resources: Resources) -> None:
    """Payments hear of the orders, and the gateway does its part."""
    consumer = Consumer(resources, paying.GROUP, paying.HANDLERS)
    await consumer.prepare()
    while await relay_once(resources.database, resources.events):
        pass
    while await consumer.turn(wait_ms=1):
        pass
    await World(resources).settle()


def words(case: Case) -> str:
    return "\n".join(f"{each.source}: {each.words}" for each in case.moments)


async def prepaid(resources: Resources, method: str = "sandbox:ok") -> OrderOut:
    payment = {**order_body()["payment"], "method": method, "gateway": "sandbox"}
    order = await place_order(resources, payment=payment)
    await paid(resources)
    return order


async def test_one_timeline_tells_all_that_happened(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    phone = await hire(resources, name="Somchai")
    order = await prepaid(resources)
    await advance(resources, order.id, Action.ASSIGN, driver=phone.id)
    began = clock.now() - timedelta(minutes=4, seconds=50)
    fixes = [fix(began + timedelta(seconds=20 * n), lat=BANGKOK[0] + n * 0.001) for n in range(14)]
    await send(client, phone, fixes)
    await work_off(resources)
    ticket = await opened(resources, order=order, subject="Where is it")
    await answer(resources, ticket, text="It comes.", then="solved")
    incident = await raised(resources, service="dispatch", title="Orders wait")
    case = await look(resources, order)
    told = words(case)
    for expected in (
        "dispatch: Order taken in",
        f"dispatch: Assigned to {phone.code}",
        f"position: {phone.code} drove 1.4 km in 4 min",
        "payment: Payment opened, 125.00 THB",
        "payment: Authorisation asked, 125.00 THB (succeeded)",
        "support: ESC-1 opened: Where is it",
        "support: ESC-1 solved: Where is it",
        "message: Message to the customer: support reply",
        f"incident: {incident.number} began: Orders wait",
    ):
        assert expected in told, f"{expected!r} is not told in\n{told}"
    assert [each.at for each in case.moments] == sorted(each.at for each in case.moments)
    assert len({each.id for each in case.moments}) == len(case.moments)
    assert case.driver is not None
    assert (case.driver.code, case.driver.phone) == (phone.code, None)
    assert [each.number for each in case.escalations] == ["ESC-1"]
    assert [(each.number, each.linked) for each in case.incidents] == [(incident.number, False)]


async def test_only_incidents_that_touched_the_order_are_told(resources: Resources) -> None:
    order = await prepaid(resources)
    payments, elsewhere = await raised(resources), await raised(resources, "b", region="VN-SG")
    case = await look(resources, order)
    assert case.incidents == []
    assert [each.number for each in case.incidents_nearby] == [payments.number]
    assert "incident:" not in words(case)
    # Another one may have to do with it all the same, and then a ticket says so.
    ticket = await opened(resources, order=order)
    linkable = next(each for each in case.actions if each.kind == "link_incident")
    assert linkable.choices["incident"] == [payments.number]
    async with resources.database.unit_of_work() as session:
        await service.link_incident(
            session, AGENT, ticket.id, payments.number, seen_version=ticket.version
        )
    case = await look(resources, order)
    assert [(each.number, each.linked, each.how) for each in case.incidents] == [
        (payments.number, True, None)
    ]
    assert case.incidents_nearby == []
    assert elsewhere.number not in case.model_dump_json()


async def test_a_linked_incident_is_told_though_it_was_over_before_the_order(
    resources: Resources,
) -> None:
    before = await raised(resources)
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE incidents_incident SET resolved_at = :at, impact_started_at = :at"),
            {"at": clock.now() - timedelta(hours=5)},
        )
    order = await prepaid(resources)
    ticket = await opened(resources, order=order)
    assert (await look(resources, order)).incidents_nearby == []
    async with resources.database.unit_of_work() as session:
        await service.link_incident(
            session, AGENT, ticket.id, before.number, seen_version=ticket.version
        )
    [told] = (await look(resources, order)).incidents
    assert (told.number, told.linked) == (before.number, True)


async def test_a_failed_payment_is_touched_by_the_incident_of_its_time(
    resources: Resources,
) -> None:
    order = await prepaid(resources, "sandbox:decline")
    during = await raised(resources)
    [told] = (await look(resources, order)).incidents
    assert (told.number, told.how) == (during.number, "its payment failed then")


async def test_what_the_customer_sees_stands_beside_it_and_contacts_are_masked(
    resources: Resources,
) -> None:
    order = await place_order(resources)
    case = await look(resources, order)
    assert case.tracking is not None
    assert (case.tracking.number, case.tracking.steps[0].mark) == (order.number, "now")
    shown = case.model_dump_json()
    for secret in ("Malee", "Srisuk", "+66812345678", "+6621234567"):
        assert secret not in shown
    assert (case.reveals.used, case.reveals.limit) == (0, 60)
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE dispatch_order SET state = 'delivered', ended_at = :at"),
            {"at": clock.now() - timedelta(days=30)},
        )
    assert (await look(resources, order)).tracking is None


async def test_flags_in_force_are_those_of_the_orders_place(resources: Resources) -> None:
    order = await place_order(resources)
    async with resources.database.unit_of_work() as session:
        await seed_flags(session, SYSTEM)
    case = await look(resources, order)
    assert {"automatic-matching", "payment-gateways"} <= {each.key for each in case.flags}
    assert any(each.variant == "differs by person" for each in case.flags)
    assert all(each.variant and each.reason for each in case.flags)
    # The demo kills one of its flags as soon as it has begun.
    [killed] = [each for each in case.moments if each.kind == "kill"]
    assert (killed.source, killed.link) == ("flag", "/flags/driver-heatmap")
    assert killed.words.startswith("Flag driver-heatmap changed")


async def test_an_agent_of_another_region_learns_nothing(resources: Resources) -> None:
    order = await place_order(resources)
    with pytest.raises(NoSuchOrder):
        await look(resources, order, FOREIGNER)


async def test_who_may_see_less_is_told_less(resources: Resources) -> None:
    order = await prepaid(resources)
    await opened(resources, order=order)
    case = await look(resources, order, VIEWER)
    assert (case.payments, case.messages, case.escalations) == (None, [], [])
    assert {each.source for each in case.moments} == {"dispatch"}
    assert not any(each.allowed for each in case.actions)
    assert case.actions
    assert all(each.why_not for each in case.actions)


async def allowed(resources: Resources, order: OrderOut, who: Principal = AGENT) -> dict[str, Any]:
    return {each.kind: each.why_not for each in (await look(resources, order, who)).actions}


async def test_actions_say_why_they_are_not_allowed(resources: Resources) -> None:
    order = await place_order(resources)
    told = await allowed(resources, order)
    assert [kind for kind, why in told.items() if why is None] == [
        "hold", "cancel", "change_drop", "change_window", "credit_wallet", "message_customer",
    ]  # fmt: skip
    assert told["release"] == "The order is ready and not on hold."
    assert told["resend_otp"] == "The order is ready: no code is due now."
    assert told["refund"] == "Nothing that was captured is left to refund."
    assert told["message_driver"] == "Nobody has the order."
    assert told["link_incident"] == "There is no unsolved ticket about the order to link."


async def test_actions_follow_the_orders_state(resources: Resources) -> None:
    phone = await hire(resources)
    order = await prepaid(resources)
    await advance(resources, order.id, Action.ASSIGN, driver=phone.id)
    told = await allowed(resources, order)
    assert told["reassign"] is None
    assert told["message_driver"] is None
    steps = [Action.ACCEPT, Action.REACH_PICKUP, Action.PICK_UP, Action.DEPART, Action.ARRIVE]
    await advance(resources, order.id, *steps, driver=phone.id)
    told = await allowed(resources, order)
    assert told["resend_otp"] is None
    assert told["cancel"] == "The order is arrived: only before pickup can it be cancelled."
    await advance(resources, order.id, Action.DELIVER, driver=phone.id)
    await paid(resources)
    case = await look(resources, order)
    refund = next(each for each in case.actions if each.kind == "refund")
    assert case.payments is not None
    assert refund.choices == {"payment_id": [str(case.payments.payments[0].id)]}
    assert refund.needs == ["payment_id", "amount"]
    told = {each.kind: each.why_not for each in case.actions}
    assert told["change_drop"] == "The order is delivered: nothing of it can change."


async def test_a_case_is_read_over_http(client: httpx.AsyncClient, resources: Resources) -> None:
    order = await place_order(resources)
    agent = await somebody(resources, "support_agent", "TH-10")
    foreigner = await somebody(resources, "support_lead", "IN-KA")
    path = f"/api/v1/orders/{order.number}/case"
    found = await client.get(path, headers=agent)
    assert found.status_code == 200
    assert found.json()["order"]["number"] == order.number
    assert (await client.get(path, headers=foreigner)).status_code == 404
