"""Who works on escalations in the tests, and how they come about there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import GrantScope, Principal
from backend.notifications import service as notifications
from backend.platform import clock
from backend.platform.consumers import Consumer
from backend.platform.outbox import Event, emit, relay_once
from backend.platform.resources import Resources
from backend.support import service, sweeps
from backend.support.consumers import GROUP, HANDLERS
from backend.support.schemas import (
    EscalationDetail,
    EscalationFilter,
    EscalationIn,
    EscalationRow,
    ReplyIn,
)
from tests.dispatch.orders import link_of, place_order
from tests.identity.conftest import enrolled


def person(name: str, role: str, region: str = "*") -> Principal:
    """Somebody with a role in a region."""
    return Principal("user", f"user:{name}", name.title(), (GrantScope(role, region),))


ADMIN = person("ada", "admin")
LEAD = person("lek", "support_lead", "TH")
AGENT = person("ann", "support_agent", "TH-10")
OTHER = person("ben", "support_agent", "TH-10")
MANAGER = person("nok", "fleet_manager", "TH-10")
FOREIGNER = person("ravi", "support_agent", "IN-KA")


async def colleague(resources: Resources, name: str, role: str, region: str) -> Principal:
    """Somebody whom the directory knows, and so whom things can be given to."""
    grant = GrantScope(role, region)
    async with resources.database.unit_of_work() as session:
        person_id = await enrolled(session, name, grant)
    return Principal("user", f"user:{person_id}", name, (grant,))


async def do(resources: Resources, verb: Any, principal: Principal, *args: Any, **more: Any) -> Any:
    """Call a verb in a unit of work of its own."""
    async with resources.database.unit_of_work() as session:
        return await verb(session, principal, *args, **more)


async def by_link(resources: Resources, verb: Any, token: str, *args: Any, **more: Any) -> Any:
    """Call a customer's verb in a unit of work of its own."""
    async with resources.database.unit_of_work() as session:
        return await verb(session, token, *args, **more)


def token_of(order: OrderOut) -> str:
    """The secret of the customer's link."""
    return link_of(order).rpartition("/")[2]


def wanted(**changes: Any) -> EscalationIn:
    """An escalation as an agent opens it."""
    facts = {
        "kind": "damaged", "subject": "The box is wet", "text": "The box came wet.", **changes
    }  # fmt: skip
    return EscalationIn.model_validate(facts)


async def opened(
    resources: Resources,
    principal: Principal = AGENT,
    order: OrderOut | None = None,
    **changes: Any,
) -> EscalationRow:
    """A fresh escalation of a fresh order."""
    order = order or await place_order(resources)
    asked = wanted(order_number=order.number, **changes)
    row: EscalationRow = await do(resources, service.open_escalation, principal, asked)
    return row


async def look(
    resources: Resources, escalation_id: UUID | str, principal: Principal = ADMIN
) -> EscalationDetail:
    """An escalation as it is now."""
    found: EscalationDetail = await do(resources, service.get_escalation, principal, escalation_id)
    return found


async def queue(
    resources: Resources, principal: Principal = ADMIN, **asked: Any
) -> list[EscalationRow]:
    """What somebody's queue shows."""
    async with resources.database.unit_of_work() as session:
        page = await service.list_escalations(
            session, principal, EscalationFilter(**asked), limit=200
        )
    return page.items


async def answer(
    resources: Resources, row: EscalationRow, principal: Principal = AGENT, **more: Any
) -> EscalationRow:
    """Answer the customer of an escalation as it was seen."""
    facts = {"text": "A new one is on its way.", "seen_version": row.version, **more}
    done: EscalationRow = await do(
        resources, service.reply, principal, row.id, ReplyIn.model_validate(facts)
    )
    return done


async def sent(resources: Resources, order: OrderOut) -> list[str]:
    """The answers that are in the outbox for an order's customer."""
    async with resources.database.unit_of_work() as session:
        messages = await notifications.messages_of_order(session, ADMIN, order.id)
        bodies = [
            await notifications.message_body(session, ADMIN, each.id)
            for each in messages
            if each.template == "support_reply"
        ]
    return [body.text for body in bodies]


async def happens(resources: Resources, kind: str, key: UUID, region: str, **data: Any) -> None:
    """Something is told, and support hears of it."""
    async with resources.database.unit_of_work() as session:
        await emit(session, Event(kind, str(key), "system", data, region))
    await hear(resources)


async def hear(resources: Resources) -> None:
    """Have support hear all that was told."""
    consumer = Consumer(resources, GROUP, HANDLERS)
    await consumer.prepare()
    while await relay_once(resources.database, resources.events):
        pass
    while await consumer.turn(wait_ms=1):
        pass


async def work(resources: Resources, *, later: timedelta = timedelta()) -> None:
    """Do what is due so much later."""
    now = clock.now() + later
    while await sweeps.sweep(resources.database, now):
        pass
    await sweeps.open_late(resources.database, now)


async def ago(resources: Resources, escalation_id: UUID, age: timedelta) -> None:
    """An escalation was opened, and all in it happened, so much earlier; clocks are set anew."""
    columns = ("opened_at", "last_at", "first_response_at", "solved_at", "changed_at")
    changes = ", ".join(f"{column} = {column} - CAST(:age AS interval)" for column in columns)
    async with resources.database.unit_of_work() as session:
        values = {"age": age, "id": escalation_id}
        await session.execute(
            text(f"UPDATE support_escalation SET {changes}, stale = true WHERE id = :id"), values
        )
        await session.execute(
            text(
                "UPDATE support_pause SET began_at = began_at - CAST(:age AS interval),"
                " ended_at = ended_at - CAST(:age AS interval)"
                " WHERE escalation_id = :id"
            ),
            values,
        )
    while await sweeps.sweep(resources.database):
        pass
