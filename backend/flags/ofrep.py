"""OFREP 0.3: flags for any OpenFeature SDK, over HTTP.

These routes are asked by every phone, so each reads its request by itself instead of having
FastAPI solve dependencies; FastAPI describes them all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Request, Response
from redis.exceptions import RedisError

from backend.flags import delivery, streams
from backend.flags.delivery import Delivery
from backend.flags.keys import Key
from backend.flags.served import ServedEnvironment
from backend.identity.callers import token_of
from backend.platform.errors import (
    BadRequest,
    DomainError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from backend.platform.http import client_address
from backend.platform.plain_route import PlainRoute, body_of
from backend.platform.ratelimit import take
from backend.platform.resources import Resources

LARGEST_CONTEXT = 64 * 1024
"""In bytes; with what else stands in a request's body."""

_JSON = "application/json"
# How long a request that a change notice caused waits for this process to hear of it too.
_CATCH_UP_S = 0.5
_STATUS = {"FLAG_NOT_FOUND": 404}
_OPEN_TO_PAGES = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "ETag, Retry-After",
}
_PREFLIGHT = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type, if-none-match, x-api-key, "
    "last-event-id, cache-control",
    "access-control-max-age": "86400",
}

router = APIRouter(tags=["ofrep"], route_class=PlainRoute)


class InvalidContext(BadRequest):
    """The context of a request is none."""


class _ParseError(BadRequest):
    """The body of a request is no JSON object."""


_CODES: dict[type[DomainError], str] = {
    InvalidContext: "INVALID_CONTEXT",
    TooLarge: "INVALID_CONTEXT",
    _ParseError: "PARSE_ERROR",
}
_EVALUATION = {
    "requestBody": {
        "content": {
            _JSON: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "context": {
                            "type": "object",
                            "properties": {"targetingKey": {"type": "string"}},
                        }
                    },
                }
            }
        }
    },
    "security": [{"bearer": []}, {"apiKey": []}],
    "x-permission": "flags:evaluate",
}


@router.post("/ofrep/v1/evaluate/flags/{key}", openapi_extra=_EVALUATION)  # noqa: FAST003
async def evaluate_flag(request: Request) -> Response:
    """One flag for the context in the body.

    404 with FLAG_NOT_FOUND, 400 with TARGETING_KEY_MISSING, INVALID_CONTEXT, PARSE_ERROR or
    GENERAL, 429 with Retry-After.
    """
    key = str(request.path_params["key"])
    try:
        served_by, environment, _ = await entered(request)
        context = await context_of(request)
    except DomainError as refusal:
        return _refused(refusal, {"key": key})
    served = environment.snapshot.one(key, context)
    code = served.evaluation.error_code
    if code is not None:
        return Response(served.body, _STATUS.get(code, 400), _OPEN_TO_PAGES, media_type=_JSON)
    served_by.counts.count(environment.name, context, (served,))
    served_by.samples.note(environment.name, context)
    return Response(served.body, 200, _OPEN_TO_PAGES, media_type=_JSON)


@router.post("/ofrep/v1/evaluate/flags", openapi_extra=_EVALUATION)
async def evaluate_flags(request: Request) -> Response:
    """All flags for the context in the body; 304 where the client has this answer already."""
    try:
        served_by, environment, key = await entered(request)
        context = await context_of(request)
        await _catch_up(request, environment)
    except DomainError as refusal:
        return _refused(refusal, {})
    snapshot = environment.snapshot
    served = snapshot.all(context)
    served_by.counts.count(environment.name, context, served)
    served_by.samples.note(environment.name, context)
    body = b'{"flags":[%b],"eventStreams":[%b],"metadata":{"environment":"%b"}}' % (
        b",".join([item.body for item in served]),
        _stream_of(served_by.resources, environment, key),
        environment.name.encode(),
    )
    etag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"etag": etag, "cache-control": "no-cache", **_OPEN_TO_PAGES}
    if _has(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, media_type=_JSON)


@router.get(streams.PATH, openapi_extra={"x-permission": "flags:evaluate"})
async def events(request: Request) -> Any:
    """The stream that tells of each publish, by the ticket of a bulk answer or by a key."""
    try:
        served_by = _delivery()
        ticket = parse_qs(request.url.query).get("ticket", [""])[0]
        if ticket:
            name = streams.environment_of_ticket(served_by.resources, ticket)
            if name is None:
                raise Unauthenticated("The ticket of this stream is not valid any more.")
            environment = served_by.environments[name]
        else:
            _, environment, _ = await entered(request)
        last_seen = request.headers.get("last-event-id")
        return streams.EventStream(environment, last_seen, _OPEN_TO_PAGES)
    except DomainError as refusal:
        return _refused(refusal, {})


@router.options("/ofrep/v1/{rest:path}", include_in_schema=False)  # noqa: FAST003
async def preflight(_: Request) -> Response:
    """Let pages of any origin ask: what opens flags is a key, which no browser sends by itself."""
    return Response(status_code=204, headers=_PREFLIGHT)


def _delivery() -> Delivery:
    found = delivery.current()
    if found is None:
        raise Unavailable("Flags are not served here.")
    return found


async def entered(request: Request) -> tuple[Delivery, ServedEnvironment, Key]:
    """Who asks, and the environment that their key opens."""
    served_by = _delivery()
    token = request.headers.get("x-api-key") or token_of(request)
    if not token:
        raise Unauthenticated("Send an API key as a Bearer token or in X-API-Key.")
    key = await served_by.keys.open(token)
    if key is None:
        await _charge_for_wrong(request, served_by.resources)
        raise Unauthenticated("This API key is not known, or not valid any more.")
    return served_by, served_by.environments[key.environment], key


async def _charge_for_wrong(request: Request, resources: Resources) -> None:
    """A wrong key costs its address some of a small budget, as everywhere."""
    try:
        await take(
            resources.redis, f"wrong-token:{client_address(request)}", rate_per_s=1, burst=60
        )
    except RedisError as error:
        raise Unavailable("Keys cannot be checked right now.") from error


async def context_of(request: Request) -> Mapping[str, Any]:
    try:
        raw = await body_of(request, LARGEST_CONTEXT)
    except TooLarge as error:
        detail = f"A context may have {LARGEST_CONTEXT} bytes, and this one has more."
        raise InvalidContext(detail) from error
    try:
        body = orjson.loads(raw) if raw.strip() else {}
    except orjson.JSONDecodeError as error:
        raise _ParseError(f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise _ParseError("The body is not a JSON object.")
    context = body.get("context")
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise InvalidContext("The context is not an object.")
    if not isinstance(context.get("targetingKey", ""), str | None):  # null is nobody
        raise InvalidContext("The targetingKey is not a string.")
    return context


async def _catch_up(request: Request, environment: ServedEnvironment) -> None:
    """Wait a moment for a version that another process has told the client of already."""
    if not request.scope["query_string"]:
        return
    told = parse_qs(request.url.query).get("flagConfigEtag", [""])[0].strip('"')
    version = told.removeprefix("v")
    if version.isdecimal() and len(version) < 18 and int(version) > environment.version:
        await environment.newer_than(environment.version, within_s=_CATCH_UP_S)


def _stream_of(resources: Resources, environment: ServedEnvironment, key: Key) -> bytes:
    ticket = streams.ticket_of(resources, environment.name, key.digest)
    url = f"{resources.settings.public_url.rstrip('/')}{streams.PATH}?ticket={ticket}"
    return orjson.dumps({"type": "sse", "url": url, "inactivityDelaySec": streams.INACTIVE_AFTER_S})


def _has(wanted: str | None, etag: str) -> bool:
    """Whether `If-None-Match` names this entity tag; by its content, weak or strong."""
    if not wanted:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in wanted.split(",")]
    return "*" in tags or etag in tags


def _refused(refusal: DomainError, about: dict[str, str]) -> Response:
    """A refusal in OFREP's words."""
    told = {
        **about,
        "errorCode": _CODES.get(type(refusal), "GENERAL"),
        "errorDetails": refusal.detail,
    }
    headers = {**refusal.headers, **_OPEN_TO_PAGES}
    return Response(orjson.dumps(told), refusal.status, headers, media_type=_JSON)
