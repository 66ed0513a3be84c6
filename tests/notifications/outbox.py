"""Orders, people and a messenger, as the tests of messages need them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import text

from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.notifications import service
from backend.notifications.channels.registry import Carriers
from backend.notifications.message_consumers import GROUP, HANDLERS
from backend.notifications.message_schemas import MessageIn, MessageOut, PreferencesIn
from backend.notifications.messenger import Messenger
from backend.platform.consumers import Consumer
from backend.platform.outbox import relay_once
from backend.platform.resources import Resources
from backend.settings import Settings

AGENT = Principal("user", "user:agent", "Arun Agent", (GrantScope("support_agent", "TH"),))
AGENT_IN = Principal("user", "user:agent-in", "Ira Agent", (GrantScope("support_agent", "IN"),))
VIEWER = Principal("user", "user:viewer", "Vi Viewer", (GrantScope("viewer", "*"),))


async def queue(
    resources: Resources, order_id: UUID, principal: Principal = AGENT, **wanted: Any
) -> MessageOut:
    """A message about an order, urgent unless it is said otherwise: tests run at any hour."""
    values = {"order_id": order_id, "urgent": True, **wanted}
    if "template" not in values:
        values.setdefault("text", "We are on it.")
    async with resources.database.unit_of_work() as session:
        return await service.queue_message(session, principal, MessageIn(**values))


async def get(resources: Resources, message_id: UUID) -> MessageOut:
    """A message as it stands now."""
    async with resources.database.unit_of_work() as session:
        return await service.get_message(session, SYSTEM, message_id)


async def body(resources: Resources, message_id: UUID) -> str:
    """What a message says."""
    async with resources.database.unit_of_work() as session:
        return (await service.message_body(session, SYSTEM, message_id)).text


async def about(resources: Resources, order_id: UUID) -> list[MessageOut]:
    """Every message about an order, oldest first."""
    async with resources.database.unit_of_work() as session:
        return await service.messages_of_order(session, SYSTEM, order_id)


async def prefer(resources: Resources, order_id: UUID, **wanted: Any) -> None:
    """Keep what the order's customer wishes."""
    async with resources.database.unit_of_work() as session:
        await service.set_preferences_of_order(session, SYSTEM, order_id, PreferencesIn(**wanted))


async def hear(resources: Resources) -> None:
    """Publish all events and have them turned into messages."""
    while await relay_once(resources.database, resources.events):
        pass
    consumer = Consumer(resources, GROUP, HANDLERS)
    await consumer.prepare()
    while await consumer.turn(wait_ms=1):
        pass


async def send(messenger: Messenger) -> None:
    """Send until nothing is due and nothing is in flight."""
    while await messenger.turn() or messenger.busy:
        await messenger.settled()


async def make_due(resources: Resources) -> None:
    """Let the time pass for which failed messages wait."""
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE notifications_message SET next_at = queued_at"))


@asynccontextmanager
async def messenger_of(
    resources: Resources, settings: Settings | None = None
) -> AsyncIterator[Messenger]:
    """A messenger with connections of its own, as these settings open them."""
    carriers = Carriers(settings or resources.settings)
    made = Messenger(resources, carriers)
    try:
        yield made
    finally:
        await made.abandon()
        await carriers.close()
