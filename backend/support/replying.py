"""Answers to customers and notes among ourselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity.schemas import SYSTEM, Principal
from backend.notifications import service as notifications
from backend.notifications.message_schemas import Kind as MessageKind
from backend.notifications.message_schemas import MessageIn
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid, NotNow
from backend.regions import service as regions
from backend.support import filling, repository, views
from backend.support.changes import (
    actor_of,
    expect,
    put_into,
    recorded,
    tell,
    to_change,
    touch,
)
from backend.support.clocks import set_clocks
from backend.support.models import EscalationTable
from backend.support.repository import number_of
from backend.support.rules import UNSOLVED, State, WaitingOn
from backend.support.schemas import EntryOut, EscalationRow, ReplyIn

MOST_SENT = 2000
"""Characters that a message to a customer holds."""
_STILL_LISTENING = timedelta(hours=1)
"""Who wrote just now is answered now, even at night; everybody else after their quiet hours."""


async def reply(
    session: AsyncSession, principal: Principal, escalation_id: UUID, wanted: ReplyIn
) -> EscalationRow:
    """Answer the customer, and put the escalation into `then`; the first answer stops its clock.

    The caller's draft is forgotten with it, nobody else's. Raises MovedOn saying who did what,
    NotNow where there is no order and so nobody to answer, Invalid for what cannot be filled in.
    """
    row = await to_change(session, principal, escalation_id)
    key = f"reply:{principal.id}:{wanted.key}" if wanted.key else None
    if key is not None and await repository.entry_of_key(session, row.id, key) is not None:
        return views.row_out(row)
    expect(row, wanted.seen_version)
    await say(
        session, principal, row, wanted.text, then=wanted.then, waiting_on=wanted.waiting_on,
        key=key,
    )  # fmt: skip
    await repository.drop_draft(session, row.id, principal.id)
    await recorded(session, principal, row, "replied")
    return views.row_out(row)


async def say(
    session: AsyncSession,
    principal: Principal,
    row: EscalationTable,
    text: str,
    *,
    then: State | None = None,
    waiting_on: WaitingOn | None = None,
    key: str | None = None,
    kind: str = "reply",
) -> None:
    """Send an answer to the customer of a locked escalation and write it down."""
    if row.state == State.CLOSED:
        raise NotNow(f"{number_of(row)} is closed; open it again to answer.")
    order = await dispatch.customers_order(session, row.order_id) if row.order_id else None
    if order is None:
        raise NotNow(f"{number_of(row)} has no order, and so nobody to answer.")
    words = filling.fill(text, await _facts(session, principal, row, order, text))
    sent = filling.for_customer(words, order.first_name)
    if len(sent) > MOST_SENT:
        detail = f"An answer holds {MOST_SENT} characters; this has {len(sent)}."
        raise Invalid(detail, errors=[FieldError("/text", "too_long", detail)])
    touch(row, principal, "answered")
    message = await notifications.queue_message(
        session,
        principal,
        MessageIn(
            order_id=order.id,
            template=MessageKind.SUPPORT_REPLY,
            params={"text": sent},
            urgent=row.customer_waits and clock.now() - row.last_at < _STILL_LISTENING,
            dedup_key=f"esc:{row.id.hex}:{row.version}",
            escalation_id=row.id,
            incident_id=row.incident_id,
        ),
    )
    repository.write(
        session, row, kind, actor_of(principal), words, key=key, message_id=message.id,
        version=row.version,
    )  # fmt: skip
    row.customer_waits = row.ready_to_answer = False
    if row.first_response_at is None:
        row.first_response_at = clock.now()
        await set_clocks(session, row)
    await tell(session, principal, row, "escalation.replied", message_id=str(message.id))
    if then is not None and (then in UNSOLVED or row.state in UNSOLVED):
        await step_to(session, principal, row, then, waiting_on)


async def step_to(
    session: AsyncSession,
    principal: Principal,
    row: EscalationTable,
    state: State,
    waiting_on: WaitingOn | None = None,
    note: str | None = None,
) -> bool:
    """Put a locked escalation into a state and write it into its timeline."""
    former = row.state
    if not await put_into(session, principal, row, state, waiting_on=waiting_on):
        return False
    on = f" on the {row.waiting_on.replace('_', ' ')}" if row.waiting_on else ""
    words = {State.OPEN: "Open again", State.PENDING: f"Waiting{on}"}.get(state, state.title())
    repository.write(
        session, row, "state", actor_of(principal), f"{words}: {note}" if note else f"{words}.",
        former=former, state=state,
    )  # fmt: skip
    return True


async def _facts(
    session: AsyncSession,
    principal: Principal,
    row: EscalationTable,
    order: dispatch.CustomersOrder,
    text: str,
) -> Mapping[str, str]:
    facts = {"number": order.number, "agent": principal.name.split(maxsplit=1)[0]}
    if row.incident_number is not None:
        facts["incident"] = row.incident_number
    if "{eta}" in text:
        at = order.eta_at or order.promised_at
        region = (await regions.directory(session, SYSTEM)).get(order.region)
        zone = ZoneInfo((region.time_zone if region else None) or "UTC")
        facts["eta"] = f"{at.astimezone(zone):%H:%M}"
    return facts


async def add_note(
    session: AsyncSession,
    principal: Principal,
    escalation_id: UUID,
    text: str,
    *,
    key: str | None = None,
) -> EntryOut:
    """Write into the timeline; no customer reads it, and nothing is overwritten by it.

    A second note with the same `key` is the first.
    """
    row = await to_change(session, principal, escalation_id)
    key = f"note:{principal.id}:{key}" if key else None
    if key is not None:
        there = await repository.entry_of_key(session, row.id, key)
        if there is not None:
            return views.entry_out(there)
    entry = repository.write(session, row, "note", actor_of(principal), text, key=key)
    await recorded(session, principal, row, "noted")
    return views.entry_out(entry)
