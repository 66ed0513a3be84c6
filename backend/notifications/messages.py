"""Putting messages into the outbox, and reading, repeating and stopping them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import Principal
from backend.notifications.message_schemas import (
    MessageBody,
    MessageCounts,
    MessageFilter,
    MessageIn,
    MessageOut,
    MessagePage,
)
from backend.platform.errors import NotFound


class NoSuchMessage(NotFound):
    """There is no such message, or it went to somebody in another region."""

    title = "There is no such message"


async def queue_message(
    session: AsyncSession, principal: Principal, wanted: MessageIn
) -> MessageOut:
    """Put a message into the outbox; one with the same `dedup_key` for the same order answers the
    first. Needs `messages:write` where the order or driver is.

    Raises NoSuchOrder or NoSuchDriver, and Invalid for what the template lacks.
    """
    raise NotImplementedError


async def messages_of_order(
    session: AsyncSession, principal: Principal, order_id: UUID
) -> list[MessageOut]:
    """Every message about an order, oldest first; needs `messages:read` where it is."""
    raise NotImplementedError


async def list_messages(
    session: AsyncSession,
    principal: Principal,
    wanted: MessageFilter | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> MessagePage:
    """Messages of the caller's regions, newest first."""
    raise NotImplementedError


async def count_messages(
    session: AsyncSession, principal: Principal, wanted: MessageFilter | None = None
) -> MessageCounts:
    """How many messages of the caller's regions match, by state."""
    raise NotImplementedError


async def get_message(session: AsyncSession, principal: Principal, message_id: UUID) -> MessageOut:
    """One message; raises NoSuchMessage."""
    raise NotImplementedError


async def message_body(
    session: AsyncSession, principal: Principal, message_id: UUID
) -> MessageBody:
    """The words of a message; each look is recorded, and codes are hidden, but in the demo."""
    raise NotImplementedError


async def retry_message(
    session: AsyncSession, principal: Principal, message_id: UUID, reason: str
) -> MessageOut:
    """Send a message again that was given up, or at once one that waits to be tried.

    Raises Conflict for one that has arrived, is on its way or was stopped.
    """
    raise NotImplementedError


async def cancel_message(
    session: AsyncSession, principal: Principal, message_id: UUID, reason: str
) -> MessageOut:
    """Stop a message that is not sent yet; twice is once. Raises Conflict for one that is."""
    raise NotImplementedError
