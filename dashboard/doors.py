"""The open sockets of this process, and closing those whose session has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import reflex as rx

from backend.identity import service as identity
from backend.identity.schemas import Principal, Revocation
from backend.platform.resources import current
from backend.platform.telemetry import get_logger

SCOPE_KEY = "waypost.principal"
"""Where the gate leaves who opened a socket."""

_log = get_logger(__name__)


def open_sockets(app: rx.App) -> list[tuple[str, Principal]]:
    """Engine id and opener of every socket of this process."""
    sio: Any = app.sio
    found = []
    for engine_id, environ in list(sio.environ.items()):
        principal = environ.get("asgi.scope", {}).get(SCOPE_KEY)
        if principal is not None:
            found.append((engine_id, principal))
    return found


async def close_where(app: rx.App, judge: Callable[[Principal], bool], reason: str) -> int:
    """Close the sockets `judge` names; the browser then finds its session over and signs in."""
    closed = 0
    for engine_id, principal in open_sockets(app):
        if judge(principal):
            await _close(app, engine_id)
            closed += 1
    if closed:
        _log.info("console_sockets_closed", count=closed, reason=reason)
    return closed


async def close_token(app: rx.App, client_token: str) -> None:
    """Close the socket that a client token came in by, if it is one of this process."""
    namespace = app.event_namespace
    sid = namespace.token_to_sid.get(client_token) if namespace else None
    if namespace is None or sid is None:
        return
    sio: Any = app.sio
    engine_id = sio.manager.eio_sid_from_sid(sid, namespace.namespace)
    if engine_id is not None:
        await _close(app, engine_id)


async def _close(app: rx.App, engine_id: str) -> None:
    # The transport, not only the namespace: the browser then tries again at once, is refused at
    # the gate and goes to the sign-in page.
    sio: Any = app.sio
    with suppress(KeyError):
        await sio.eio.disconnect(engine_id)


@asynccontextmanager
async def watch(app: rx.App) -> AsyncIterator[None]:
    """Close sockets within a second of their session's end, for as long as this is open."""

    async def revoked(revocation: Revocation) -> None:
        def meant(principal: Principal) -> bool:
            if revocation.session_id is not None:
                return principal.session_id == revocation.session_id
            return principal.id == revocation.principal_id

        await close_where(app, meant, revocation.reason)

    def held() -> set[str]:
        return {who.session_id for _, who in open_sockets(app) if who.session_id}

    stop = asyncio.Event()
    forget = identity.on_revoked(revoked, held)
    watcher = asyncio.create_task(
        identity.watch_revocations(current(), stop), name="revocation watcher"
    )
    try:
        yield
    finally:
        stop.set()
        forget()
        watcher.cancel()
        await asyncio.wait([watcher])
