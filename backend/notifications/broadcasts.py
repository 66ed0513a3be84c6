"""Tells every customer of an incident's orders, some at a time, so that a kill loses no one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity.schemas import SYSTEM, Principal
from backend.notifications import broadcast_repository
from backend.notifications.message_models import BroadcastRow
from backend.notifications.message_rules import Kind
from backend.notifications.message_schemas import MessageIn
from backend.notifications.messages import put
from backend.notifications.readers import order_reader
from backend.platform import clock
from backend.platform.consumers import Received
from backend.platform.db import Database

AT_ONCE = 100
"""Orders looked at in one transaction."""


async def begin(session: AsyncSession, event: Received, now: datetime) -> None:
    """Write down whom an incident's message goes to: all whose orders were open since it began."""
    data = event.data
    row = BroadcastRow(
        id=event.id,
        incident_id=UUID(data["incident_id"]),
        incident_number=data["number"],
        region=data["region"],
        since=datetime.fromisoformat(data["since"]),
        until=event.at,
        text=data["text"],
        by=event.actor,
        by_name=data.get("by", event.actor),
        told=0,
        created_at=now,
    )
    await broadcast_repository.add(session, row)


async def advance(database: Database) -> bool:
    """Tell the next customers of the oldest broadcast; whether there was one to go on with."""
    async with database.unit_of_work() as session:
        row = await broadcast_repository.oldest(session)
        if row is None:
            return False
        orders = await dispatch.contacts_between(
            session, SYSTEM, row.region, row.since, row.until, after=row.reached, limit=AT_ONCE
        )
        sender = Principal("user", row.by, row.by_name)
        for order in orders:
            reader = await order_reader(session, order, "customer")
            wanted = MessageIn(
                order_id=order.order_id,
                template=Kind.INCIDENT_NOTICE,
                params={"text": row.text},
                incident_id=row.incident_id,
            )
            # One for each person from each marketplace, however many orders of theirs it touches.
            key = f"{row.id}:{reader.key}:{reader.merchant}"
            _, new = await put(session, sender, wanted, reader, key=key)
            row.told += new
        if orders:
            row.reached = orders[-1].order_id
        if len(orders) < AT_ONCE:
            row.finished_at = clock.now()
        return True
