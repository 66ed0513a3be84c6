"""Tells that somebody was not reached, for whoever looks after their order."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity.schemas import SYSTEM
from backend.platform.outbox import Event, emit
from backend.platform.telemetry import get_logger

_log = get_logger(__name__)


class Message(Protocol):
    """What is told of a message."""

    @property
    def id(self) -> UUID: ...
    @property
    def region(self) -> str: ...
    @property
    def order_id(self) -> UUID | None: ...
    @property
    def order_number(self) -> str | None: ...
    @property
    def template(self) -> str: ...


async def tell_given_up(session: AsyncSession, message: Message, why: str) -> None:
    """Emit `message.given_up`."""
    _log.warning("message_given_up", message=str(message.id), why=why)
    data = {
        "message_id": str(message.id),
        "order_id": str(message.order_id) if message.order_id else None,
        "number": message.order_number,
        "template": message.template,
        "reason": why,
    }
    key = str(message.order_id or message.id)
    await emit(session, Event("message.given_up", key, SYSTEM.id, data, message.region))
