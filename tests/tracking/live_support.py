"""A live hub behind a real server, fed by the test, and a map client that decodes its frames."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from fastapi import FastAPI
from granian.constants import Interfaces
from granian.server.embed import Server
from websockets.asyncio.client import ClientConnection, connect

from backend.identity.access import DirectoryPerson, enrol
from backend.identity.schemas import GrantScope
from backend.identity.service import Visitor, begin_session, session_cookie, watch_revocations
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.tracking import live_endpoint, live_frames, live_hub
from backend.tracking.live_frames import Cells, FrameKind, Header
from backend.tracking.live_hub import LiveHub, News
from backend.tracking.live_table import DriverDetails, States, Status, Thresholds

START_MS = 1_760_000_000_000
TICK_S = 0.05
WORLD = (-180.0, -90.0, 180.0, 90.0)
MANAGER = ("fleet_manager", "TH-10")
BANGKOK = (100.3, 13.5, 100.9, 14.0)


class HandFedSource:
    """A source whose news the test makes up."""

    def __init__(self) -> None:
        self.lost = False
        self.news = News()

    async def run(self, unknown: Callable[[], Sequence[bytes]]) -> None:
        await asyncio.Event().wait()

    def take(self) -> News:
        news, self.news = self.news, News()
        return news


@dataclass(slots=True)
class LiveFeed:
    """A running hub, its fleet and its clock, which stands still until it is moved."""

    resources: Resources
    hub: LiveHub
    source: HandFedSource
    url: str
    now_ms: int = START_MS

    def add(
        self, code: str, lat: float, lon: float, *, region: str = "TH-10", **details: Any
    ) -> UUID:
        """A driver with a fresh position, seen from the next tick on."""
        values = {
            "name": f"Driver {code}", "plate": None, "vehicle": "bike", "hub": None,
            "on_shift": True, **details,
        }  # fmt: skip
        driver = DriverDetails(id=uuid7(), code=code, region=region, **values)
        self.source.news.details.append(driver)
        self.move(driver.id, lat, lon)
        return driver.id

    def change(self, driver_id: UUID, **details: Any) -> None:
        """Other details of a driver."""
        slot = self.hub.table.slot(driver_id.bytes)
        assert slot is not None
        known = self.hub.table.details[slot]
        assert known is not None
        values = {name: getattr(known, name) for name in DriverDetails.__slots__}
        self.source.news.details.append(DriverDetails(**{**values, **details}))

    def move(self, driver_id: UUID, lat: float, lon: float, *, age_s: float = 0) -> None:
        """A newer position of a driver."""
        self.move_all([driver_id.bytes], np.array([lat]), np.array([lon]), age_s=age_s)

    def move_all(
        self, ids: Sequence[bytes], lat: np.ndarray, lon: np.ndarray, *, age_s: float = 0
    ) -> None:
        """Newer positions of many drivers."""
        n = len(ids)
        self.now_ms += 1
        states = States(
            np.full(n, self.now_ms - int(age_s * 1000), np.int64),
            (lat * 1e7).astype(np.int32),
            (lon * 1e7).astype(np.int32),
            np.full(n, 45, np.uint8),
            np.full(n, 20, np.uint8),
            np.full(n, 80, np.uint8),
            np.full(n, 10, np.uint16),
        )
        self.source.news.states.append((ids, states))

    async def ticks(self, count: int = 1) -> None:
        """Return after that many further ticks."""
        until = self.hub.table.tick + count
        while self.hub.table.tick < until:
            await asyncio.sleep(TICK_S / 4)

    async def sign_in(self, *grants: tuple[str, str]) -> str:
        """The session cookie of a new person with these grants of (role, region)."""
        held = tuple(GrantScope(role, region) for role, region in grants)
        person = DirectoryPerson(str(uuid4()), str(uuid4()), "Malee", None, held)
        async with self.resources.database.unit_of_work() as session:
            person_id, _ = await enrol(session, person)
        visitor = Visitor(person_id, "Malee", None, "127.0.0.1", "test")
        return await begin_session(self.resources, visitor)

    def open(self, cookie: str | None, *, origin: str | None = "", **options: Any) -> connect:
        """A socket to the feed with a cookie, from the console's own pages unless said."""
        name = session_cookie(secure=self.resources.settings.secure_cookies)
        headers = dict(options.pop("headers", {}))
        if cookie is not None:
            headers["Cookie"] = f"{name}={cookie}"
        own = self.resources.settings.public_url if origin == "" else origin
        return connect(
            self.url, additional_headers=headers, origin=own, max_size=None, compression=None,
            proxy=None, **options,
        )  # fmt: skip


@dataclass(slots=True)
class Map:
    """What a browser's map would hold after the frames it was sent."""

    socket: ClientConnection
    acknowledges: bool = True
    hello: dict[str, Any] = field(default_factory=dict)
    shown: dict[int, tuple[float, float, Status]] = field(default_factory=dict)
    details: dict[int, dict[str, Any]] = field(default_factory=dict)
    cells: Cells | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    pongs: int = 0
    frames: list[tuple[Header, int]] = field(default_factory=list)

    @property
    def codes(self) -> set[str]:
        """The codes of the drivers on the map; fails where one was not described yet."""
        return {self.details[slot]["code"] for slot in self.shown}

    @property
    def header(self) -> Header:
        """The header of the last frame."""
        return self.frames[-1][0]

    def status(self, code: str) -> Status:
        """The status in which a driver is shown."""
        return next(s for slot, (*_, s) in self.shown.items() if self.details[slot]["code"] == code)

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.socket.send(json.dumps(message))

    async def look(self, bbox: Sequence[float] = WORLD, zoom: float = 12, **more: Any) -> None:
        """Send a view and wait for the frame that answers it."""
        seq = more.pop("seq", len(self.frames) + 1)
        await self.say(type="view", bbox=list(bbox), zoom=zoom, seq=seq, **more)
        await self.until(lambda: self.frames and self.header.seq == seq)

    async def until(self, holds: Callable[[], Any], within_s: float = 30) -> None:
        """Take messages until a condition holds."""
        async with asyncio.timeout(within_s):
            while not holds():
                await self.take()

    async def take(self) -> None:
        """Apply the next message."""
        message = await self.socket.recv()
        if isinstance(message, bytes):
            self.apply(message)
            if self.acknowledges:
                await self.say(type="ack", tick=self.header.tick, seq=self.header.seq)
            return
        told = json.loads(message)
        match told.pop("type"):
            case "hello":
                if self.hello and self.hello["epoch"] != told["epoch"]:
                    self.shown.clear()
                    self.details.clear()
                self.hello = told
            case "drivers":
                for values in told["rows"]:
                    row = dict(zip(self.hello["driver_fields"], values, strict=True))
                    self.details[row["slot"]] = row
            case "error":
                self.errors.append(told)
            case "pong":
                self.pongs += 1
            case other:
                raise AssertionError(f"unknown message {other}")

    def apply(self, frame: bytes) -> None:
        """Apply a binary frame."""
        header, body = live_frames.unpack(frame)
        self.frames.append((header, len(frame)))
        if isinstance(body, Cells):
            self.cells = body
            self.shown.clear()
            return
        if header.kind is FrameKind.SNAPSHOT:
            self.shown.clear()
            self.cells = None
        rows = zip(
            body.slot.tolist(), body.lat_e7.tolist(), body.lon_e7.tolist(), body.state.tolist(),
            strict=True,
        )  # fmt: skip
        for slot, lat, lon, state in rows:
            self.shown[slot] = (lat / 1e7, lon / 1e7, Status(state & 3))
        for slot in body.removed.tolist():
            self.shown.pop(slot, None)

    async def described(self) -> None:
        """Wait until every driver shown has its details."""
        await self.until(lambda: self.shown.keys() <= self.details.keys())


@asynccontextmanager
async def on_the_map(opening: connect, **options: Any) -> AsyncIterator[Map]:
    """A map on an opened socket, after its hello."""
    async with opening as opened:
        shown = Map(opened, **options)
        await shown.until(lambda: shown.hello)
        yield shown


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[int]:
    """A real server on the app in this loop; its port."""
    port = _free_port()
    server = Server(app, port=port, interface=Interfaces.ASGI, log_enabled=False)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    break
        yield port
    finally:
        server.stop()
        await task


@asynccontextmanager
async def running_feed(resources: Resources) -> AsyncIterator[LiveFeed]:
    """A feed with nobody on it."""
    app = FastAPI()
    app.include_router(live_endpoint.router)
    source = HandFedSource()
    stop = asyncio.Event()
    watch = asyncio.create_task(watch_revocations(resources, stop))
    feed: LiveFeed
    hub = LiveHub(source, thresholds=Thresholds(), tick_s=TICK_S, now_ms=lambda: feed.now_ms)
    feed = LiveFeed(resources, hub, source, "")
    async with live_hub.running(hub), serving(app) as port:
        feed.url = f"ws://127.0.0.1:{port}/api/live"
        yield feed
    stop.set()
    await watch
