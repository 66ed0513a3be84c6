"""The doorways of monitoring systems: kept whole, answered 202 at once, worked in afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.callers import requires, token_of
from backend.identity.schemas import Principal
from backend.incidents import intake
from backend.incidents.doorways import cloudevents, pagerduty
from backend.incidents.doorways.reading import Fault
from backend.incidents.intake import Doorway, Sent
from backend.incidents.verb_schemas import ItemResult, Taken, TakenByKey
from backend.platform.errors import DomainError, Unauthenticated
from backend.platform.http import Res, Uow, client_address
from backend.platform.ratelimit import take

router = APIRouter(prefix="/api/hooks", tags=["monitoring"])

Monitor = Annotated[Principal, Depends(requires(intake.WRITE))]
_EVENTS_PER_S = 200.0
_EVENTS_AT_ONCE = 1_000


async def _sent(request: Request, doorway: Doorway) -> Sent:
    return Sent(
        doorway,
        await request.body(),
        request.headers.get("content-type", ""),
        dict(request.headers),
    )


def _result(index: int, kept: intake.Kept) -> ItemResult:
    item = kept.reading.items[index]
    if isinstance(item, Fault):
        return ItemResult(index=index, status="rejected", code=item.code, detail=item.detail)
    return ItemResult(index=index, status="duplicate" if kept.repeated else "accepted")


async def _take(session: AsyncSession, caller: Principal, sent: Sent) -> Taken:
    kept = await intake.keep(session, caller, sent)
    results = [_result(index, kept) for index in range(len(kept.reading.items))]
    return Taken(id=kept.event_id, results=results)


@router.post("/alertmanager", status_code=202)
async def alertmanager_hook(request: Request, session: Uow, caller: Monitor) -> Taken:
    """A notification of Alertmanager, version 4."""
    return await _take(session, caller, await _sent(request, "alertmanager"))


@router.post("/grafana", status_code=202)
async def grafana_hook(request: Request, session: Uow, caller: Monitor) -> Taken:
    """A notification of Grafana's webhook contact point, version 1."""
    return await _take(session, caller, await _sent(request, "grafana"))


@router.post("/cloudevents", status_code=202)
async def cloudevents_hook(request: Request, session: Uow, caller: Monitor) -> Taken:
    """CloudEvents 1.0: one structured, one in ce- headers, or a batch, each kept by itself."""
    sent = await _sent(request, "cloudevents")
    events = cloudevents.split(sent.content_type, sent.headers, sent.body)
    kept = await intake.keep_events(session, caller, sent, events)
    results = [_of_event(index, each) for index, each in enumerate(kept)]
    first = next(each for each in kept if isinstance(each, intake.Kept))
    return Taken(id=first.event_id, results=results)


def _of_event(index: int, kept: intake.Kept | DomainError) -> ItemResult:
    if isinstance(kept, DomainError):
        return ItemResult(index=index, status="rejected", code=kept.code, detail=kept.detail)
    return _result(0, kept).model_copy(update={"index": index})


async def _pagerduty_sender(request: Request, resources: Res) -> AsyncIterator[Principal]:
    """Whoever sends: by the header as everywhere, or by the body's routing key.

    A wrong key costs its address from a small budget; raises RateLimited when that is spent.
    """
    address = client_address(request)
    token = token_of(request) or pagerduty.routing_key(await request.body())
    known = await identity.principal_of_bearer(resources, token) if token else None
    if known is None:
        if token:
            await take(resources.redis, f"wrong-token:{address}", rate_per_s=1, burst=60)
        raise Unauthenticated("Send a token, or put it into routing_key.")
    caller = replace(known, address=address)
    await take(
        resources.redis,
        f"caller:{caller.token_id}",
        rate_per_s=_EVENTS_PER_S,
        burst=_EVENTS_AT_ONCE,
    )
    try:
        identity.authorize(caller, intake.WRITE)
        yield caller
    except identity.Denied as denied:
        await identity.record_denied(resources, denied, "POST /api/hooks/pagerduty")
        raise


@router.post("/pagerduty", status_code=202)
async def pagerduty_hook(
    request: Request, session: Uow, caller: Annotated[Principal, Depends(_pagerduty_sender)]
) -> TakenByKey:
    """An event of PagerDuty's Events API, version 2."""
    sent = await _sent(request, "pagerduty")
    kept = await intake.keep(session, caller, sent)
    key = kept.reading.dedup_key
    assert key is not None
    return TakenByKey(message="Event processed", dedup_key=key)
