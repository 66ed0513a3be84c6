"""What a customer does with nothing but their link: ask for help, go on, say how to be reached."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.dispatch.customer_endpoints import Accepted, opening
from backend.dispatch.customer_forms import Fields, field, posted
from backend.platform.http import Res, Uow, client_address
from backend.platform.ratelimit import take
from backend.platform.resources import Resources
from backend.support import service
from backend.support.customer_help import revision_of
from backend.support.customer_preferences import set_wishes, wishes_of
from backend.support.customer_rules import choices
from backend.support.customer_schemas import (
    CustomerPreferences,
    CustomerWord,
    Help,
    HelpIn,
    Hours,
)

router = APIRouter(tags=["customers"])

# A few words at once, then two a minute: more than anybody in trouble writes.
_LINK_RATE_PER_S, _LINK_BURST = 1 / 30, 8
_ADDRESS_RATE_PER_S, _ADDRESS_BURST = 0.5, 30


async def _listen(request: Request, resources: Resources, token: str) -> None:
    """Hold back who writes too much, by link and by address; raises RateLimited."""
    link = hashlib.sha256(token.encode()).hexdigest()[:32]
    await take(
        resources.redis, f"help:{client_address(request)}",
        rate_per_s=_ADDRESS_RATE_PER_S, burst=_ADDRESS_BURST,
    )  # fmt: skip
    await take(resources.redis, f"help:{link}", rate_per_s=_LINK_RATE_PER_S, burst=_LINK_BURST)


async def _help(session: AsyncSession, token: str) -> Help:
    said = await service.conversation_of_customer(session, token)
    order = await dispatch.order_of_link(session, token)
    return Help(
        **said.model_dump(),
        choices=list(choices(order.state)),
        revision=revision_of(said),
    )


@router.get("/api/track/{token}/help")
async def conversation(
    request: Request, response: Response, session: Uow, resources: Res, token: str
) -> Help:
    """What was said about the order, and what one may ask about it."""
    response.headers["Cache-Control"] = "no-store"
    async with opening(request, resources, token):
        return await _help(session, token)


@router.post("/api/track/{token}/help", status_code=201)
async def ask(request: Request, session: Uow, resources: Res, token: str, wanted: HelpIn) -> Help:
    """Ask for help; the same key asks once."""
    await _listen(request, resources, token)
    await service.open_by_customer(session, token, wanted)
    return await _help(session, token)


@router.post("/api/track/{token}/help/words", status_code=201)
async def say(
    request: Request, session: Uow, resources: Res, token: str, wanted: CustomerWord
) -> Help:
    """Go on with the conversation; what was solved opens again."""
    await _listen(request, resources, token)
    await service.customer_says(session, token, wanted.text, key=wanted.key)
    return await _help(session, token)


@router.get("/api/track/{token}/preferences")
async def wishes(
    request: Request, response: Response, session: Uow, resources: Res, token: str
) -> CustomerPreferences:
    """How the customer wants to be written to."""
    response.headers["Cache-Control"] = "no-store"
    async with opening(request, resources, token):
        return await wishes_of(session, token)


@router.put("/api/track/{token}/preferences")
async def change_wishes(
    request: Request, session: Uow, resources: Res, token: str, wanted: CustomerPreferences
) -> CustomerPreferences:
    """Keep how the customer wants to be written to."""
    await _listen(request, resources, token)
    return await set_wishes(session, token, wanted)


@router.post("/track/{token}/help", include_in_schema=False)
async def ask_by_form(
    request: Request, resources: Res, token: str, accept_language: Accepted = ""
) -> Response:
    """Ask for help from the form of the page."""

    async def act(session: AsyncSession, fields: Fields) -> None:
        await _listen(request, resources, token)
        sent = {name: field(fields, name) for name in ("kind", "text", "key")}
        await service.open_by_customer(session, token, HelpIn.model_validate(sent))

    return await posted(
        request, resources, token, accept_language=accept_language, act=act, done="help"
    )


@router.post("/track/{token}/talk", include_in_schema=False)
async def say_by_form(
    request: Request, resources: Res, token: str, accept_language: Accepted = ""
) -> Response:
    """Go on with the conversation from the form of the page."""

    async def act(session: AsyncSession, fields: Fields) -> None:
        await _listen(request, resources, token)
        said = CustomerWord.model_validate({name: field(fields, name) for name in ("text", "key")})
        await service.customer_says(session, token, said.text, key=said.key)

    return await posted(
        request, resources, token, accept_language=accept_language, act=act, done="help"
    )


@router.post("/track/{token}/preferences", include_in_schema=False)
async def change_wishes_by_form(
    request: Request, resources: Res, token: str, accept_language: Accepted = ""
) -> Response:
    """Keep how the customer wants to be written to, from the form of the page."""

    async def act(session: AsyncSession, fields: Fields) -> None:
        await _listen(request, resources, token)
        await set_wishes(session, token, _read(fields))

    return await posted(
        request, resources, token, accept_language=accept_language, act=act, done="preferences",
        stay=False,
    )  # fmt: skip


def _read(fields: Fields) -> CustomerPreferences:
    """A form's wishes: a box that is not ticked is not sent at all."""
    hours = {"begins": field(fields, "quiet_from"), "ends": field(fields, "quiet_until")}
    return CustomerPreferences.model_validate(
        {
            "language": field(fields, "language"),
            "progress": "progress" in fields,
            "trouble": "trouble" in fields,
            "quiet": Hours.model_validate(hours) if "quiet" in fields else None,
        }
    )
