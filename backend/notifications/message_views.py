"""Reading messages, having them sent again, and stopping them."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.notifications import message_repository
from backend.notifications.message_models import MessageRow
from backend.notifications.message_rules import (
    UNSENT,
    WITH_CODE,
    MessageState,
    life_of,
)
from backend.notifications.message_schemas import (
    MessageBody,
    MessageCounts,
    MessageFilter,
    MessageOut,
    MessagePage,
    Tried,
)
from backend.notifications.preferences import READ, WRITE
from backend.notifications.sealed import opened
from backend.platform import clock
from backend.platform.errors import Conflict, NotFound
from backend.platform.resources import current
from backend.platform.scopes import narrowed

KEPT_FOR = timedelta(days=90)
COUNTED_UP_TO = 10_000
_CODE = re.compile(r"\b\d{6}\b")


class NoSuchMessage(NotFound):
    """There is no such message, or it went to somebody in another region."""

    title = "There is no such message"


async def messages_of_order(
    session: AsyncSession, principal: Principal, order_id: UUID
) -> list[MessageOut]:
    """Every message about an order, oldest first; needs `messages:read` where it is."""
    await dispatch.contact_of(session, principal, order_id, READ)
    return [message_out(row) for row in await message_repository.of_order(session, order_id)]


async def list_messages(
    session: AsyncSession,
    principal: Principal,
    wanted: MessageFilter | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> MessagePage:
    """Messages of the caller's regions, newest first."""
    wanted = wanted or MessageFilter()
    scopes = _scopes(principal, wanted)
    try:
        order_id = await _order(session, wanted)
    except NotFound:
        return MessagePage(items=[], next_cursor=None)
    rows = await message_repository.page(session, scopes, wanted, order_id, after, limit + 1)
    items = [message_out(row) for row in rows[:limit]]
    return MessagePage(items=items, next_cursor=items[-1].id if len(rows) > limit else None)


async def count_messages(
    session: AsyncSession, principal: Principal, wanted: MessageFilter | None = None
) -> MessageCounts:
    """How many messages of the caller's regions match, by state; the newest ones where many do."""
    wanted = wanted or MessageFilter()
    scopes = _scopes(principal, wanted)
    try:
        order_id = await _order(session, wanted)
    except NotFound:
        return MessageCounts(by_state={}, most=COUNTED_UP_TO)
    found = await message_repository.counts(session, scopes, wanted, order_id, COUNTED_UP_TO)
    by_state = {MessageState(state): count for state, count in found.items()}
    return MessageCounts(by_state=by_state, most=COUNTED_UP_TO)


async def _order(session: AsyncSession, wanted: MessageFilter) -> UUID | None:
    """The order that is asked for, by its number in any spelling; raises NotFound."""
    return await dispatch.order_id_of(session, wanted.order) if wanted.order else None


def _scopes(principal: Principal, wanted: MessageFilter) -> list[str]:
    identity.authorize(principal, READ)
    held = list(identity.scopes(principal, READ))
    return narrowed(held, wanted.region) if wanted.region else held


async def get_message(session: AsyncSession, principal: Principal, message_id: UUID) -> MessageOut:
    """One message; raises NoSuchMessage."""
    return message_out(await _seen(session, principal, message_id))


async def message_body(
    session: AsyncSession, principal: Principal, message_id: UUID
) -> MessageBody:
    """The words of a message; each look is recorded, and codes are hidden, but in the demo.

    Raises Conflict where they were sealed under another key.
    """
    row = await _seen(session, principal, message_id)
    words = opened(current().settings, row.sealed)
    text = words.text
    if not current().settings.demo:
        if row.template in WITH_CODE:
            text = _CODE.sub("••••••", text)
        await identity.record(
            session, principal, "message.body_read", f"message:{row.id}", region=row.region,
            after={"number": row.order_number, "template": row.template},
        )  # fmt: skip
    return MessageBody(id=row.id, subject=words.subject, text=text, language=row.language)


async def retry_message(
    session: AsyncSession, principal: Principal, message_id: UUID, reason: str
) -> MessageOut:
    """Send a message again that was given up, or at once one that waits to be tried.

    Raises Conflict for one that has arrived, is on its way or was stopped, and for a code.
    """
    row = await _to_change(session, principal, message_id)
    if row.state not in (MessageState.FAILED, MessageState.GIVEN_UP):
        raise Conflict(f"This message is {row.state.replace('_', ' ')}: it is not sent again.")
    if row.template in WITH_CODE and row.expires_at <= clock.now():
        raise Conflict("The code in it is past its time; have a new one sent.")
    if row.state == MessageState.GIVEN_UP:
        row.channel, row.tried_here = row.ways[0], 0
        row.expires_at = clock.now() + life_of(row.template)
    row.state, row.next_at, row.why = MessageState.QUEUED, clock.now(), None
    await _record(session, principal, "message.retried", row, reason)
    return message_out(row)


async def cancel_message(
    session: AsyncSession, principal: Principal, message_id: UUID, reason: str
) -> MessageOut:
    """Stop a message that is not sent yet; twice is once. Raises Conflict for one that is."""
    row = await _to_change(session, principal, message_id)
    if row.state == MessageState.CANCELLED:
        return message_out(row)
    if row.state not in UNSENT:
        raise Conflict(f"This message is {row.state.replace('_', ' ')}: it cannot be stopped.")
    if row.claimed_until is not None and row.claimed_until > clock.now():
        raise Conflict("This message is being sent just now.")
    row.state, row.why = MessageState.CANCELLED, f"{principal.name}: {reason}"
    row.claim, row.claimed_until = None, None
    await _record(session, principal, "message.cancelled", row, reason)
    return message_out(row)


async def _seen(session: AsyncSession, principal: Principal, message_id: UUID) -> MessageRow:
    identity.authorize(principal, READ)
    scopes = identity.scopes(principal, READ)
    row = await message_repository.by_id(session, message_id, scopes)
    if row is None:
        raise NoSuchMessage
    return row


async def _to_change(session: AsyncSession, principal: Principal, message_id: UUID) -> MessageRow:
    identity.authorize(principal, WRITE)
    scopes = identity.scopes(principal, READ)
    row = await message_repository.by_id(session, message_id, scopes, lock=True)
    if row is None:
        raise NoSuchMessage
    identity.authorize(principal, WRITE, row.region)
    return row


async def _record(
    session: AsyncSession, principal: Principal, what: str, row: MessageRow, reason: str
) -> None:
    await session.flush()
    await identity.record(
        session,
        principal,
        what,
        f"message:{row.id}",
        region=row.region,
        after={"number": row.order_number, "template": row.template},
        reason=reason,
    )


async def drop_old_messages(session: AsyncSession) -> None:
    """Forget messages of long ago, with the addresses and words in them."""
    await message_repository.drop_old(session, clock.now() - KEPT_FOR)


def message_out(row: MessageRow) -> MessageOut:
    """A message as it is shown."""
    values = row.model_dump(
        exclude={
            "order_number", "reader", "shown", "sealed", "ways", "tried_here", "dedup_key",
            "by", "by_name", "expires_at", "claim", "claimed_until", "next_at", "tried",
            "recipient",
        }
    )  # fmt: skip
    return MessageOut(
        **values,
        order=row.order_number,
        to=row.reader,
        recipient=row.shown,
        next_at=row.next_at if row.state in UNSENT else None,
        by=row.by_name,
        tried=[Tried.model_validate(each) for each in row.tried],
    )
