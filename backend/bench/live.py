"""`waypost bench live`: ten thousand moving drivers on fifty maps, against a naive JSON feed."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil

from backend.bench.live_viewers import NAIVE_PATH, START_LON_E7
from backend.bench.report import Figure
from backend.bench.running import free_port, fresh_stores, settings_for
from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform.embedded import Stores
from backend.platform.ids import uuid7
from backend.platform.processes import Child, Spec, answers
from backend.platform.resources import Resources, open_resources
from backend.settings import child_environment
from backend.tracking import live_repository
from backend.tracking.live_table import DriverDetails
from backend.tracking.livestate import LIVE_KEY, MOVED_CHANNEL, STATE

DRIVERS = 10_000
VIEWERS = 50
_BATCHES_PER_S = 10
_WARM_UP_S = 12.0
_SOUTH_E7 = 60_000_000
_LAT_STEP_E7 = 14_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one feed cost and showed."""

    seen: dict[str, Any]
    cores: float
    memory_mb: float

    @property
    def bytes_per_driver(self) -> float:
        """Bytes of frames, headers counted, for each position told."""
        return float(self.seen["frame_bytes"] / max(1, self.seen["drivers"]))


async def bench_live(seconds: int = 30) -> list[Figure]:
    """Measure the live feed, then the naive one in the same process with the same fleet."""
    async with (
        fresh_stores() as (data_dir, stores),
        open_resources(settings_for(data_dir, stores)) as resources,
    ):
        hub, naive = await _measure(resources, stores, data_dir, seconds)
    return _figures(hub, naive, seconds)


async def _measure(
    resources: Resources, stores: Stores, data_dir: Path, seconds: int
) -> tuple[Outcome, Outcome]:
    ids = await _fleet(resources)
    tokens = await _tokens(resources)
    async with _moving(resources, ids) as started_ms, _server(stores, data_dir) as server:
        address, pid = server
        outcomes = []
        for path in ("/api/live", NAIVE_PATH):
            asked = {
                "url": f"ws://{address}{path}",
                "tokens": tokens,
                "started_ms": started_ms,
                "warm_up_s": _WARM_UP_S,
                "seconds": seconds,
            }
            outcomes.append(await _watched(asked, pid, seconds))
        return outcomes[0], outcomes[1]


async def _fleet(resources: Resources) -> list[bytes]:
    fleet = [
        DriverDetails(
            id=uuid7(),
            code=f"DRV-{number:05}",
            name=f"Driver {number}",
            plate=f"{number % 10}AB {number:04}",
            vehicle="bike",
            hub=None,
            region="TH-10",
            on_shift=True,
        )
        for number in range(DRIVERS)
    ]
    async with resources.database.unit_of_work() as session:
        await live_repository.add_drivers(session, fleet)
    return [driver.id.bytes for driver in fleet]


async def _tokens(resources: Resources) -> list[str]:
    async with resources.database.unit_of_work() as session:
        issued = [
            await issue_api_token(
                session, SYSTEM, f"viewer-{number}", role="viewer", ttl=timedelta(hours=1)
            )
            for number in range(VIEWERS)
        ]
    return [token.secret for token in issued]


@asynccontextmanager
async def _moving(resources: Resources, ids: list[bytes]) -> AsyncIterator[int]:
    """Every driver moves once a second, in batches as the projector writes and publishes them."""
    started_ms = int(time.time() * 1000)
    task = asyncio.create_task(_move_for_ever(resources, ids, started_ms))
    try:
        yield started_ms
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _move_for_ever(resources: Resources, ids: list[bytes], started_ms: int) -> None:
    size = len(ids) // _BATCHES_PER_S
    due = time.monotonic()
    while True:
        for start in range(0, len(ids), size):
            batch = _states(ids, start, size, started_ms)
            async with resources.redis.pipeline(transaction=False) as pipe:
                pipe.hset(LIVE_KEY, mapping=batch)
                pipe.publish(MOVED_CHANNEL, b"".join(i + state for i, state in batch.items()))
                await pipe.execute()
            due = max(due + 1 / _BATCHES_PER_S, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))


def _states(ids: list[bytes], start: int, size: int, started_ms: int) -> dict[bytes, bytes]:
    now_ms = int(time.time() * 1000)
    lon = START_LON_E7 + now_ms - started_ms
    return {
        ids[number]: STATE.pack(
            now_ms, now_ms, _SOUTH_E7 + number * _LAT_STEP_E7, lon, 45, 44, 80, 0, 8, 0
        )
        for number in range(start, min(start + size, len(ids)))
    }


@asynccontextmanager
async def _server(stores: Stores, data_dir: Path) -> AsyncIterator[tuple[str, int]]:
    port = free_port()
    address = f"127.0.0.1:{port}"
    argv = [
        sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--loop", "uvloop",
        "--port", str(port), "--workers", "1", "--http", "1", "--log-level", "warning",
        "backend.bench.live_app:create",
    ]  # fmt: skip
    environment = child_environment(
        WAYPOST_ENV="development",
        WAYPOST_DATA_DIR=str(data_dir),
        WAYPOST_DATABASE_URL=stores.database_url,
        WAYPOST_REDIS_URL=stores.redis_url,
        WAYPOST_PUBLIC_URL=f"http://{address}",
    )
    url = f"http://{address}/api/health/live"
    spec = Spec("web", argv, lambda: answers(url), data_dir / "web.log", environment=environment)
    child = Child(spec)
    try:
        await asyncio.to_thread(child.wait_ready)
        yield address, child.pid
    finally:
        await asyncio.to_thread(child.stop)


async def _watched(asked: dict[str, Any], pid: int, seconds: int) -> Outcome:
    viewers = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "backend.bench.live_viewers",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert viewers.stdin is not None
    assert viewers.stdout is not None
    viewers.stdin.write(json.dumps(asked).encode())
    viewers.stdin.close()
    await viewers.stdout.readline()
    before, begun = _cpu_s(pid), time.monotonic()
    await asyncio.sleep(seconds - 0.5)
    cores = (_cpu_s(pid) - before) / (time.monotonic() - begun)
    memory_mb = max(process.memory_info().rss for process in _family(pid)) / 2**20
    answer = await viewers.stdout.read()
    if await viewers.wait() != 0:
        raise RuntimeError("the viewers failed; see above")
    return Outcome(json.loads(answer), cores, memory_mb)


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _cpu_s(pid: int) -> float:
    times = [process.cpu_times() for process in _family(pid)]
    return float(sum(each.user + each.system for each in times))


def _figures(hub: Outcome, naive: Outcome, seconds: int) -> list[Figure]:
    told, naively_told = hub.seen["drivers"] / seconds, naive.seen["drivers"] / seconds
    return [
        Figure("drivers moving", DRIVERS, "", "", f"{VIEWERS} viewers, all of them in view"),
        Figure("positions told", told, "/s", "", f"naive JSON {naively_told:,.0f}"),
        Figure(
            "age of a shown position, p95", hub.seen["shown_p95_s"], "s", "< 2",
            f"naive JSON {naive.seen['shown_p95_s']:.2f}",
        ),
        Figure(
            "age on arrival, p95", hub.seen["arrived_p95_s"], "s", "",
            f"naive JSON {naive.seen['arrived_p95_s']:.2f}",
        ),
        Figure("server processor", hub.cores, "cores", "< 1", f"naive JSON {naive.cores:.2f}"),
        Figure(
            "bytes per changed driver", hub.bytes_per_driver, "bytes", "<= 16",
            f"headers counted; naive JSON {naive.bytes_per_driver:.1f}",
        ),
        Figure("frames", hub.seen["frames"], "", "", f"naive JSON {naive.seen['frames']}"),
        Figure("frames skipped", hub.seen["skipped"], ""),
        Figure("server memory", hub.memory_mb, "MiB", "", f"after naive {naive.memory_mb:.0f}"),
    ]  # fmt: skip
