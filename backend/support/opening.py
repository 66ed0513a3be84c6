"""How escalations come about: by hand, by the customer, and by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity import service as identity
from backend.identity.schemas import SYSTEM, Principal
from backend.incidents import service as incidents
from backend.incidents.schemas import IncidentFilter
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid
from backend.platform.ids import uuid7
from backend.regions import service as regions
from backend.support import agents, repository, views
from backend.support.changes import WRITE, actor_of, recorded, tell, touch
from backend.support.clock_rules import FAR_OFF
from backend.support.clocks import set_clocks
from backend.support.models import EscalationTable
from backend.support.repository import number_of
from backend.support.rules import Kind, Priority, State
from backend.support.schemas import EscalationIn, EscalationRow, Origin

CUSTOMER = ("customer", "Customer")
_SERVICES = {Kind.PAYMENT: "payments", Kind.OTP: "notifications", Kind.LATE: "dispatch"}
"""What has failed where an escalation of this kind opens by itself."""


async def open_escalation(
    session: AsyncSession, principal: Principal, wanted: EscalationIn
) -> EscalationRow:
    """Open one by hand; needs `escalations:write` where the order or `region` is.

    Raises NoSuchOrder, and Invalid for a region that there is not.
    """
    identity.authorize(principal, WRITE)
    await repository.await_turn(session)
    if wanted.key is not None:
        first = await repository.opened_under(session, principal.id, wanted.key)
        if first is not None:
            return views.row_out(first)
    order, region = None, wanted.region
    if wanted.order_number is not None:
        seen = await dispatch.get_order(session, principal, wanted.order_number)
        order = await dispatch.customers_order(session, seen.id)
        assert order is not None
        region = order.region
    if region is None or region not in await regions.region_codes(session):
        detail = "Name an order, or a region that there is."
        raise Invalid(detail, errors=[FieldError("/region", "unknown_region", detail)])
    identity.authorize(principal, WRITE, region)
    row = await new_escalation(
        session, principal, kind=wanted.kind, priority=wanted.priority, subject=wanted.subject,
        region=region, order=order, origin="agent", key=wanted.key,
    )  # fmt: skip
    if wanted.on_behalf == "customer":
        repository.write(session, row, "customer", CUSTOMER, wanted.text, taken_by=principal.name)
        row.customer_waits = True
    else:
        repository.write(session, row, "note", actor_of(principal), wanted.text)
    await recorded(session, principal, row, "opened", kind=row.kind, order=row.order_number)
    return views.row_out(row)


async def new_escalation(
    session: AsyncSession,
    principal: Principal,
    *,
    kind: Kind,
    priority: Priority,
    subject: str,
    region: str,
    order: dispatch.CustomersOrder | None,
    origin: Origin,
    at: datetime | None = None,
    key: str | None = None,
) -> EscalationTable:
    """A fresh escalation with its clocks, its first entry, its agent and its event."""
    now = at or clock.now()
    row = EscalationTable(
        id=uuid7(), kind=kind, priority=priority, state=State.OPEN, subject=subject, region=region,
        order_id=order.id if order else None, order_number=order.number if order else None,
        origin=origin, key=key, opened_by=principal.id, opened_by_name=principal.name,
        opened_at=now, last_at=now, first_response_due=now, due_at=FAR_OFF, warn_at=FAR_OFF,
        changed_by_name=principal.name, changed_what="opened it", changed_at=now,
    )  # fmt: skip
    await repository.add(session, row)
    actor = CUSTOMER if origin == "customer" else actor_of(principal)
    repository.write(session, row, "opened", actor, f"{number_of(row)} opened.", at=now)
    await set_clocks(session, row)
    await tell(session, principal, row, "escalation.opened", origin=origin, subject=subject)
    await agents.give_in_turn(session, row)
    return row


async def open_automatically(
    session: AsyncSession,
    order: dispatch.CustomersOrder,
    kind: Kind,
    priority: Priority,
    subject: str,
    why: str,
    *,
    at: datetime,
    key: str,
) -> EscalationTable | None:
    """Open one for an order in trouble, or add to what is open about the same.

    There is one unsolved escalation of an order about a thing. An incident that is open on what
    failed there takes it. Answers the new one.
    """
    await repository.await_turn(session)
    there = await repository.unsolved_of_order(session, order.id, kind)
    if there is not None:
        if await repository.entry_of_key(session, there.id, key) is None:
            actor = actor_of(SYSTEM)
            repository.write(session, there, "more", actor, f"Again: {why}", at=at, key=key)
        return None
    row = await new_escalation(
        session, SYSTEM, kind=kind, priority=priority, subject=subject, region=order.region,
        order=order, origin="system",
    )  # fmt: skip
    repository.write(session, row, "note", actor_of(SYSTEM), why, at=at, key=key)
    await _hang_on_incident(session, row, kind)
    return row


async def _hang_on_incident(session: AsyncSession, row: EscalationTable, kind: Kind) -> None:
    service = _SERVICES.get(kind)
    if service is None:
        return
    wanted = IncidentFilter(service=service, region=row.region)
    found = (await incidents.list_incidents(session, SYSTEM, wanted, limit=1)).items
    if found:
        row.incident_id, row.incident_number = found[0].id, found[0].number
        touch(row, SYSTEM, f"linked it to {found[0].number}")
        words = f"Linked to {found[0].number}: {found[0].title}"
        repository.write(session, row, "incident", actor_of(SYSTEM), words)


Heard = Literal["new", "known"]


async def hear_customer(
    session: AsyncSession, row: EscalationTable, text: str, key: str | None
) -> Heard:
    """Write down what a customer says; `known` where it was said under this key before."""
    if key is not None and await repository.entry_of_key(session, row.id, key) is not None:
        return "known"
    repository.write(session, row, "customer", CUSTOMER, text, key=key)
    row.customer_waits = True
    return "new"
