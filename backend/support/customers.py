"""What customers ask and read on the page of their order, by the right of its link alone."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity.schemas import Principal
from backend.platform import clock
from backend.platform.errors import NotNow
from backend.support import repository
from backend.support.changes import put_into, tell, touch
from backend.support.customer_schemas import CustomerConversation, CustomerSaid, HelpIn
from backend.support.filling import for_customer
from backend.support.models import EscalationTable
from backend.support.opening import hear_customer, new_escalation
from backend.support.rules import UNSOLVED, Kind, Priority, State

_CUSTOMER = Principal(kind="system", id="customer", name="Customer")
_SUBJECTS = {
    Kind.PAYMENT: "Trouble with the payment",
    Kind.LATE: "Where is the order?",
    Kind.OTP: "The code does not work",
    Kind.DAMAGED: "The parcel is damaged",
    Kind.ADDRESS: "The address has to change",
    Kind.DRIVER: "About the driver",
    Kind.REFUND: "Money back",
    Kind.OTHER: "A question",
}
_PRIORITIES = {
    Kind.PAYMENT: Priority.HIGH,
    Kind.OTP: Priority.HIGH,
    Kind.ADDRESS: Priority.HIGH,
    Kind.DAMAGED: Priority.HIGH,
}
_MOST_SAID = 100


async def open_by_customer(
    session: AsyncSession, token: str, wanted: HelpIn
) -> CustomerConversation:
    """A customer asks for help; what is open about the same goes on. Raises NoSuchLink.

    The same words again within the minute, as of a button pressed twice, are heard once.
    """
    order = await dispatch.order_of_link(session, token)
    await repository.await_turn(session)
    await _refuse_flood(session, order.id)
    row = await _asked_before(session, order.id, wanted.key)
    row = row or await repository.unsolved_of_order(session, order.id, wanted.kind)
    if row is None:
        row = await new_escalation(
            session, _CUSTOMER, kind=wanted.kind,
            priority=_PRIORITIES.get(wanted.kind, Priority.NORMAL),
            subject=_SUBJECTS[wanted.kind], region=order.region, order=order, origin="customer",
        )  # fmt: skip
    await _heard(session, row, wanted.text, wanted.key)
    return await _conversation(session, order)


async def _asked_before(
    session: AsyncSession, order_id: UUID, key: str | None
) -> EscalationTable | None:
    """The escalation in which this very word was heard, should it be solved since."""
    if key is None:
        return None
    return await repository.escalation_of_key(session, order_id, f"customer:{key}")


async def conversation_of_customer(session: AsyncSession, token: str) -> CustomerConversation:
    """All that was said on the order of a customer's link; raises NoSuchLink."""
    return await _conversation(session, await dispatch.order_of_link(session, token))


async def customer_says(
    session: AsyncSession, token: str, text: str, *, key: str | None = None
) -> CustomerConversation:
    """A customer goes on where we spoke last; what was solved opens again. Raises NoSuchLink.

    Where another is open about the same by now, that one goes on.
    """
    order = await dispatch.order_of_link(session, token)
    await repository.await_turn(session)
    row = await _asked_before(session, order.id, key)
    row = row or await _spoken_in(session, order.id)
    if row is None:
        return await open_by_customer(session, token, HelpIn(text=text, key=key))
    await _refuse_flood(session, order.id)
    await _heard(session, row, text, key)
    return await _conversation(session, order)


async def _spoken_in(session: AsyncSession, order_id: UUID) -> EscalationTable | None:
    row = await repository.newest_of_customer(session, order_id)
    if row is None or row.state in UNSOLVED:
        return row
    return await repository.unsolved_of_order(session, order_id, row.kind) or row


async def _heard(session: AsyncSession, row: EscalationTable, text: str, key: str | None) -> None:
    if key is None:
        minute = int(clock.now().timestamp() // 60)
        key = hashlib.sha256(f"{minute} {text}".encode()).hexdigest()
    if await hear_customer(session, row, text, f"customer:{key}") == "known":
        return
    if row.state in UNSOLVED and row.state != State.PENDING:
        touch(row, _CUSTOMER, "wrote")
    else:
        await put_into(session, _CUSTOMER, row, State.OPEN)
        row.customer_waits = True
        row.changed_what = "wrote"
    await tell(session, _CUSTOMER, row, "escalation.customer_wrote")


async def _refuse_flood(session: AsyncSession, order_id: UUID) -> None:
    said = await repository.said_of_order(session, order_id)
    if sum(entry.kind == "customer" for entry in said) >= _MOST_SAID:
        raise NotNow("So much has been written here that it is better to call us.")


async def _conversation(
    session: AsyncSession, order: dispatch.CustomersOrder
) -> CustomerConversation:
    await session.flush()
    said = await repository.said_of_order(session, order.id)
    waiting = await repository.any_unsolved(session, order.id)
    return CustomerConversation(
        items=[
            CustomerSaid(
                at=entry.at,
                by="you" if entry.kind == "customer" else "us",
                text=entry.text
                if entry.kind == "customer"
                else for_customer(entry.text, order.first_name),
            )
            for entry in said
        ],
        open=bool(said) and waiting,
        asked=bool(said),
    )
