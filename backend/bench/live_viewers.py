"""Fifty map clients in a process of their own; prints as JSON what they saw.

The drivers of the measurement carry their time in their longitude: it grows by one unit of 10^-7
degrees each millisecond since `START_LON_E7`, so whoever sees a position knows how old it is.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from websockets.asyncio.client import ClientConnection, connect

from backend.tracking import live_frames
from backend.tracking.live_frames import Drivers, FrameKind

NAIVE_PATH = "/bench/naive"
START_LON_E7 = 1_000_000_000
BBOX = (100.0, 5.0, 100.9, 21.0)
_SAMPLE_S = 0.25
_AGE_STEP_MS = 10
_AGE_STEPS = 3_000


@dataclass(slots=True)
class Seen:
    """What one or all viewers saw while it counted."""

    shown: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(_AGE_STEPS, np.int64))
    arrived: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(_AGE_STEPS, np.int64))
    frames: int = 0
    skipped: int = 0
    drivers: int = 0
    frame_bytes: int = 0
    text_bytes: int = 0


@dataclass(slots=True)
class Viewer:
    """One map client, which keeps nothing but the longitude of each driver it shows."""

    socket: ClientConnection
    started_ms: int
    seen: Seen
    reads: bool = True
    counting: bool = False
    lon: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    tick: int = 0
    seq: int = 0

    def ages_ms(self, lon: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """How old positions with these longitudes are now."""
        now_ms = int(time.time() * 1000)
        return now_ms - self.started_ms - (lon[lon > 0] - START_LON_E7)

    def frame(self, message: bytes) -> None:
        """Apply a frame of the hub."""
        header, body = live_frames.unpack(message)
        assert isinstance(body, Drivers)
        if header.kind is FrameKind.SNAPSHOT:
            self.lon = np.zeros(0, np.int64)
        if len(body.slot):
            top = int(body.slot.max())
            if top >= len(self.lon):
                self.lon = np.concatenate((self.lon, np.zeros(top + 1 - len(self.lon), np.int64)))
            self.lon[body.slot] = body.lon_e7
        if self.counting:
            self.seen.frames += 1
            self.seen.skipped += max(0, header.tick - self.tick - 1) if self.tick else 0
            self.seen.drivers += len(body.slot)
            self.seen.frame_bytes += len(message)
            _count(self.seen.arrived, self.ages_ms(body.lon_e7.astype(np.int64)))
        self.tick, self.seq = header.tick, header.seq

    def everything(self, message: str) -> None:
        """Apply a message of the naive feed; one viewer in ten reads it, or this process was slow.

        The others are spared the parsing, so that the server and not its clients is measured.
        """
        if self.counting:
            self.seen.frames += 1
            self.seen.drivers += message.count('"id"')
            self.seen.frame_bytes += len(message)
        if not self.reads:
            return
        degrees = np.array([row["lon"] for row in orjson.loads(message)])
        self.lon = np.rint(degrees * 1e7).astype(np.int64)
        if self.counting:
            _count(self.seen.arrived, self.ages_ms(self.lon))

    async def receive(self, naive: bool) -> None:
        """Take messages until cancelled."""
        async for message in self.socket:
            if isinstance(message, bytes):
                self.frame(message)
                ack = {"type": "ack", "tick": self.tick, "seq": self.seq}
                await self.socket.send(orjson.dumps(ack).decode())
            elif naive:
                self.everything(message)
            elif self.counting:
                self.seen.text_bytes += len(message)

    async def look_again_and_again(self) -> None:
        """Note the age of every position on show, a few times a second."""
        await asyncio.sleep(random.random() * _SAMPLE_S)  # noqa: S311 - spreads the work
        while True:
            if self.counting:
                _count(self.seen.shown, self.ages_ms(self.lon))
            await asyncio.sleep(_SAMPLE_S)


def _count(histogram: npt.NDArray[np.int64], ages_ms: npt.NDArray[np.int64]) -> None:
    steps = np.clip(ages_ms // _AGE_STEP_MS, 0, _AGE_STEPS - 1)
    histogram += np.bincount(steps, minlength=_AGE_STEPS)


def percentile_s(histogram: npt.NDArray[np.int64], share: float) -> float:
    """The age in seconds below which that share of what was counted lies."""
    total = np.cumsum(histogram)
    if not total[-1]:
        return float("nan")
    return float((np.searchsorted(total, share * total[-1]) + 1) * _AGE_STEP_MS / 1000)


async def watch(
    url: str, tokens: list[str], started_ms: int, warm_up_s: float, seconds: float
) -> dict[str, Any]:
    """Open a viewer for each token, and tell what all of them saw in `seconds`."""
    naive = url.endswith(NAIVE_PATH)
    viewers: list[Viewer] = []
    seen = Seen()
    async with asyncio.TaskGroup() as group:
        tasks = []
        for index, token in enumerate(tokens):
            socket = await connect(
                url,
                additional_headers={"Authorization": f"Bearer {token}"},
                compression=None,
                max_size=None,
                proxy=None,
            )
            viewer = Viewer(socket, started_ms, seen, reads=not naive or index % 10 == 0)
            viewers.append(viewer)
            if not naive:
                # No two look at quite the same part of the map.
                bbox = [BBOX[0], BBOX[1] - index / 1000, BBOX[2], BBOX[3]]
                await socket.send(json.dumps({"type": "view", "bbox": bbox, "zoom": 10}))
            tasks.append(group.create_task(viewer.receive(naive)))
            tasks.append(group.create_task(viewer.look_again_and_again()))
        await asyncio.sleep(warm_up_s)
        print("counting", flush=True)  # noqa: T201 - read by the process that started this one
        for viewer in viewers:
            viewer.counting = True
        await asyncio.sleep(seconds)
        for viewer in viewers:
            viewer.counting = False
        for task in tasks:
            task.cancel()
    for viewer in viewers:
        viewer.socket.transport.abort()
    return {
        "shown_p95_s": percentile_s(seen.shown, 0.95),
        "shown_p50_s": percentile_s(seen.shown, 0.5),
        "arrived_p95_s": percentile_s(seen.arrived, 0.95),
        "frames": seen.frames,
        "skipped": seen.skipped,
        "drivers": seen.drivers,
        "frame_bytes": seen.frame_bytes,
        "text_bytes": seen.text_bytes,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(watch(**json.loads(sys.stdin.read())))))  # noqa: T201
