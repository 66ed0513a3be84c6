"""Webhooks over HTTP: a marketplace manages its own, whoever holds `integrations:*` all."""

import base64
from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime
from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.notifications import service, signing
from backend.notifications.schemas import (
    DeliveryDetail,
    DeliveryFilter,
    DeliveryOut,
    DeliveryPage,
    DeliveryState,
    EndpointChange,
    EndpointIn,
    EndpointOut,
    EndpointPage,
    EndpointWithSecret,
    ReplayIn,
    ReplayResults,
)
from backend.platform.http import Res, Uow
from backend.platform.idempotency import Idempotency, Once
from backend.platform.resources import Resources
from backend.platform.spreadsheet import MOST_ROWS, csv_answer

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])

Marketplace = Annotated[Principal, Depends(requires("webhooks:write"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Search = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]


def _wanted(
    state: DeliveryState | None = None,
    type: Search = None,  # noqa: A002 - the query parameter's name
    order: Search = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> DeliveryFilter:
    return DeliveryFilter(state=state, event_type=type, order=order, since=since, until=until)


@router.get("")
async def list_endpoints(
    session: Uow, caller: Marketplace, limit: Limit = 50, cursor: UUID | None = None
) -> EndpointPage:
    """The caller's endpoints, newest first."""
    return await service.list_endpoints(session, caller, after=cursor, limit=limit)


@router.post("", status_code=201, response_model=EndpointWithSecret)
async def create_endpoint(
    session: Uow, resources: Res, caller: Marketplace, once: Once, wanted: EndpointIn
) -> Response:
    """Add an endpoint; its secret is in this answer and nowhere else."""

    async def make(secret: str | None) -> EndpointWithSecret:
        return await service.create_endpoint(session, caller, wanted, secret=secret)

    return await _with_secret(session, resources, caller, once, make)


@router.get("/deliveries.csv", response_class=Response)
async def export_deliveries(
    session: Uow,
    caller: Marketplace,
    wanted: Annotated[DeliveryFilter, Depends(_wanted)],
    endpoint_id: UUID | None = None,
) -> Response:
    """The newest 10,000 matching deliveries."""
    wanted = wanted.model_copy(update={"endpoint_id": endpoint_id})
    page = await service.list_deliveries(session, caller, wanted, limit=MOST_ROWS)
    heads = [name for name in DeliveryOut.model_fields if name != "next_at"]
    rows = ([getattr(each, name) for name in heads] for each in page.items)
    exported = {"rows": len(page.items)}
    await identity.record(session, caller, "deliveries.exported", "webhooks", after=exported)
    return csv_answer("waypost-deliveries", heads, rows)


@router.get("/{endpoint_id}")
async def get_endpoint(session: Uow, caller: Marketplace, endpoint_id: UUID) -> EndpointOut:
    """One endpoint."""
    return await service.get_endpoint(session, caller, endpoint_id)


@router.patch("/{endpoint_id}")
async def change_endpoint(
    session: Uow, caller: Marketplace, endpoint_id: UUID, wanted: EndpointChange
) -> EndpointOut:
    """Change an endpoint; what is left out stays."""
    return await service.change_endpoint(session, caller, endpoint_id, wanted)


@router.delete("/{endpoint_id}", status_code=204)
async def remove_endpoint(session: Uow, caller: Marketplace, endpoint_id: UUID) -> None:
    """Remove an endpoint with its delivery log."""
    await service.remove_endpoint(session, caller, endpoint_id)


@router.post("/{endpoint_id}/secret", status_code=201, response_model=EndpointWithSecret)
async def rotate_secret(
    session: Uow, resources: Res, caller: Marketplace, once: Once, endpoint_id: UUID
) -> Response:
    """Give the endpoint a new secret; the one before it signs beside it for 24 hours."""

    async def make(secret: str | None) -> EndpointWithSecret:
        return await service.rotate_secret(session, caller, endpoint_id, secret=secret)

    return await _with_secret(session, resources, caller, once, make)


@router.post("/{endpoint_id}/test", status_code=202)
async def try_endpoint(session: Uow, caller: Marketplace, endpoint_id: UUID) -> DeliveryOut:
    """Send a `webhook.test` event to the endpoint."""
    return await service.try_endpoint(session, caller, endpoint_id)


@router.get("/{endpoint_id}/deliveries")
async def list_deliveries(
    session: Uow,
    caller: Marketplace,
    endpoint_id: UUID,
    wanted: Annotated[DeliveryFilter, Depends(_wanted)],
    limit: Limit = 50,
    cursor: UUID | None = None,
) -> DeliveryPage:
    """What was sent to the endpoint, newest first."""
    await service.get_endpoint(session, caller, endpoint_id)
    wanted = wanted.model_copy(update={"endpoint_id": endpoint_id})
    return await service.list_deliveries(session, caller, wanted, after=cursor, limit=limit)


@router.get("/deliveries/{delivery_id}")
async def get_delivery(session: Uow, caller: Marketplace, delivery_id: UUID) -> DeliveryDetail:
    """One delivery with its request and the answer."""
    return await service.get_delivery(session, caller, delivery_id)


@router.post("/{endpoint_id}/replay", status_code=202)
async def replay(
    session: Uow, caller: Marketplace, endpoint_id: UUID, wanted: ReplayIn
) -> ReplayResults:
    """Send deliveries again: those named, or the settled ones since a moment."""
    return await service.replay(session, caller, wanted, endpoint_id=endpoint_id)


async def _with_secret(
    session: AsyncSession,
    resources: Resources,
    caller: Principal,
    once: Idempotency,
    make: Callable[[str | None], Awaitable[EndpointWithSecret]],
) -> Response:
    """The answer with its secret, which a repeat derives again: what is kept holds none."""
    derived = once.derive(resources.settings.secret_key.get_secret_value(), caller.id)
    secret = None if derived is None else signing.spell(base64.urlsafe_b64decode(derived + "=="))
    shown: list[str] = []

    async def hidden() -> EndpointWithSecret:
        made = await make(secret)
        shown.append(made.secret)
        return made.model_copy(update={"secret": ""})

    answer = await once.answer(session, caller.id, hidden)
    answer.body = orjson.dumps(
        {**orjson.loads(answer.body), "secret": shown[0] if shown else secret}
    )
    answer.headers["content-length"] = str(len(answer.body))
    answer.headers["cache-control"] = "no-store"
    return answer
