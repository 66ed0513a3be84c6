"""How fast positions come in, against what the same server answers to nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, cycle

from fastapi import FastAPI, Request, Response
from redis.exceptions import RedisError
from sqlalchemy import text

from backend.bench.load import Load, send_for
from backend.bench.report import Figure
from backend.bench.running import running_system
from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform.processes import StartError
from backend.platform.resources import Resources, open_resources
from backend.regions.service import seed
from backend.simulation.doorways import Device
from backend.simulation.operator import DriverWish, Operator
from backend.simulation.transport import Connections
from backend.tracking.positions import GROUP, TOPIC

DRIVERS = 400
BATCH = 100
WANTED_RATIO = 0.6
WANTED_FIXES_PER_S = 20_000
_CONNECTIONS = 128
_ROUNDS = 3
_WARM_UP_S = 60.0
_FLAT_OUT_S = 10.0
_DRAIN_WITHIN_S = 120.0
_EMPTY = "/api/bench/empty"
_STARTS = ((13.75, 100.50), (12.97, 77.59), (19.07, 72.87), (1.30, 103.82), (-6.20, 106.82))


def application() -> FastAPI:
    """The API with one more route, which answers an empty 202, as Granian serves it here."""
    from backend.api import create_api
    from backend.platform.telemetry import configure
    from backend.settings import get_settings

    configure("bench", get_settings())

    @asynccontextmanager
    async def serving(_: FastAPI) -> AsyncIterator[None]:
        async with open_resources(get_settings()):
            yield

    async def empty(_: Request) -> Response:
        return Response(status_code=202)

    api = create_api()
    api.router.lifespan_context = serving
    api.add_api_route(_EMPTY, empty, methods=["POST"])
    # Before all others, so that it is found at least as fast as any of them.
    api.router.routes.insert(0, api.router.routes.pop())
    return api


async def bench_ingest(seconds: float = 60.0) -> list[Figure]:
    """Measure on stores and processes of its own; `seconds` is how long the batches are sent.

    Single fixes and empty answers take turns on the same connections, so that both meet the
    machine in the same state.
    """
    async with (
        running_system("projector", "scheduler", "relay") as system,
        open_resources(system.settings) as resources,
    ):
        devices = await _devices(resources, system.url)
        empty, single = await _singles(system.port, devices, min(seconds, 30.0))
        await _worked_off(resources, single.statuses[202])
        flat_out = await _batches(resources, system.port, devices, _FLAT_OUT_S, None, 40)
        paced = await _batches(
            resources, system.port, devices, seconds, WANTED_FIXES_PER_S / BATCH, 20
        )
    return [*_single_figures(empty, single), *_batch_figures(flat_out, paced)]


async def _devices(resources: Resources, url: str) -> list[Device]:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        token = await issue_api_token(session, SYSTEM, "bench", role="admin")
    async with Connections(url) as connections:
        operator = Operator(connections, token.secret, patience=3)
        return [
            await operator.device(DriverWish(f"BENCH-{n:04d}", f"Driver {n}", "TH-10", "bike"))
            for n in range(DRIVERS)
        ]


def _head(target: str, token: str, length: int) -> bytes:
    return (
        f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


_FIX = (
    '{"recorded_at":"%s","lat":%.6f,"lon":%.6f,"speed":9.5,"bearing":45.0,'
    '"accuracy":6.5,"battery":0.81}'
)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _single_requests(target: str, devices: list[Device]) -> Callable[[], bytes]:
    """Requests of one fix at the present time, from each phone in turn."""
    length = len(_FIX % (_time(time.time()), *_STARTS[0]))
    turns = cycle([_head(target, device.token, length) for device in devices])
    lat, lon = _STARTS[0]

    def request() -> bytes:
        return next(turns) + (_FIX % (_time(time.time()), lat, lon)).encode()

    return request


def _batch_requests(devices: list[Device], began: datetime) -> Callable[[], bytes]:
    """Requests of 100 fixes, one a second, from each phone in turn; each goes on where it ended.

    Phones with the same start send the same fixes, so that a body is encoded once for many.
    """
    tokens = [device.token for device in devices]
    bodies: list[bytes] = []
    sent = count()

    def request() -> bytes:
        turn, place = divmod(next(sent), len(tokens))
        if place == 0:
            bodies[:] = [_batch_body(start, began, turn) for start in _STARTS]
        body = bodies[place % len(bodies)]
        return _head("/api/v1/positions", tokens[place], len(body)) + body

    return request


def _batch_body(start: tuple[float, float], began: datetime, turn: int) -> bytes:
    lat, lon = start
    first = turn * BATCH
    fixes = [
        _FIX % (_time(began.timestamp() + n), lat + n * 4e-5, lon + n * 4e-5)
        for n in range(first, first + BATCH)
    ]
    return f"[{','.join(fixes)}]".encode()


async def _singles(port: int, devices: list[Device], seconds: float) -> tuple[Load, Load]:
    """The loads of empty answers and of single fixes, taken in turns of equal length."""
    empty, single = Load(), Load()
    # Every phone is known before the measuring starts, as in a system that has run for a minute.
    warm = _single_requests("/api/v1/positions", devices)
    await asyncio.to_thread(
        send_for, port, warm, seconds=_WARM_UP_S, connections=_CONNECTIONS, requests=2 * DRIVERS
    )
    for _ in range(_ROUNDS):
        for load, target in ((empty, _EMPTY), (single, "/api/v1/positions")):
            requests = _single_requests(target, devices)
            part = await asyncio.to_thread(
                send_for, port, requests, seconds=seconds / _ROUNDS, connections=_CONNECTIONS
            )
            load.seconds += part.seconds
            load.statuses += part.statuses
            load.took_s += part.took_s
            load.refusal = load.refusal or part.refusal
    return empty, single


@dataclass(frozen=True, slots=True)
class _BatchRun:
    load: Load
    worked_off_s: float
    lags: list[int]

    @property
    def fixes(self) -> int:
        return self.load.statuses[202] * BATCH

    @property
    def end_to_end_per_s(self) -> float:
        return self.fixes / (self.load.seconds + self.worked_off_s)


async def _batches(
    resources: Resources,
    port: int,
    devices: list[Device],
    seconds: float,
    per_second: float | None,
    hours_ago: int,
) -> _BatchRun:
    """Send batches, then wait until the last of their fixes is in history and live state."""
    before = await _fixes_in_history(resources)
    requests = _batch_requests(devices, datetime.now(UTC) - timedelta(hours=hours_ago))
    lags: list[int] = []
    watching = asyncio.create_task(_watch_lag(resources, lags))
    load = await asyncio.to_thread(
        send_for, port, requests, seconds=seconds, connections=16, per_second=per_second
    )
    ended = time.perf_counter()
    await _worked_off(resources, before + load.statuses[202] * BATCH, whole=True)
    watching.cancel()
    return _BatchRun(load, time.perf_counter() - ended, lags)


async def _watch_lag(resources: Resources, lags: list[int]) -> None:
    while True:
        try:
            lags.append(await resources.events.lag(TOPIC, GROUP))
        except RedisError:
            return
        await asyncio.sleep(1.0)


async def _worked_off(resources: Resources, fixes: int, *, whole: bool = False) -> None:
    """Return once the log has been worked off; raises StartError where fixes are missing."""
    deadline = time.monotonic() + _DRAIN_WITHIN_S
    while await resources.events.lag(TOPIC, GROUP):
        if time.monotonic() > deadline:
            raise StartError("the projector did not work off the log in time")
        await asyncio.sleep(0.02)
    found = await _fixes_in_history(resources)
    if found < fixes * (1.0 if whole else 0.99):
        raise StartError(f"{fixes} fixes were accepted and {found} are in history")


async def _fixes_in_history(resources: Resources) -> int:
    async with resources.database.unit_of_work() as session:
        return int(await session.scalar(text("SELECT count(*) FROM tracking_fix")) or 0)


def _single_figures(empty: Load, single: Load) -> list[Figure]:
    _refuse_failures(single)
    accepted, answered = single.per_second(202), empty.per_second(202)
    return [
        Figure("single fixes accepted", accepted, "1/s"),
        Figure("empty 202 answered", answered, "1/s", against="same server, same requests"),
        Figure("accepted to empty", accepted / answered, "", f">= {WANTED_RATIO}"),
        Figure("single fix, median", single.quantile_ms(0.5), "ms"),
        Figure("single fix, 99th percentile", single.quantile_ms(0.99), "ms"),
    ]


def _batch_figures(flat_out: _BatchRun, paced: _BatchRun) -> list[Figure]:
    _refuse_failures(flat_out.load)
    _refuse_failures(paced.load)
    half = len(paced.lags) // 2
    early, late = paced.lags[:half] or [0], paced.lags[half:] or [0]
    return [
        Figure(
            "batches of 100, as fast as they go", flat_out.end_to_end_per_s, "fixes/s",
            f">= {WANTED_FIXES_PER_S:,}", "request to live state and history",
        ),
        Figure(
            f"sustained for {paced.load.seconds:.0f} s", paced.end_to_end_per_s, "fixes/s",
            f">= {WANTED_FIXES_PER_S:,}", f"{WANTED_FIXES_PER_S:,} offered",
        ),
        Figure("batch, 99th percentile", paced.load.quantile_ms(0.99), "ms"),
        Figure("lag, first half", sum(early) / len(early), "records"),
        Figure("lag, second half", sum(late) / len(late), "records", "not growing"),
        Figure("worked off after the last request", paced.worked_off_s, "s"),
    ]  # fmt: skip


def _refuse_failures(load: Load) -> None:
    if load.statuses[202] < load.answered:
        raise StartError(f"not all was accepted: {dict(load.statuses)} {load.refusal!r}")
