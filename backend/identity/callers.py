"""Who is calling over HTTP, and what an endpoint asks of them."""

import base64
import binascii
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from backend.identity.audit import record_denied
from backend.identity.policy import Denied, authorize
from backend.identity.rules import session_cookie
from backend.identity.schemas import Principal
from backend.identity.sessions import principal_of_session
from backend.identity.tokens import principal_of_bearer
from backend.platform.errors import Forbidden, Unauthenticated
from backend.platform.http import ALLOWANCE, Res, client_address
from backend.platform.ratelimit import take
from backend.platform.resources import Resources

# A program that works through a list; far above any person, far below what hurts the others.
CALLS_PER_S = 200.0
CALLS_AT_ONCE = 1_000

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ForeignOrigin(Forbidden):
    """A page of another origin used the session cookie."""

    code = "foreign_origin"
    title = "This request came from another site"


def token_of(connection: HTTPConnection) -> str | None:
    """The token of the Authorization header: Bearer, or the password of Basic."""
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password


def is_own_origin(connection: HTTPConnection, public_url: str) -> bool:
    """Whether a page of this console sent the request; no sign of it counts as foreign.

    Forms of pages under `no-referrer` say `null` for their origin; there the browser's own
    `Sec-Fetch-Site` tells, which no page can set.
    """
    origin = connection.headers.get("origin", "")
    if not origin or origin == "null":
        return connection.headers.get("sec-fetch-site") == "same-origin"
    parts = urlsplit(public_url)
    own_host = connection.headers.get("host", "")
    return origin == f"{parts.scheme}://{parts.netloc}" or urlsplit(origin).netloc == own_host


async def identify(connection: HTTPConnection, resources: Resources) -> Principal | None:
    """The caller by token or session cookie, None for a stranger.

    A wrong token costs its address from a small budget; raises RateLimited when that is spent.
    """
    token = token_of(connection)
    if token is not None:
        principal = await principal_of_bearer(resources, token)
        if principal is not None:
            return replace(principal, address=client_address(connection))
        key = f"wrong-token:{client_address(connection)}"
        await take(resources.redis, key, rate_per_s=1, burst=60)
        return None
    cookie = connection.cookies.get(session_cookie(secure=resources.settings.secure_cookies))
    return await principal_of_session(resources, cookie) if cookie else None


async def caller(request: Request, resources: Res) -> AsyncIterator[Principal]:
    """The caller of an endpoint; raises Unauthenticated, or RateLimited for one who asks too often.

    A refusal further in is recorded.
    """
    principal = await identify(request, resources)
    if principal is None:
        raise Unauthenticated
    request.scope[ALLOWANCE] = await take(
        resources.redis,
        f"caller:{principal.token_id or principal.id}",
        rate_per_s=CALLS_PER_S,
        burst=CALLS_AT_ONCE,
    )
    changes_by_cookie = principal.session_id is not None and request.method not in _SAFE_METHODS
    if changes_by_cookie and not is_own_origin(request, resources.settings.public_url):
        raise ForeignOrigin
    try:
        yield principal
    except Denied as denied:
        target = f"{request.method} {request.url.path}"
        await record_denied(resources, denied, target)
        raise


Caller = Annotated[Principal, Depends(caller)]


class Requirement:
    """A dependency that lets a caller through who holds `permission` anywhere at all."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    async def __call__(self, principal: Caller) -> Principal:
        authorize(principal, self.permission)
        return principal


def requires(permission: str) -> Requirement:
    """What an endpoint asks: `Annotated[Principal, Depends(requires("drivers:read"))]`."""
    return Requirement(permission)
