"""Those who carry messages, as real servers on loopback: a gateway, Firebase, a mail server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSBnYXRld2F5IG9mIHRoZSB0ZXN0cw=="
Said = tuple[int, dict[str, Any]]


@dataclass(slots=True)
class GatewayServer:
    """What the gateway was sent, each checked for its signature, and what it answers."""

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], Said | str] = lambda _: (202, {})
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        message = Webhook(SECRET).verify(body, dict(request.headers))
        self.heard.append(message)
        self.ids.append(request.headers["webhook-id"])
        said = self.answer(message)
        if said == "slow":
            await self.released.wait()
            return web.Response()
        if said == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        assert not isinstance(said, str)
        return web.json_response(said[1], status=said[0])


@dataclass(slots=True)
class FirebaseServer:
    """Google's token endpoint and Firebase's, with the account that they know."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048))
    grants: list[dict[str, Any]] = field(default_factory=list)
    pushes: list[dict[str, Any]] = field(default_factory=list)
    answer: Said = (200, {"name": "projects/waypost/messages/1"})
    expires_in: int = 3600

    async def grant(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        token = jwt.decode(str(form["assertion"]), self.key)
        assert token.header["kid"] == "key-1"
        self.grants.append(token.claims)
        return web.json_response(
            {"access_token": f"token-{len(self.grants)}", "expires_in": self.expires_in}
        )

    async def take(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["authorization"] == f"Bearer token-{len(self.grants)}"
        self.pushes.append((await request.json())["message"])
        return web.json_response(self.answer[1], status=self.answer[0])

    def write_account(self, folder: Path) -> Path:
        """The key file as Google hands it out."""
        path = folder / "account.json"
        account = {
            "type": "service_account",
            "project_id": "waypost",
            "private_key_id": "key-1",
            "private_key": self.key.as_pem(private=True).decode(),
            "client_email": "push@waypost.iam.gserviceaccount.com",
        }
        path.write_bytes(orjson.dumps(account))
        return path


def fault(status: int, code: str) -> Said:
    """An error as Firebase spells it."""
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": code}]
    return status, {
        "error": {"code": status, "message": "No.", "status": "NOT_FOUND", "details": details}
    }


@asynccontextmanager
async def _serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def gateway_server() -> AsyncIterator[GatewayServer]:
    """A gateway on a free port."""
    server = GatewayServer()
    app = web.Application()
    app.router.add_post("/messages", server.take)
    async with _serving(app) as url:
        server.url = f"{url}/messages"
        try:
            yield server
        finally:
            server.released.set()


@asynccontextmanager
async def firebase_server() -> AsyncIterator[FirebaseServer]:
    """Google on a free port."""
    server = FirebaseServer()
    app = web.Application()
    app.router.add_post("/token", server.grant)
    app.router.add_post("/v1/projects/waypost/messages:send", server.take)
    async with _serving(app) as url:
        server.url = url
        yield server


__all__ = [
    "SECRET",
    "FirebaseServer",
    "GatewayServer",
    "fault",
    "firebase_server",
    "gateway_server",
]
