"""What every HTTP endpoint shares: unit of work, problem details, bounds and headers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from time import perf_counter
from typing import Annotated, Any

import orjson
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from opentelemetry.context import attach, detach
from opentelemetry.trace import StatusCode, set_span_in_context
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.platform import indicators
from backend.platform.errors import (
    BadRequest,
    Conflict,
    DomainError,
    FieldError,
    InternalError,
    Invalid,
    TooLarge,
    Unavailable,
)
from backend.platform.redis import unavailable
from backend.platform.resources import Resources, current
from backend.platform.telemetry import get_logger, meter, tracer

ALLOWANCE = "waypost.allowance"
"""Where a request's scope keeps what its caller may still ask for; the answer tells it."""

MAX_BODY_BYTES = 2 * 1024 * 1024

# Classes of SQLSTATE: data exception, integrity constraint violation, syntax error or access rule.
_BAD_VALUE, _BROKEN_RULE, _BAD_STATEMENT = "22", "23", "42"

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

_log = get_logger(__name__)
_requests = meter.create_histogram(
    "waypost.http.duration", "s", "Time to answer, by route and status class"
)


def opened_resources() -> Resources:
    """The process's open connections, as a dependency."""
    return current()


Res = Annotated[Resources, Depends(opened_resources)]


async def _unit_of_work(resources: Res) -> AsyncIterator[AsyncSession]:
    async with resources.database.unit_of_work() as session:
        yield session


# scope="function" ends the dependency, and so commits, before the answer is sent.
Uow = Annotated[AsyncSession, Depends(_unit_of_work, scope="function")]


def problem(error: DomainError) -> Response:
    """The problem-details answer to a domain error (RFC 9457)."""
    body: dict[str, Any] = {
        "type": f"urn:waypost:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": _written(error.detail),
    }
    if error.errors:
        body["errors"] = [
            {
                "pointer": _written(fault.pointer),
                "code": fault.code,
                "detail": _written(fault.detail),
            }
            for fault in error.errors
        ]
    return Response(
        orjson.dumps(body), error.status, error.headers, media_type="application/problem+json"
    )


def _written(text: str) -> str:
    """A text as it can be sent: what senders name may hold half a character."""
    return text.encode("utf-8", "replace").decode()


async def _domain_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return problem(error)


def field_errors(error: RequestValidationError) -> list[FieldError]:
    """Each fault of a request as a pointer, a code and a sentence."""
    faults = []
    for fault in error.errors():
        place, *path = fault["loc"]
        parts = path if place == "body" else [place, *path]
        pointer = "".join(f"/{part}" for part in parts)
        faults.append(FieldError(pointer, str(fault["type"]), str(fault["msg"])))
    return faults


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(Invalid(errors=field_errors(error)))


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = {
        "type": "about:blank",
        "title": str(error.detail),
        "status": error.status_code,
        "detail": str(error.detail),
    }
    return JSONResponse(
        body, error.status_code, error.headers, media_type="application/problem+json"
    )


async def _broke_off(_: Request, __: Exception) -> Response:
    """A body that ends before its end is its sender's fault, whoever is left to read the answer."""
    return problem(BadRequest("The body broke off before its end."))


async def _store_failed(request: Request, error: Exception) -> Response:
    """What the database says of the values in a statement is told apart from its being away."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    if state.startswith(_BAD_VALUE):
        return problem(BadRequest("A value in this request cannot be looked up or kept."))
    if state.startswith(_BROKEN_RULE):
        return problem(Conflict())
    if state.startswith(_BAD_STATEMENT):
        return await _bug(request, error)
    _log.error("store_unavailable", path=request.url.path, error=repr(error))
    if isinstance(error, RedisError):
        return problem(unavailable(error))
    return problem(Unavailable("The database does not answer; nothing was accepted."))


async def _bug(request: Request, error: Exception) -> Response:
    _log.error("unhandled_error", path=request.url.path, exc_info=error)
    return problem(InternalError("The fault was logged; the request may be tried again."))


def install_error_handlers(api: FastAPI) -> None:
    """Answer every exception with problem details."""
    api.add_exception_handler(DomainError, _domain_error)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(ClientDisconnect, _broke_off)
    for failure in (RedisError, DBAPIError, PoolTimeout, OSError):
        api.add_exception_handler(failure, _store_failed)
    api.add_exception_handler(Exception, _bug)


def client_address(connection: HTTPConnection) -> str:
    """The address the request came from, for limits and the audit trail.

    Behind trusted proxies it is the last one in `X-Forwarded-For` that is none of theirs: what
    stands before it is the sender's own word.
    """
    address = connection.client.host if connection.client else "unknown"
    trusted = current().settings.trusted_proxies
    if not trusted or not _lies_in(address, trusted):
        return address
    named = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    for hop in reversed(named):
        if not (hop := hop.strip()):
            break
        address = hop
        if not _lies_in(address, trusted):
            break
    return address


def _lies_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


class _BodyTooLarge(Exception):
    """The body went over its bound while it was being read."""


class BoundedBody:
    """Refuse a body over `limit` bytes, announced or counted, before it is held in memory.

    `limits` has those of paths that take more.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int = MAX_BODY_BYTES,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._limit = limit
        self._limits = limits or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.get(scope["path"], self._limit)
        announced = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > limit:
            await self._refuse(limit, scope, receive, send)
            return
        seen = 0
        started = False

        async def bounded_receive() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _BodyTooLarge
            return message

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, bounded_receive, watched_send)
        except _BodyTooLarge:
            if not started:
                await self._refuse(limit, scope, receive, send)

    async def _refuse(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem(TooLarge(f"The body is larger than {limit} bytes."))
        # The rest of the body stays unread, and with it this connection unusable.
        answer.headers["Connection"] = "close"
        await answer(scope, receive, send)


class Observed:
    """One span and one duration per request, named by its route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # The attributes of a measurement; there are as many as routes, methods and classes.
        self._labels: dict[tuple[str, str, int], dict[str, str]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 500
        place = indicators.begin_answer()

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if allowance := scope.get(ALLOWANCE):
                    headers = MutableHeaders(scope=message)
                    for name, value in allowance.headers.items():
                        headers.setdefault(name, value)
            await send(message)

        # By hand, not by `start_as_current_span`: that costs as much as a whole small request.
        span = tracer.start_span(scope["method"])
        token = attach(set_span_in_context(span))
        try:
            await self._app(scope, receive, watched_send)
        except BaseException as error:
            if span.is_recording():
                span.record_exception(error)
                span.set_status(StatusCode.ERROR)
            raise
        finally:
            detach(token)
            route = getattr(scope.get("route"), "path", "unmatched")
            if span.is_recording():
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.response.status_code", status)
            span.end()
            took_s = perf_counter() - started
            _requests.record(took_s, self._labels_of(route, scope["method"], status // 100))
            indicators.count_answer(route, place[0], status, took_s)

    def _labels_of(self, route: str, method: str, kind: int) -> dict[str, str]:
        # A method is the sender's own word, and must not fill the memory.
        method = method if method in _METHODS else "other"
        key = (route, method, kind)
        found = self._labels.get(key)
        if found is None:
            found = {"route": route, "method": method, "status": f"{kind}xx"}
            self._labels[key] = found
        return found
