"""The sender's queries: claim what is due, write down what came of it, keep the lines in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

_READER = 7_403_221

_BUSY = """
SELECT e.id FROM notifications_endpoint e
WHERE e.active AND EXISTS (
  SELECT 1 FROM notifications_delivery d
  WHERE d.endpoint_id = e.id AND d.state IN ('pending', 'failed') AND d.next_at <= :now
    AND (d.claimed_until IS NULL OR d.claimed_until < :now))
ORDER BY random() LIMIT :endpoints
FOR NO KEY UPDATE SKIP LOCKED
"""

# Only the first that waits of a subject is due. What is claimed counts against the endpoint's room
# until it is settled or its claim has run out.
_CLAIM = """
WITH room AS (
  SELECT e.id, :most - (
    SELECT count(*) FROM notifications_delivery c
    WHERE c.endpoint_id = e.id AND c.state IN ('pending', 'failed') AND c.claimed_until >= :now
  ) AS free
  FROM unnest(CAST(:endpoints AS uuid[])) AS e(id)
), due AS (
  SELECT picked.id FROM room CROSS JOIN LATERAL (
    SELECT d.id FROM notifications_delivery d
    WHERE d.endpoint_id = room.id AND d.state IN ('pending', 'failed') AND d.next_at <= :now
      AND (d.claimed_until IS NULL OR d.claimed_until < :now)
      AND d.id = (
        SELECT p.id FROM notifications_delivery p
        WHERE p.endpoint_id = d.endpoint_id AND p.subject = d.subject
          AND p.state IN ('pending', 'failed')
        ORDER BY p.position, p.id LIMIT 1)
    ORDER BY d.next_at, d.id
    LIMIT greatest(room.free, 0)
    FOR UPDATE SKIP LOCKED
  ) AS picked
  LIMIT :limit
)
UPDATE notifications_delivery d SET claim = :claim, claimed_until = :until
FROM due, notifications_endpoint e
WHERE d.id = due.id AND e.id = d.endpoint_id
RETURNING d.id, d.endpoint_id, d.event_id, d.event_type, d.subject, d.payload, d.attempts,
  e.merchant, e.region, e.url, e.secret, e.former_secret, e.former_until
"""

_OUTCOMES = """
jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS o(
  id uuid, claim uuid, state text, next_at timestamptz, attempted_at timestamptz,
  settled_at timestamptz, status int, why text, sent_headers jsonb, answer_headers jsonb,
  answer_excerpt text, duration_ms int)
"""

_SETTLE = f"""
UPDATE notifications_delivery d SET
  state = o.state, attempts = d.attempts + 1, claim = NULL, claimed_until = NULL,
  next_at = o.next_at, attempted_at = o.attempted_at, settled_at = o.settled_at,
  status = o.status, why = o.why, sent_headers = o.sent_headers,
  answer_headers = o.answer_headers, answer_excerpt = o.answer_excerpt,
  duration_ms = o.duration_ms
FROM {_OUTCOMES}
WHERE d.id = o.id AND d.claim = o.claim AND d.state IN ('pending', 'failed')
RETURNING d.id
"""  # noqa: S608 - put together from the constant above alone

# Those behind a delivery that failed need not be looked at before it; once it is out of the way
# they are due.
_FOLLOW = f"""
UPDATE notifications_delivery l
SET next_at = CASE WHEN o.state = 'failed' THEN greatest(l.next_at, o.next_at)
                   ELSE least(l.next_at, o.attempted_at) END
FROM {_OUTCOMES} JOIN notifications_delivery d ON d.id = o.id
WHERE l.endpoint_id = d.endpoint_id AND l.subject = d.subject
  AND l.state = 'pending' AND l.attempts = 0
  AND (l.position, l.id) > (d.position, d.id)
"""  # noqa: S608 - put together from the constant above alone

_COUNT_FAILURES = """
UPDATE notifications_endpoint SET
  failures = failures + :failures, failing_since = coalesce(failing_since, :now)
WHERE id = :endpoint_id
RETURNING failures, failing_since
"""

_CLEAR_FAILURES = """
UPDATE notifications_endpoint SET failures = 0, failing_since = NULL
WHERE id = ANY(:endpoints) AND failures > 0
"""

_DISABLE = """
UPDATE notifications_endpoint SET active = false, disabled_because = :why, updated_at = :now
WHERE id = :endpoint_id AND active
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process is to send, with what it takes to sign it."""

    id: UUID
    claim: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    subject: str
    payload: str
    attempts: int
    merchant: str
    region: str
    url: str
    secret: str
    former_secret: str | None
    former_until: datetime | None


async def become_reader(connection: AsyncConnection) -> bool:
    """Whether this connection is now the one that reads events, until it is closed."""
    plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
    return bool(await plain.scalar(text("SELECT pg_try_advisory_lock(:id)"), {"id": _READER}))


async def claim(
    session: AsyncSession, claim_id: UUID, now: datetime, lease: timedelta, *, most: int, limit: int
) -> list[Claimed]:
    """Claim up to `limit` due deliveries, at most `most` at once for one endpoint."""
    busy = await session.scalars(text(_BUSY), {"now": now, "endpoints": limit})
    endpoints = list(busy)
    if not endpoints:
        return []
    rows = await session.execute(
        text(_CLAIM),
        {
            "now": now,
            "until": now + lease,
            "claim": claim_id,
            "endpoints": endpoints,
            "most": most,
            "limit": limit,
        },
    )
    return [Claimed(claim=claim_id, **row) for row in rows.mappings()]


async def settle(session: AsyncSession, outcomes: Sequence[dict[str, Any]]) -> set[UUID]:
    """Write outcomes down; answers the deliveries whose claim still held."""
    return set(await session.scalars(text(_SETTLE), _parameters(outcomes)))


async def move_lines(session: AsyncSession, outcomes: Sequence[dict[str, Any]]) -> None:
    """Put off what waits behind a failure, and call up what waited behind one that is over."""
    await session.execute(text(_FOLLOW), _parameters(outcomes))


def _parameters(outcomes: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {"outcomes": orjson.dumps(list(outcomes), default=str).decode()}


async def count_failures(
    session: AsyncSession, endpoint_id: UUID, failures: int, now: datetime
) -> tuple[int, datetime | None]:
    """Add failures to an endpoint; answers how many in a row, and since when."""
    row = (
        await session.execute(
            text(_COUNT_FAILURES), {"endpoint_id": endpoint_id, "failures": failures, "now": now}
        )
    ).one_or_none()
    return (row[0], row[1]) if row else (0, None)


async def clear_failures(session: AsyncSession, endpoints: Sequence[UUID]) -> None:
    """Forget the failures of endpoints that took something."""
    await session.execute(text(_CLEAR_FAILURES), {"endpoints": list(endpoints)})


async def disable(session: AsyncSession, endpoint_id: UUID, why: str, now: datetime) -> bool:
    """Switch an endpoint off; whether it was on."""
    gone = await session.scalar(
        text(_DISABLE), {"endpoint_id": endpoint_id, "why": why, "now": now}
    )
    return gone is not None
