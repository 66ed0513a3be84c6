"""The verbs of deliveries: look at them, send them again, try an endpoint out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.notifications import repository
from backend.notifications.consumers import trial
from backend.notifications.models import DeliveryRow
from backend.notifications.reach import (
    NoSuchDelivery,
    NoSuchEndpoint,
    authorize_change,
    reach,
)
from backend.notifications.rules import WAITING, DeliveryState
from backend.notifications.schemas import (
    DeliveryDetail,
    DeliveryFilter,
    DeliveryOut,
    DeliveryPage,
    Hour,
    ReplayIn,
    ReplayResult,
    ReplayResults,
)
from backend.platform import clock
from backend.platform.errors import Conflict, FieldError, Invalid
from backend.platform.ratelimit import take
from backend.platform.resources import current

MOST_REPLAYED = 500
"""How many deliveries one replay sends again."""
_HOURS_SHOWN = 24


async def list_deliveries(
    session: AsyncSession,
    principal: Principal,
    wanted: DeliveryFilter,
    *,
    after: UUID | None = None,
    limit: int = 50,
) -> DeliveryPage:
    """Deliveries to the caller's endpoints, newest first."""
    seen = reach(principal, "read")
    rows = await repository.deliveries(session, seen, wanted, after, limit + 1)
    items = [DeliveryOut(**_told(*row)) for row in rows[:limit]]
    more = str(items[-1].id) if len(rows) > limit else None
    return DeliveryPage(items=items, next_cursor=more)


async def get_delivery(
    session: AsyncSession, principal: Principal, delivery_id: UUID
) -> DeliveryDetail:
    """One delivery with its request and the answer to the last attempt."""
    found = await repository.delivery(session, delivery_id, reach(principal, "read"))
    if found is None:
        raise NoSuchDelivery
    row, url, merchant = found
    return DeliveryDetail(
        **_told(row, url, merchant),
        payload=orjson.loads(row.payload),
        sent_headers=row.sent_headers,
        answer_headers=row.answer_headers,
        answer_excerpt=row.answer_excerpt,
    )


async def replay(
    session: AsyncSession,
    principal: Principal,
    wanted: ReplayIn,
    *,
    endpoint_id: UUID | None = None,
) -> ReplayResults:
    """Send deliveries again, with a result for each: those named, or the settled ones of a span.

    A span is at most 500 deliveries, the oldest first. The receiver sees the same `webhook-id`.
    """
    seen = reach(principal, "write")
    if endpoint_id is not None and await repository.endpoint(session, endpoint_id, seen) is None:
        raise NoSuchEndpoint
    ids: Sequence[UUID] = list(dict.fromkeys(wanted.ids))
    if not ids:
        ids = await repository.ids_in_range(
            session, seen, _span(wanted, endpoint_id), MOST_REPLAYED
        )
    found = await repository.to_replay(session, seen, ids)
    results = []
    for each in ids:
        row, active = found.get(each, (None, False))
        if row is not None and endpoint_id not in (None, row.endpoint_id):
            row = None
        results.append(_again(row, active=active, delivery_id=each))
    await session.flush()
    accepted = sum(result.status == "accepted" for result in results)
    if accepted:
        await identity.record(
            session,
            principal,
            "webhook.replayed",
            f"webhook:{endpoint_id}" if endpoint_id else "webhooks",
            after={"deliveries": accepted, **wanted.model_dump(exclude={"ids"}, exclude_none=True)},
        )
    return ReplayResults(results=results)


def _span(wanted: ReplayIn, endpoint_id: UUID | None) -> DeliveryFilter:
    if wanted.since is None:
        detail = "Name deliveries, or since when they are to be sent again."
        raise Invalid(detail, errors=[FieldError("/ids", "missing", detail)])
    state = DeliveryState(wanted.state) if wanted.state else None
    return DeliveryFilter(
        endpoint_id=endpoint_id, state=state, since=wanted.since, until=wanted.until
    )


def _again(row: DeliveryRow | None, *, active: bool, delivery_id: UUID) -> ReplayResult:
    def refused(code: str, detail: str) -> ReplayResult:
        return ReplayResult(id=delivery_id, status="rejected", code=code, detail=detail)

    if row is None:
        return refused("not_found", "There is no such delivery.")
    if not active:
        return refused("endpoint_off", "Its endpoint is off; switch it on first.")
    now = clock.now()
    if row.claimed_until is not None and row.claimed_until > now:
        return refused("under_way", "It is being sent right now.")
    if row.state not in WAITING:
        row.state, row.attempts, row.settled_at = DeliveryState.PENDING, 0, None
    row.next_at = now
    return ReplayResult(id=delivery_id, status="accepted")


async def try_endpoint(
    session: AsyncSession, principal: Principal, endpoint_id: UUID
) -> DeliveryOut:
    """Send a `webhook.test` event to the endpoint; what comes of it is in its delivery log."""
    row = await repository.endpoint(session, endpoint_id, reach(principal, "read"))
    if row is None:
        raise NoSuchEndpoint
    authorize_change(principal, row)
    if not row.active:
        raise Conflict("The endpoint is off; switch it on first.")
    await take(current().redis, f"webhook-test:{row.id}", rate_per_s=0.2, burst=5)
    sent = trial(row, principal.id)
    await repository.add_deliveries(session, [sent])
    return DeliveryOut(**_told(sent, row.url, row.merchant))


async def success_by_hour(
    session: AsyncSession, principal: Principal, endpoint_ids: Sequence[UUID]
) -> dict[UUID, list[Hour]]:
    """What was settled in each of the last 24 hours, oldest first, by endpoint."""
    seen = reach(principal, "read")
    this_hour = clock.now().replace(minute=0, second=0, microsecond=0)
    first = this_hour - timedelta(hours=_HOURS_SHOWN - 1)
    rows = await repository.settled_by_hour(session, seen, endpoint_ids, first)
    counted = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    hours = [first + timedelta(hours=number) for number in range(_HOURS_SHOWN)]
    return {
        endpoint_id: [
            Hour(at=hour, delivered=done[0], given_up=done[1])
            for hour in hours
            for done in [counted.get((endpoint_id, hour), (0, 0))]
        ]
        for endpoint_id in endpoint_ids
    }


async def waiting_for(
    session: AsyncSession, principal: Principal, endpoint_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """How many deliveries wait for each endpoint."""
    return await repository.waiting_by_endpoint(session, reach(principal, "read"), endpoint_ids)


async def drop_expired(session: AsyncSession) -> None:
    """Forget settled deliveries of events older than 30 days."""
    await repository.drop_settled(session, clock.now() - repository.KEPT_FOR)


def _told(row: DeliveryRow, url: str, merchant: str) -> dict[str, object]:
    return {
        "id": row.id,
        "endpoint_id": row.endpoint_id,
        "url": url,
        "merchant": merchant,
        "event_id": row.event_id,
        "event_type": row.event_type,
        "event_at": row.event_at,
        "order": row.order_number,
        "state": row.state,
        "attempts": row.attempts,
        "next_at": row.next_at if row.state in WAITING else None,
        "attempted_at": row.attempted_at,
        "status": row.status,
        "why": row.why,
        "duration_ms": row.duration_ms,
        "created_at": row.created_at,
        "settled_at": row.settled_at,
    }
