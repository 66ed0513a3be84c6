"""Sends one webhook to an address of the public internet, and bounds all that comes back."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from ssl import SSLError
from time import perf_counter
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from backend.notifications.rules import is_loopback, is_public

TIMEOUT_S = 10.0
_MOST_READ = 16 * 1024
_MOST_KEPT = 2_000
_MOST_HEADERS = 20
_MOST_HEADER = 300
_MOST_CONNECTIONS = 100
_NOT_KEPT = frozenset({"set-cookie"})


class ForbiddenAddress(OSError):
    """The name leads to an address that nothing may be sent to."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of sending once: the answer, or why there was none."""

    status: int | None = None
    why: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    excerpt: str = ""
    duration_ms: int = 0
    retry_after_s: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


class Outbound:
    """The connections to receivers of one process.

    What an address is, is judged where its socket is made: after every look-up, for every spelling,
    and for no other address than the one that is then connected to.
    """

    def __init__(self, *, allow_loopback: bool, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._allow_loopback = allow_loopback
        self._open = AsyncExitStack()
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        secure: Callable[[str], bool] = is_public
        if self._allow_loopback:
            self._sessions["http"] = await self._session(is_loopback)
            secure = _public_or_own
        self._sessions["https"] = await self._session(secure)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def _session(self, permitted: Callable[[str], bool]) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            socket_factory=_guarded(permitted), use_dns_cache=False, limit=_MOST_CONNECTIONS
        )
        return await self._open.enter_async_context(
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        )

    async def send(self, url: str, body: str, headers: Mapping[str, str]) -> Attempt:
        """Post the body once; whatever goes wrong out there is part of the answer."""
        session = self._sessions.get(urlsplit(url).scheme)
        if session is None:
            return Attempt(why="Only https addresses are sent to.")
        started = perf_counter()
        try:
            async with session.post(
                url, data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                excerpt = await _read(answer)
                return _answered(answer, excerpt, _ms_since(started))
        except TimeoutError:
            why = f"No answer within {self._timeout_s:.0f} s."
        except aiohttp.ClientConnectorError as error:
            why = _refusal(error)
        except aiohttp.InvalidURL as error:
            why = f"Nothing is sent there: {_words(error)}"
        except (aiohttp.ClientError, OSError) as error:
            why = f"The connection broke: {_words(error)}"
        return Attempt(why=why, duration_ms=_ms_since(started))


def _guarded(permitted: Callable[[str], bool]) -> Callable[[Any], socket.socket]:
    def make(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if not permitted(address[0]):
            raise ForbiddenAddress(f"{address[0]} is not an address of the public internet")
        return socket.socket(family, kind, protocol)

    return make


def _public_or_own(address: str) -> bool:
    return is_public(address) or is_loopback(address)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The beginning of the body; the status counts, whatever becomes of the rest."""
    read = bytearray()
    try:
        async for chunk in answer.content.iter_any():
            read += chunk
            if len(read) >= _MOST_READ:
                answer.close()
                break
    except (TimeoutError, aiohttp.ClientError):
        answer.close()
    return bytes(read)


def _answered(answer: aiohttp.ClientResponse, excerpt: bytes, duration_ms: int) -> Attempt:
    kept = {
        str(name): value[:_MOST_HEADER]
        for name, value in answer.headers.items()
        if name.lower() not in _NOT_KEPT
    }
    why = None
    if 300 <= answer.status < 400:
        why = "Redirects are not followed."
    elif not 200 <= answer.status < 300:
        why = f"The receiver answered {answer.status}."
    # PostgreSQL's text holds any character but NUL.
    text = excerpt[:_MOST_KEPT].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    wait = answer.headers.get("retry-after", "")
    return Attempt(
        status=answer.status,
        why=why,
        headers=dict(list(kept.items())[:_MOST_HEADERS]),
        excerpt=text,
        duration_ms=duration_ms,
        retry_after_s=float(wait) if wait.isdecimal() and len(wait) < 7 else None,
    )


def _refusal(error: aiohttp.ClientConnectorError) -> str:
    cause = error.os_error
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"The name {error.host} could not be looked up."
    if isinstance(cause, ForbiddenAddress):
        return f"Nothing is sent there: {cause}."
    if isinstance(cause, SSLError) or isinstance(error, aiohttp.ClientSSLError):
        return f"The certificate or the encryption failed: {_words(error)}"
    return f"No connection to {error.host}: {_words(cause)}"


def _words(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:200]


def _ms_since(started: float) -> int:
    return round((perf_counter() - started) * 1000)


__all__ = ["TIMEOUT_S", "Attempt", "ForbiddenAddress", "Outbound"]
