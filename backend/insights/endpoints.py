"""The HTTP side of insights: objectives and the scorecard for programs, and recipients' stars."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.customer_endpoints import Accepted
from backend.dispatch.customer_forms import Fields, field, posted
from backend.identity.endpoints import requires
from backend.identity.schemas import SYSTEM, Principal
from backend.insights import service
from backend.insights.scorecard_schemas import RatingIn, RatingOut, Scorecard
from backend.insights.slo_schemas import SloRow
from backend.platform.http import Res, Uow, client_address
from backend.platform.moments import Moment
from backend.platform.ratelimit import take
from backend.platform.resources import Resources
from backend.platform.scopes import EVERYWHERE
from backend.regions.errors import RegionNotFound
from backend.regions.service import directory

router = APIRouter(tags=["insights"])

Reader = Annotated[Principal, Depends(requires("scorecard:read"))]
RegionAsked = Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$")]


async def known_region(session: Uow, region: RegionAsked = None) -> str | None:
    """The region that is asked about; raises RegionNotFound where there is none of that code."""
    if region not in (None, EVERYWHERE) and (await directory(session, SYSTEM)).get(region) is None:
        raise RegionNotFound
    return region


Region = Annotated[str | None, Depends(known_region)]

_RATE_PER_S = 0.5
_BURST = 20


@router.get("/api/v1/slos")
async def slos(session: Uow, caller: Reader, region: Region) -> list[SloRow]:
    """How far each objective is kept, and what burns."""
    return await service.slo_status(session, caller, region)


@router.get("/api/v1/scorecard")
async def scorecard(
    session: Uow, caller: Reader, region: Region, until: Moment | None = None
) -> Scorecard:
    """The company's figures."""
    return await service.scorecard(session, caller, region, until)


async def _limited(request: Request, resources: Resources) -> None:
    key = f"rate:{client_address(request)}"
    await take(resources.redis, key, rate_per_s=_RATE_PER_S, burst=_BURST)


@router.post("/api/track/{token}/rating")
async def rate(
    request: Request, session: Uow, resources: Res, token: str, wanted: RatingIn
) -> RatingOut:
    """Stars for a delivered order, from whoever has its link."""
    await _limited(request, resources)
    return await service.rate_delivery(session, token, wanted)


@router.post("/track/{token}/rating", include_in_schema=False)
async def rate_by_form(
    request: Request, resources: Res, token: str, accept_language: Accepted = ""
) -> Response:
    """The same from the form of the customer's page."""

    async def act(session: AsyncSession, fields: Fields) -> None:
        await _limited(request, resources)
        stars, words = int(field(fields, "stars") or 0), field(fields, "words") or ""
        await service.rate_delivery(session, token, RatingIn(stars=stars, words=words))

    return await posted(
        request, resources, token, accept_language=accept_language, act=act, done="rating"
    )
