"""A served console without pages, and consoles that speak to it as browsers and as attackers do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.request import urlopen

import aiohttp
import pytest
import socketio

from backend.identity import service as identity
from backend.identity.access import DirectoryPerson, enrol
from backend.identity.schemas import GrantScope
from backend.platform.resources import Resources
from backend.settings import Settings
from tests.support.system import free_port

NAMESPACE = "/_event"
_ROOT = "reflex___state____state"
_STATES = f"{_ROOT}.dashboard___states___"
SHELL = f"{_STATES}shell____shell_state"


@dataclass(frozen=True, slots=True)
class Served:
    """Where the console listens."""

    port: int

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="session")
def served(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The console in a process of its own, on the test's stores."""
    port = free_port()
    log = tmp_path_factory.mktemp("console") / "web.log"
    environment = {
        **os.environ,
        "WAYPOST_PUBLIC_URL": f"http://localhost:{port}",
        "__REFLEX_SKIP_COMPILE": "true",
    }
    command = [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--http", "1"),
        *("--port", str(port), "--workers", "1", "--log-level", "warning"),
        *("--workers-kill-timeout", "5"),
        "dashboard.dashboard:app",
    ]
    with log.open("w") as sink:
        process = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink)
    try:
        _wait_until_it_answers(port, process, log)
        yield Served(port)
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes], log: Any) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/ping", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the console did not start:\n{log.read_text()}")


SignIn = Callable[..., Awaitable[str]]


@pytest.fixture
def sign_in(resources: Resources) -> SignIn:
    """A function that enrols a person with grants and answers their session cookie's value."""

    async def begin(name: str, *grants: tuple[str, str]) -> str:
        held = tuple(GrantScope(role, region) for role, region in grants)
        async with resources.database.unit_of_work() as session:
            person_id, _ = await enrol(
                session, DirectoryPerson("tenant", name, name, f"{name}@waypost.example", held)
            )
        return await identity.begin_session(
            resources, identity.Visitor(person_id, name, None, "127.0.0.1", "test")
        )

    return begin


@dataclass(slots=True)
class Console:
    """One socket to the console, as a browser tab holds one."""

    socket: socketio.AsyncClient
    updates: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(
        self, name: str, payload: dict[str, Any] | None = None, *, path: str = "/"
    ) -> None:
        """Fire an event by its full name, from the page at a path."""
        where = {"pathname": path, "asPath": path}
        event = {"name": name, "payload": payload or {}, "router_data": where}
        await self.socket.emit("event", event, namespace=NAMESPACE)

    async def notice_like(self, words: str, *, within_s: float = 30) -> str:
        """The next message of the frame that holds `words`."""
        async with asyncio.timeout(within_s):
            while True:
                update = await self.updates.get()
                shell = (update.get("delta") or {}).get(SHELL, {})
                text = str(shell.get("notice_rx_state_", {}).get("text", ""))
                if words in text:
                    return text


def state_of(module: str) -> str:
    """The full name of the state that a module of `dashboard.states` is named after."""
    return f"{_STATES}{module}____{module}_state"


async def send(
    console: Console, name: str, path: str, payload: dict[str, Any] | None = None, query: str = ""
) -> None:
    """Fire an event from a page with its query, as its browser does."""
    asked = dict(part.split("=", 1) for part in query.split("&") if part)
    at = f"{path}?{query}" if query else path
    event = {
        "name": name,
        "payload": payload or {},
        "router_data": {"pathname": path, "query": asked, "asPath": at},
    }
    await console.socket.emit("event", event, namespace=NAMESPACE)


async def seen(console: Console, state: str, found: Callable[[dict[str, Any]], Any]) -> Any:
    """What `found` makes of the first change of a state that it likes."""
    async with asyncio.timeout(30):
        while True:
            update = await console.updates.get()
            delta = (update.get("delta") or {}).get(state, {})
            changed = {name.removesuffix("_rx_state_"): value for name, value in delta.items()}
            if changed and (hit := found(changed)):
                return hit


Connect = Callable[..., Any]


@pytest.fixture
def connect(served: Served) -> Connect:
    """A context manager that opens a socket; raises ConnectionError where it is refused."""

    @asynccontextmanager
    async def opened(
        cookie: str | None,
        *,
        token: str | None = None,
        origin: str | None = served.origin,
    ) -> AsyncIterator[Console]:
        headers = {}
        if cookie is not None:
            headers["Cookie"] = f"waypost={cookie}"
        if origin is not None:
            headers["Origin"] = origin
        async with aiohttp.ClientSession() as http:
            socket = socketio.AsyncClient(reconnection=False, http_session=http)
            console = Console(socket)

            async def lost(*_: Any) -> None:
                console.closed.set()

            socket.on("event", console.updates.put, namespace=NAMESPACE)
            socket.on("disconnect", lost, namespace=NAMESPACE)
            try:
                await socket.connect(
                    f"{served.origin}?token={uuid.uuid4() if token is None else token}",
                    headers=headers,
                    transports=["websocket"],
                    namespaces=[NAMESPACE],
                    socketio_path=NAMESPACE,
                    wait_timeout=30,
                )
            except socketio.exceptions.ConnectionError as error:
                raise ConnectionError(str(error)) from error
            try:
                yield console
            finally:
                await socket.disconnect()

    return opened
