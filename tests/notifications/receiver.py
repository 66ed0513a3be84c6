"""A marketplace's receiver as a real HTTP server, which takes webhooks or fails on request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook

Answer = Callable[["Heard"], int | str]


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it came."""

    headers: dict[str, str]
    body: str

    def verified(self, secret: str) -> Any:
        """The message, after the library that receivers use has found its signature right."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(slots=True)
class Receiver:
    """What came in, and how to answer: a status, or a fault by name."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answer: Answer = lambda _: 200
    most_at_once: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    _now: int = 0

    def messages(self, secret: str) -> list[Any]:
        """Everything heard, each verified."""
        return [each.verified(secret) for each in self.heard]

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            heard = Heard(dict(request.headers), await request.text())
            self.heard.append(heard)
            return await self._answered(request, self.answer(heard))
        finally:
            self._now -= 1

    async def _answered(self, request: web.Request, answer: int | str) -> web.StreamResponse:
        match answer:
            case "slow":
                await self.released.wait()
                return web.Response()
            case "drop":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case "redirect":
                return web.Response(status=302, headers={"Location": f"{self.url}/elsewhere"})
            case "huge":
                return await _huge(request)
            case int():
                return web.Response(
                    status=answer, text=f"answer {answer}\0", headers={"Set-Cookie": "a=b"}
                )
        raise AssertionError(answer)


async def _huge(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"x" * 65_536)
    except ConnectionError:
        return response


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free loopback port."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        receiver.released.set()
        await runner.cleanup()
