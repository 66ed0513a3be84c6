"""The consoles of `waypost bench console`: sockets that speak Socket.IO as a browser tab does."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

NAMESPACE = "/_event"
_ROOT = "reflex___state____state"
_SHELL = f"{_ROOT}.dashboard___states___shell____shell_state"
_HYDRATE = f"{_ROOT}.hydrate"
_EVENT = f"{_SHELL}.show_fault"
_EVERY_S = 1.0
_LAST_ANSWERS_S = 3.0


@dataclass(slots=True)
class Tab:
    """One console: its socket, and when each thing it sent was answered."""

    socket: ClientConnection
    sent: dict[str, float] = field(default_factory=dict)
    pinged: float | None = None
    events: list[float] = field(default_factory=list)
    echoes: list[float] = field(default_factory=list)
    counting: bool = False

    async def listen(self) -> None:
        """Take in what comes until the socket closes."""
        with suppress(websockets.ConnectionClosed):
            async for message in self.socket:
                now = time.perf_counter()
                text = message if isinstance(message, str) else message.decode()
                if text == "2":
                    await self.socket.send("3")
                elif text.startswith(f"42{NAMESPACE},"):
                    self._take(json.loads(text.partition(",")[2]), now)

    def _take(self, message: list[Any], now: float) -> None:
        name, content = message
        if name == "ping":
            if self.pinged is not None and self.counting:
                self.echoes.append(now - self.pinged)
            self.pinged = None
            return
        notice = (content.get("delta") or {}).get(_SHELL, {}).get("notice_rx_state_")
        begun = self.sent.pop(notice["text"], None) if notice else None
        if begun is not None and self.counting:
            self.events.append(now - begun)

    async def fire(self, name: str, payload: dict[str, Any]) -> None:
        """Send one event to a handler."""
        event = {"name": name, "payload": payload, "router_data": {"pathname": "/"}}
        await self.socket.send(f"42{NAMESPACE},{json.dumps(['event', event])}")

    async def act(self, offset_s: float, until: float, *, echo: bool) -> None:
        """One event (or bare echo) a second, begun at this console's own part of the second."""
        due = time.perf_counter() + offset_s
        while due < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if echo:
                self.pinged = time.perf_counter()
                await self.socket.send(f'42{NAMESPACE},["ping"]')
            else:
                text = uuid.uuid4().hex
                self.sent[text] = time.perf_counter()
                await self.fire(_EVENT, {"text": text})
            due += _EVERY_S


async def open_tab(address: str, origin: str, cookie: str) -> Tab:
    """A connected and hydrated console."""
    url = f"ws://{address}{NAMESPACE}/?EIO=4&transport=websocket&token={uuid.uuid4()}"
    socket = await websockets.connect(
        url,
        additional_headers={"Cookie": f"waypost={cookie}", "Origin": origin},
        max_size=None,
        open_timeout=60,
        ping_interval=None,
        compression=None,
    )
    await socket.recv()
    await socket.send(f"40{NAMESPACE},")
    await socket.recv()
    tab = Tab(socket)
    await tab.fire(_HYDRATE, {})
    await socket.recv()
    return tab


async def run(asked: dict[str, Any]) -> dict[str, Any]:
    """Open all consoles, measure echoes, then events; answers their latencies in seconds."""
    opened: list[Tab] = []
    limit = asyncio.Semaphore(8)

    async def opening(cookie: str) -> None:
        async with limit:
            opened.append(await open_tab(asked["address"], asked["origin"], cookie))

    begun = time.perf_counter()
    await asyncio.gather(*(opening(cookie) for cookie in asked["cookies"]))
    took = time.perf_counter() - begun
    listening = [asyncio.create_task(tab.listen()) for tab in opened]
    for echo in (True, False):
        await _phase(opened, asked, echo=echo)
    lost = sum(len(tab.sent) for tab in opened)
    for tab in opened:
        await tab.socket.close()
    await asyncio.gather(*listening)
    return {
        "events": [each for tab in opened for each in tab.events],
        "echoes": [each for tab in opened for each in tab.echoes],
        "lost": lost,
        "open_s": took,
    }


async def _phase(opened: list[Tab], asked: dict[str, Any], *, echo: bool) -> None:
    until = time.perf_counter() + asked["warm_up_s"] + asked["seconds"]
    acting = [
        asyncio.create_task(tab.act(_EVERY_S * number / len(opened), until, echo=echo))
        for number, tab in enumerate(opened)
    ]
    await asyncio.sleep(asked["warm_up_s"])
    for tab in opened:
        tab.counting = True
    await asyncio.gather(*acting)
    await asyncio.sleep(_LAST_ANSWERS_S)
    for tab in opened:
        tab.counting = False


if __name__ == "__main__":
    result = asyncio.run(run(json.load(sys.stdin)))
    sys.stdout.write(json.dumps(result))
