"""The ASGI gate in front of everything: who may open the console's socket, and what pages carry.

Every public function of a Reflex state can be called by whoever holds a socket, and a client token
opens the state behind it. So the socket opens only for a valid session, from this system's own
origin, and with a client token that no other session has used.
"""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus
from urllib.parse import parse_qs, quote, urlsplit

from redis.exceptions import RedisError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.platform.errors import DomainError
from backend.platform.resources import Resources, current
from backend.platform.telemetry import get_logger
from backend.settings import Settings, get_settings
from dashboard.cookies import TAB_COOKIE, session_cookie_of, tab_tag
from dashboard.doors import SCOPE_KEY
from dashboard.policy_headers import ConsolePolicy, common_headers

GUARDED = ("/_event", "/_upload")
NOT_PAGES = ("/api", "/auth", "/ofrep", "/metrics", "/track", "/ping", "/_")

_TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Reflex forgets a state an hour after its last use; the binding must outlive it.
_STATE_LIFE_S = 3_600 + 300
_READ_BEFORE_REFUSING = 65_536

_log = get_logger(__name__)


class Gate:
    """Wraps the API and the console."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._settings = get_settings()
        self._common = common_headers(self._settings)
        self._policy = ConsolePolicy(self._settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if _under(path, GUARDED):
            await self._guarded(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        elif path.endswith(".html"):
            # The files that pages are built into; their addresses are the pages' own.
            await PlainTextResponse("Not Found", 404)(scope, receive, self._dressed(send, path))
        elif is_page(path) and scope["method"] in ("GET", "HEAD"):
            await self._page(scope, receive, send)
        else:
            await self._app(scope, receive, self._dressed(send, path))

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            scope[SCOPE_KEY] = await self._admit(scope)
        except _Refused as refusal:
            _log.info("socket_refused", path=scope["path"], why=refusal.why)
            await _refuse(scope, receive, send, refusal)
            return
        except (RedisError, DomainError, OSError) as error:
            _log.error("gate_cannot_tell", error=repr(error))
            unavailable = _Refused("the session store does not answer", 503)
            await _refuse(scope, receive, send, unavailable)
            return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> Principal:
        headers = Headers(scope=scope)
        if headers.get("origin") != origin_of(self._settings):
            raise _Refused("foreign origin")
        if scope["type"] != "websocket" and _under(scope["path"], ("/_event",)):
            raise _Refused("not a websocket")
        resources = current()
        cookie = session_cookie_of("; ".join(headers.getlist("cookie")))
        principal = (
            await identity.principal_of_session(resources, cookie, touch=False) if cookie else None
        )
        if principal is None or principal.session_id is None:
            raise _Refused("no session")
        if scope["type"] == "websocket":
            await bind_token(resources, principal, scope["query_string"].decode("latin-1"))
        else:
            await bind_token(
                resources, principal, f"token={headers.get('reflex-client-token', '')}"
            )
        return principal

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        target = scope["path"]
        if query := scope["query_string"].decode("latin-1"):
            target = f"{target}?{query}"
        if home := self._own_name(headers.get("host", "")):
            await RedirectResponse(home + target, HTTPStatus.TEMPORARY_REDIRECT)(
                scope, receive, self._dressed(send, scope["path"])
            )
            return
        cookie = session_cookie_of("; ".join(headers.getlist("cookie")))
        principal = None
        if cookie:
            try:
                principal = await identity.principal_of_session(current(), cookie, touch=True)
            except (RedisError, DomainError, OSError) as error:
                _log.error("gate_cannot_tell", error=repr(error))
                await PlainTextResponse("Waypost cannot tell who you are right now.", 503)(
                    scope, receive, self._dressed(send, scope["path"])
                )
                return
        if principal is None or principal.session_id is None:
            login: Response = RedirectResponse(
                f"/auth/login?next={quote(target, safe='')}", HTTPStatus.SEE_OTHER
            )
            login.headers["cache-control"] = "no-store"
            await login(scope, receive, self._dressed(send, scope["path"]))
            return
        dressed = self._dressed(send, scope["path"], principal)
        if self._policy.is_folder(scope["path"]):
            # Named as the folder it is, or the file server would send the browser there.
            path = scope["path"].rstrip("/") + "/"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, dressed)

    def _own_name(self, host: str) -> str | None:
        """The public address, where a loopback system was asked for under another loopback name."""
        public = urlsplit(self._settings.public_url)
        asked = urlsplit(f"//{host}")
        loopback = ("localhost", "127.0.0.1", "::1")
        if (
            asked.hostname in loopback
            and public.hostname in loopback
            and asked.hostname != public.hostname
            and asked.port == public.port
        ):
            return origin_of(self._settings)
        return None

    def _dressed(self, send: Send, path: str, principal: Principal | None = None) -> Send:
        async def dressed_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._common:
                    headers.setdefault(name, value)
                if not _under(path, ("/api", "/auth", "/ofrep", "/metrics", "/track")):
                    headers.setdefault("content-security-policy", self._policy.of(path))
                if path.startswith("/assets/") and message["status"] == HTTPStatus.OK:
                    headers["cache-control"] = "public, max-age=31536000, immutable"
                elif principal is not None:
                    headers["cache-control"] = "no-cache, private"
                    headers.append("set-cookie", self._tab_cookie(principal))
            await send(message)

        return dressed_send

    def _tab_cookie(self, principal: Principal) -> str:
        secure = "; Secure" if self._settings.secure_cookies else ""
        tag = tab_tag(principal.session_id or "")
        return f"{TAB_COOKIE}={tag}; Path=/; SameSite=Lax{secure}"


class _Refused(Exception):
    """The door stays shut; `why` goes to the log, not to the caller."""

    def __init__(self, why: str, status: int = 403) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


async def bind_token(resources: Resources, principal: Principal, query: str) -> None:
    """Tie the client token in `query` to the session at first use; raises when another holds it."""
    tokens = parse_qs(query).get("token", [])
    if len(tokens) != 1 or not _TOKEN.fullmatch(tokens[0]):
        raise _Refused("no client token")
    assert principal.session_id is not None
    key = f"console:token:{hashlib.sha256(tokens[0].lower().encode()).hexdigest()}"
    life = resources.settings.session_absolute_s + _STATE_LIFE_S
    mine = principal.session_id.encode()
    holder = await resources.redis.set(key, mine, nx=True, ex=life, get=True)
    if holder is None:
        return
    if holder != mine:
        await identity.record_denial(
            resources, principal, "console:use", target="client token of another session"
        )
        raise _Refused("client token of another session")
    await resources.redis.expire(key, life)


def origin_of(settings: Settings) -> str:
    """The one origin pages are served from."""
    public = urlsplit(settings.public_url)
    return f"{public.scheme}://{public.netloc}"


def is_page(path: str) -> bool:
    """Whether the path is a page of the console and not a file or another doorway."""
    return not _under(path, NOT_PAGES) and "." not in path.rsplit("/", 1)[-1]


def _under(path: str, roots: tuple[str, ...]) -> bool:
    return any(
        path == root or path.startswith(root if root == "/_" else f"{root}/") for root in roots
    )


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: _Refused) -> None:
    if scope["type"] == "websocket":
        # A close before the accept is answered with 403 by the server.
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    # A short body is read first: a client that is still sending would miss the answer.
    read, more = 0, True
    while more and read < _READ_BEFORE_REFUSING:
        message = await receive()
        read += len(message.get("body", b""))
        more = bool(message.get("more_body", False))
    await PlainTextResponse(HTTPStatus(refusal.status).phrase, refusal.status)(scope, receive, send)
