"""Takes in what gateways tell: kept whole at once, worked in once, in whatever order it comes.

A message is only a hint that something happened. What happened is asked of the gateway, so that
an old message that comes late, or twice, cannot undo a newer one.
"""

from __future__ import annotations

from datetime import timedelta

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from backend.payments import repository, webhook_repository
from backend.payments.actions import ask_about
from backend.payments.gateways import sandbox_repository
from backend.payments.gateways.protocol import Notice
from backend.payments.gateways.registry import Gateways
from backend.payments.models import WebhookRow
from backend.payments.rules import MOST_TRIES, wait_s
from backend.platform import clock
from backend.platform.db import Database
from backend.platform.ids import uuid7

_AT_ONCE = 50
_LEASE = timedelta(seconds=60)


async def receive(session: AsyncSession, gateway: str, notice: Notice, body: bytes) -> bool:
    """Keep a signed message; False where its event is known.

    There is no caller to authorise: the signature was checked.
    """
    now = clock.now()
    payment_id = None
    if notice.ref is not None:
        payment_id = await repository.payment_by_ref(session, gateway, notice.ref)
    row = WebhookRow(
        id=uuid7(),
        gateway=gateway,
        event_id=notice.event_id,
        kind=notice.kind,
        ref=notice.ref,
        body=body,
        state="waiting",
        due_at=now,
        payment_id=payment_id,
        received_at=now,
    )
    return await webhook_repository.keep(session, row)


async def work_in(database: Database, gateways: Gateways) -> int:
    """Work in the messages that wait; answers how many were looked at."""
    async with database.unit_of_work() as session:
        now = clock.now()
        rows = await webhook_repository.due(session, now, _AT_ONCE)
        for row in rows:
            row.tries, row.due_at = row.tries + 1, now + _LEASE
            if row.payment_id is None and row.ref is not None:
                row.payment_id = await repository.payment_by_ref(session, row.gateway, row.ref)
        waiting = [(row.id, row.payment_id, row.ref, row.tries) for row in rows]
    for webhook_id, payment_id, ref, tries in waiting:
        heard = (
            await ask_about(database, gateways, payment_id, ref)
            if payment_id is not None and ref is not None
            else ref is None
        )
        async with database.unit_of_work() as session:
            found = await webhook_repository.webhook(session, webhook_id)
            assert found is not None
            if heard or tries >= MOST_TRIES * 2:
                found.state, found.done_at = "done", clock.now()
                found.outcome = "applied" if payment_id and heard else "nothing_of_ours"
            else:
                # The answer to our own question may still be on its way, and with it the name.
                found.due_at = clock.now() + timedelta(seconds=wait_s(tries, 0.5))
    return len(waiting)


async def deliver_sandbox(database: Database) -> int:
    """Let the sandbox send the messages whose time has come; answers how many it sent."""
    async with database.unit_of_work() as session:
        notices = await sandbox_repository.due_notices(session, clock.now(), _AT_ONCE)
        for notice in notices:
            told = Notice(str(notice.event_id), notice.kind, notice.ref)
            await receive(session, "sandbox", told, orjson.dumps(notice.body))
            await session.delete(notice)
    return len(notices)
