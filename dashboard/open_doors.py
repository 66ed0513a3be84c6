"""The console as Reflex serves it, with doors of its own for pages of every origin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.istate.manager.redis import StateManagerRedis
from reflex.utils.token_manager import RedisTokenManager
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.tab_claims import TabClaims
from dashboard.tab_states import TabStates

# Flags are read there by a key, which no browser sends by itself; the door answers preflights.
_OPEN = "/ofrep/"


class ConsoleApp(rx.App):
    """The console, with the open doors in front of it."""

    def __call__(self, *args: Any, **more: Any) -> ASGIApp:
        """The application to serve."""
        make: Callable[..., ASGIApp] = super().__call__
        return OpenDoors(make(*args, **more))

    def _setup_state(self) -> None:
        super()._setup_state()
        if isinstance(states := self._state_manager, StateManagerRedis):
            self._state_manager = TabStates.after(states)
        namespace = self.event_namespace
        if namespace and isinstance(namespace._token_manager, RedisTokenManager):
            namespace._token_manager = TabClaims(namespace._token_manager.redis)


class OpenDoors:
    """Passes a request on as if no page had sent it, where pages of every origin are welcome."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_OPEN):
            headers = [header for header in scope["headers"] if header[0] != b"origin"]
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, send)
