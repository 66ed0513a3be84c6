"""The messenger's queries: claim what is due, and write down what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from backend.notifications.message_models import MessageRow
from backend.notifications.message_rules import OVERTAKEN_BY, Kind, MessageState

# Codes and arrivals first: whoever stands at a door does not wait behind a broadcast. A claim that
# has run out is of a process that died, unless the database was away from it; whether it had sent
# the message nobody knows.
_CLAIM = """
WITH due AS (
  SELECT m.id, m.claim IS NOT NULL AS cut_off, m.repeated AS repeated_before
  FROM notifications_message m
  WHERE m.state IN ('waiting', 'queued', 'failed') AND m.next_at <= :now
    AND (m.claimed_until IS NULL OR m.claimed_until < :now AND :take_over)
  ORDER BY m.urgent DESC, m.next_at
  LIMIT :limit
  FOR UPDATE SKIP LOCKED
)
UPDATE notifications_message m
SET state = 'queued', claim = :claim, claimed_until = :until,
  repeated = m.repeated OR due.cut_off
FROM due WHERE m.id = due.id
RETURNING m.id, m.region, m.order_id, m.order_number, m.template, m.language, m.channel, m.ways,
  m.sealed, m.recipient, m.urgent, m.attempts, m.tried_here, m.expires_at,
  due.cut_off, due.repeated_before
"""

_RELEASE = """
UPDATE notifications_message SET claim = NULL, claimed_until = NULL
WHERE state IN ('waiting', 'queued', 'failed') AND claim = :claim
"""

_SETTLE = """
UPDATE notifications_message m SET
  state = o.state, why = o.why, channel = o.channel, via = coalesce(o.via, m.via),
  attempts = o.attempts, tried_here = o.tried_here, next_at = o.next_at,
  sent_at = coalesce(o.sent_at, m.sent_at), delivered_at = coalesce(o.delivered_at, m.delivered_at),
  tried = m.tried || o.tried, claim = NULL, claimed_until = NULL
FROM jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS o(
  id uuid, claim uuid, state text, why text, channel text, via text, attempts int, tried_here int,
  next_at timestamptz, sent_at timestamptz, delivered_at timestamptz, tried jsonb)
WHERE m.id = o.id AND m.claim = o.claim
RETURNING m.id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process is to send.

    `cut_off` says that another had begun to, `repeated_before` that this had happened before.
    """

    id: UUID
    claim: UUID
    region: str
    order_id: UUID | None
    order_number: str | None
    template: str
    language: str
    channel: str
    ways: list[str]
    sealed: str
    recipient: str
    urgent: bool
    attempts: int
    tried_here: int
    expires_at: datetime
    cut_off: bool
    repeated_before: bool


async def claim(
    session: AsyncSession,
    claim_id: UUID,
    now: datetime,
    lease: timedelta,
    limit: int,
    *,
    take_over: bool = True,
) -> list[Claimed]:
    """Claim up to `limit` messages that are due, the urgent ones first.

    `take_over` says whether those are among them whose claim has run out.
    """
    rows = await session.execute(
        text(_CLAIM),
        {
            "now": now,
            "until": now + lease,
            "claim": claim_id,
            "limit": limit,
            "take_over": take_over,
        },
    )
    return [Claimed(claim=claim_id, **row) for row in rows.mappings()]


async def release(session: AsyncSession, claim_id: UUID) -> None:
    """Give back what was claimed by this and not begun."""
    await session.execute(text(_RELEASE), {"claim": claim_id})


async def drop_overtaken(
    session: AsyncSession, claimed: Sequence[Claimed], why: str
) -> list[Claimed]:
    """Those that are still worth sending; what a newer message made untrue meanwhile is cancelled.

    Whatever is sent for the first time was true when it was claimed: only repeats are looked at.
    """
    again: dict[str, list[UUID]] = {}
    for each in claimed:
        if (each.attempts or each.cut_off) and OVERTAKEN_BY[Kind(each.template)]:
            again.setdefault(each.template, []).append(each.id)
    dropped: set[UUID] = set()
    newer = aliased(MessageRow)
    for template, ids in again.items():
        overtaken = (
            select(1)
            .where(
                col(newer.order_id) == col(MessageRow.order_id),
                col(newer.id) > col(MessageRow.id),
                col(newer.template).in_(OVERTAKEN_BY[Kind(template)]),
            )
            .exists()
        )
        rows = await session.scalars(
            update(MessageRow)
            .where(col(MessageRow.id).in_(ids), overtaken)
            .values(state=MessageState.CANCELLED, why=why, claim=None, claimed_until=None)
            .returning(col(MessageRow.id))
        )
        dropped |= set(rows)
    return [each for each in claimed if each.id not in dropped]


async def settle(session: AsyncSession, outcomes: Sequence[dict[str, Any]]) -> set[UUID]:
    """Write outcomes down; answers the messages whose claim still held."""
    # In the order in which receipts lock them too, so that neither waits for the other in a circle.
    ids = [each["id"] for each in outcomes]
    await session.execute(
        select(col(MessageRow.id))
        .where(col(MessageRow.id).in_(ids))
        .order_by(col(MessageRow.id))
        .with_for_update()
    )
    written = orjson.dumps(list(outcomes), default=str).decode()
    return set(await session.scalars(text(_SETTLE), {"outcomes": written}))


async def locked(session: AsyncSession, message_ids: Sequence[UUID]) -> dict[UUID, MessageRow]:
    """These messages, locked in one order."""
    query = (
        select(MessageRow)
        .where(col(MessageRow.id).in_(message_ids))
        .order_by(col(MessageRow.id))
        .with_for_update()
    )
    return {row.id: row for row in await session.scalars(query)}
