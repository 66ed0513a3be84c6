"""The doorway of the live map, `WS /api/live`: who is asking, and what they may see."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import Unavailable
from backend.platform.origins import allowed_origin
from backend.platform.resources import Resources, current
from backend.platform.scopes import covers
from backend.platform.telemetry import get_logger
from backend.tracking import live_hub
from backend.tracking.live_connection import LiveConnection
from backend.tracking.live_hub import TooManyViewers
from backend.tracking.live_messages import CloseCode, dump
from backend.tracking.live_viewer import Access, Viewer

PERMISSION = "positions:read"
NAMES_PERMISSION = "drivers:read"
_STORES_DOWN = (RedisError, SQLAlchemyError, OSError, Unavailable)

router = APIRouter()
_log = get_logger(__name__)


class Caller:
    """Whoever opened a socket, asked for again as long as it is open."""

    def __init__(self, resources: Resources, socket: WebSocket) -> None:
        self._resources = resources
        scheme, _, token = socket.headers.get("authorization", "").partition(" ")
        self._token = token.strip() if scheme.lower() == "bearer" else None
        cookie = identity.session_cookie(secure=resources.settings.secure_cookies)
        self._cookie = socket.cookies.get(cookie, "")

    @property
    def by_token(self) -> bool:
        """Whether a token was sent, which no foreign page can make a browser do."""
        return self._token is not None

    async def principal(self, *, active: bool) -> Principal | None:
        """Who it is, None when the token or session is not valid any more."""
        if self._token is not None:
            return await identity.principal_of_bearer(self._resources, self._token)
        return await identity.principal_of_session(self._resources, self._cookie, touch=active)


def access_of(principal: Principal) -> Access | None:
    """What the live map shows to a principal, None when it shows nothing."""
    scopes = identity.scopes(principal, PERMISSION)
    if not scopes:
        return None
    named = identity.scopes(principal, NAMES_PERMISSION)
    sees_names = all(any(covers(name, scope) for name in named) for scope in scopes)
    return Access(tuple(sorted(scopes)), sees_names)


@router.websocket("/api/live")
async def live(socket: WebSocket) -> None:
    """Serve the live map; the protocol is described in `live_frames` and `live_messages`."""
    resources = current()
    caller = Caller(resources, socket)
    if not caller.by_token and not allowed_origin(resources.settings, socket.headers.get("origin")):
        await socket.send_denial_response(PlainTextResponse("foreign origin", 403))
        return
    try:
        principal = await caller.principal(active=True)
    except _STORES_DOWN as error:
        _log.warning("live_cannot_tell_caller", error=repr(error))
        await socket.send_denial_response(PlainTextResponse("try again", 503))
        return
    await socket.accept()
    if principal is None:
        await _refuse(
            socket, CloseCode.UNAUTHENTICATED, "unauthenticated", "Sign in or send a valid token."
        )
        return
    access = access_of(principal)
    if access is None:
        await identity.record_denial(resources, principal, PERMISSION, target="/api/live")
        await _refuse(
            socket, CloseCode.FORBIDDEN, "forbidden", "Your roles do not include the live map."
        )
        return
    await _serve(socket, caller, principal, access)


async def _serve(socket: WebSocket, caller: Caller, principal: Principal, access: Access) -> None:
    hub = live_hub.current()
    if hub is None:
        await _refuse(socket, CloseCode.TRY_LATER, "going_away", "The live map is not running.")
        return

    async def check(active: bool) -> Access | None:
        try:
            present = await caller.principal(active=active)
        except _STORES_DOWN as error:
            # Without the store nobody can be told apart, and nothing new is shown either.
            _log.warning("live_cannot_tell_caller", error=repr(error))
            return viewer.access
        return None if present is None else access_of(present)

    viewer = Viewer(principal.id, principal.session_id, access)
    try:
        hub.join(viewer)
    except TooManyViewers:
        await _refuse(
            socket, CloseCode.TOO_MANY, "too_many_viewers", "Close one of your other live maps."
        )
        return
    try:
        await LiveConnection(socket, hub, viewer, check).serve()
    finally:
        hub.leave(viewer)


async def _refuse(socket: WebSocket, close_code: int, code: str, detail: str) -> None:
    """Close with a reason that a page can read, which it cannot of a refused handshake."""
    await socket.send_text(dump("error", code=code, detail=detail))
    await socket.close(close_code, detail)
