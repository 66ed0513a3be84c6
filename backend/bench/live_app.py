"""The web process that `waypost bench live` measures: the API with its hub, and a naive rival."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.api import create_api
from backend.bench.live_viewers import NAIVE_PATH
from backend.identity.service import watch_revocations
from backend.platform.resources import open_resources
from backend.platform.telemetry import configure
from backend.settings import get_settings
from backend.tracking import live_hub


@asynccontextmanager
async def _serving(_: FastAPI) -> AsyncIterator[None]:
    settings, stop = get_settings(), asyncio.Event()
    configure("bench-live", settings)
    async with open_resources(settings) as resources, live_hub.live_hub(resources):
        watch = asyncio.create_task(watch_revocations(resources, stop))
        yield
        stop.set()
        await watch


def create() -> FastAPI:
    """The application for Granian's `--factory`."""
    app = create_api()
    app.router.lifespan_context = _serving
    app.add_api_websocket_route(NAIVE_PATH, naive)
    return app


async def naive(socket: WebSocket) -> None:
    """The feed as it is often written: every second every driver as JSON, to each viewer."""
    await socket.accept()
    hub = live_hub.current()
    assert hub is not None
    with suppress(WebSocketDisconnect, RuntimeError, OSError):
        while True:
            await asyncio.sleep(hub.tick_s)
            await socket.send_text(orjson.dumps(_everything(hub)).decode())


def _everything(hub: live_hub.LiveHub) -> list[dict[str, Any]]:
    table = hub.table
    names = ("lat_e7", "lon_e7", "bearing", "speed", "battery", "status", "effective_ms")
    columns = [table.column(name).tolist() for name in names]
    return [
        {
            "id": str(details.id),
            "lat": lat / 1e7,
            "lon": lon / 1e7,
            "bearing": bearing * 2,
            "speed": speed / 4,
            "battery": battery,
            "status": status,
            "at": effective_ms,
        }
        for details, lat, lon, bearing, speed, battery, status, effective_ms in zip(
            table.details, *columns, strict=True
        )
        if details is not None
    ]
