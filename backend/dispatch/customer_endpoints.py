"""The customer's doorway: a page and what it polls, opened by the link alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from backend.dispatch import customer_page, service
from backend.dispatch.customer_links import NoSuchLink
from backend.dispatch.customer_schemas import LinkIn, LinkOut, Tracking
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.errors import RateLimited
from backend.platform.http import Res, Uow, client_address
from backend.platform.ratelimit import take
from backend.platform.resources import Resources

router = APIRouter(tags=["customers"])

# A street of customers may share an address; nobody guesses 256 bits at this pace.
_RATE_PER_S = 5.0
_BURST = 120
_KEPT = {"Cache-Control": "public, max-age=300"}

Writer = Annotated[Principal, Depends(requires("orders:write"))]


async def _limit(request: Request, resources: Resources) -> None:
    key = f"track:{client_address(request)}"
    await take(resources.redis, key, rate_per_s=_RATE_PER_S, burst=_BURST)


@router.get("/track/page.css", include_in_schema=False)
async def style() -> Response:
    """The style of the customer's page."""
    return Response(customer_page.STYLE, media_type="text/css", headers=_KEPT)


@router.get("/track/page.js", include_in_schema=False)
async def script() -> Response:
    """The script of the customer's page."""
    return Response(customer_page.SCRIPT, media_type="text/javascript", headers=_KEPT)


@router.get("/track/{token}", include_in_schema=False)
async def follow(request: Request, session: Uow, resources: Res, token: str) -> Response:
    """The page of an order; one and the same for every link that leads nowhere."""
    try:
        await _limit(request, resources)
        told = await service.follow_order(session, token)
    except NoSuchLink:
        return customer_page.nowhere()
    except RateLimited as error:
        answer = customer_page.later()
        answer.headers.update(error.headers)
        return answer
    return customer_page.follow(told, token, resources.settings.tracking_help)


@router.get("/api/track/{token}")
async def track(
    request: Request, response: Response, session: Uow, resources: Res, token: str
) -> Tracking:
    """The order behind a customer's link."""
    await _limit(request, resources)
    response.headers["Cache-Control"] = "no-store"
    return await service.follow_order(session, token)


@router.post("/api/v1/orders/{number}/tracking-link", status_code=201)
async def replace_link(session: Uow, caller: Writer, number: str, wanted: LinkIn) -> LinkOut:
    """Take the customer's link back and make a new one."""
    order_id = await service.order_id_of(session, number)
    url = await service.revoke_tracking(session, caller, order_id, wanted.reason)
    return LinkOut(tracking_url=url)
