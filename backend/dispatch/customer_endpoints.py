"""The customer's doorway: a page and what it polls, opened by the link alone."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import customer_frame, service
from backend.dispatch.customer_links import NoSuchLink
from backend.dispatch.customer_page import Beside, Visit, follow
from backend.dispatch.customer_schemas import LinkIn, LinkOut, Tracking
from backend.dispatch.customer_words import FALLBACK, Words, choose, spoken
from backend.identity.endpoints import requires
from backend.identity.schemas import Principal
from backend.platform.errors import RateLimited
from backend.platform.http import Res, Uow, client_address
from backend.platform.ratelimit import take
from backend.platform.resources import Resources

# A page asks every ten seconds or so. Thousands may share a carrier's address; who guesses is told
# apart from them by what leads nowhere.
_LINK_RATE_PER_S, _LINK_BURST = 2.0, 60
_ADDRESS_RATE_PER_S, _ADDRESS_BURST = 100.0, 3000
_MISS_RATE_PER_S, _MISS_BURST = 5.0, 120
_KEPT = {"Cache-Control": "public, max-age=300"}

LanguageOf = Callable[[AsyncSession, UUID], Awaitable[tuple[str, bool]]]
"""In which language the customer of an order is written to, and whether they chose it."""
Writer = Annotated[Principal, Depends(requires("orders:write"))]
Lang = Annotated[str | None, Query(max_length=35)]
Accepted = Annotated[str, Header(alias="Accept-Language")]


@asynccontextmanager
async def opening(request: Request, resources: Resources, token: str) -> AsyncIterator[None]:
    """Hold back who opens one link too often, or many that lead nowhere; raises RateLimited."""
    redis, address = resources.redis, client_address(request)
    link = hashlib.sha256(token.encode()).hexdigest()[:32]
    await take(redis, f"track:{address}", rate_per_s=_ADDRESS_RATE_PER_S, burst=_ADDRESS_BURST)
    await take(redis, f"track:{link}", rate_per_s=_LINK_RATE_PER_S, burst=_LINK_BURST)
    try:
        yield
    except NoSuchLink:
        await take(redis, f"track-miss:{address}", rate_per_s=_MISS_RATE_PER_S, burst=_MISS_BURST)
        raise


def heard(lang: str | None, accept: str) -> Words:
    """The words for who asked for a language or accepts some, known before any order is."""
    return choose(lang, None, accept, FALLBACK)


def create_router(language_of: LanguageOf, beside: Beside) -> APIRouter:
    """The routes; what is `beside` the order on its page is drawn by other contexts."""
    router = APIRouter(tags=["customers"])

    @router.get("/track/page.css", include_in_schema=False)
    async def style() -> Response:
        """The style of the customer's page."""
        return Response(customer_frame.STYLE, media_type="text/css", headers=_KEPT)

    @router.get("/track/page.js", include_in_schema=False)
    async def script() -> Response:
        """The script of the customer's page."""
        return Response(customer_frame.SCRIPT, media_type="text/javascript", headers=_KEPT)

    async def visited(
        session: AsyncSession, token: str, lang: str | None, accept: str, done: str | None = None
    ) -> Visit:
        order_id = (await service.order_of_link(session, token)).id
        asked = lang is not None and spoken(lang) is not None
        if asked:
            # As whoever looks again and again does: what they prefer need not be looked up.
            words = heard(lang, accept)
        else:
            usual, chosen = await language_of(session, order_id)
            words = choose(None, usual if chosen else None, accept, usual)
        told = await service.follow_order(session, token, words.language)
        return Visit(token, order_id, told, words, asked, done)

    # What looks whether a link works before showing it asks with HEAD.
    @router.api_route("/track/{token}", methods=["GET", "HEAD"], include_in_schema=False)
    async def page(
        request: Request,
        session: Uow,
        resources: Res,
        token: str,
        lang: Lang = None,
        done: Annotated[str | None, Query(max_length=20)] = None,
        accept_language: Accepted = "",
    ) -> Response:
        """The page of an order; one and the same for every link that leads nowhere."""
        try:
            async with opening(request, resources, token):
                visit = await visited(session, token, lang, accept_language, done)
        except NoSuchLink:
            return customer_frame.nowhere(heard(lang, accept_language))
        except RateLimited as error:
            answer = customer_frame.later(heard(lang, accept_language))
            answer.headers.update(error.headers)
            return answer
        before = [await part(session, visit) for part in beside.before]
        after = [await part(session, visit) for part in beside.after]
        return follow(visit, before, after, resources.settings.tracking_help)

    @router.get("/track/{token}/{rest:path}", include_in_schema=False)
    async def page_of(request: Request, token: str, rest: str) -> Response:
        """The way to the page from an address below it: a form's, opened anew, or a slash."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/track/{quote(token)}{query}", 303)

    @router.get("/api/track/{token}")
    async def track(
        request: Request,
        response: Response,
        session: Uow,
        resources: Res,
        token: str,
        lang: Lang = None,
        accept_language: Accepted = "",
    ) -> Tracking:
        """The order behind a customer's link, told in the customer's language."""
        response.headers["Cache-Control"] = "no-store"
        async with opening(request, resources, token):
            return (await visited(session, token, lang, accept_language)).told

    @router.post("/api/v1/orders/{number}/tracking-link", status_code=201)
    async def replace_link(session: Uow, caller: Writer, number: str, wanted: LinkIn) -> LinkOut:
        """Take the customer's link back and make a new one."""
        order_id = await service.order_id_of(session, number)
        url = await service.revoke_tracking(session, caller, order_id, wanted.reason)
        return LinkOut(tracking_url=url)

    return router
