"""Sends recorded traces through a public doorway as the phones that recorded them would."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from backend.platform.turns import pause
from backend.regions.rules import bounding_box, contains, haversine_m, polygons_of
from backend.simulation.doorways import Device, Doorway, batch_size, encode, understand
from backend.simulation.fixes import Fix
from backend.simulation.operator import DriverWish, Operator, Refused
from backend.simulation.report import ReplayReport, TraceReport
from backend.simulation.timing import Departure, complete, parse_speed, schedule
from backend.simulation.traces import BadTrace, Trace, find, read
from backend.simulation.transport import Answer, Connections, Request, Transport, Unreachable

_CONNECTIONS = 8
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
# A phone keeps trying for days; a person at a terminal wants to be told.
_GIVE_UP_AFTER_S = 300.0
_OPERATOR_TRIES = 5
_BETWEEN_TRACES_S = 60.0


class Replay:
    """One replay under way."""

    def __init__(
        self,
        transport: Transport,
        operator: Operator,
        doorway: Doorway,
        stop: asyncio.Event,
        advance: Callable[[int], None],
    ) -> None:
        self._transport = transport
        self._operator = operator
        self._doorway = doorway
        self._stop = stop
        self._advance = advance
        self.report = ReplayReport()

    async def send(self, device: Device, departures: list[Departure], row: TraceReport) -> None:
        """Send one trace in order, each fix at its time; what cannot be sent is counted."""
        position, size, minted = 0, batch_size(self._doorway), False
        while position < len(departures) and not self._stop.is_set():
            await self._wait(departures[position].send_at - time.time())
            now = time.time()
            batch = [d.fix for d in departures[position : position + size] if d.send_at <= now]
            if not batch:
                continue
            answer = await self._deliver(encode(self._doorway, device, batch), row)
            if answer is None:
                break
            if answer.unknown_caller and not minted:
                device, minted = await self._operator.mint(device.driver_id, device.code), True
                continue
            if answer.status == 413 and size > 1:
                size //= 2
                continue
            row.tally.add(understand(answer, len(batch)))
            position += len(batch)
            self._advance(len(batch))
        row.unsent = len(departures) - position
        if row.unsent and row.trouble is None:
            row.trouble = "stopped"

    async def _deliver(self, request: Request, row: TraceReport) -> Answer | None:
        """The server's answer, asked again while it is away; None after giving up."""
        pause, began = _FIRST_PAUSE_S, time.monotonic()
        while True:
            wait = pause
            try:
                answer = await self._transport.send(request)
                if not answer.later:
                    row.trouble = None
                    return answer
                row.trouble = f"the server answers {answer.status}"
                wait = max(pause, answer.retry_after_s or 0.0)
            except Unreachable as error:
                row.trouble = f"the server cannot be reached ({error})"
            if self._stop.is_set() or time.monotonic() - began > _GIVE_UP_AFTER_S:
                return None
            self.report.retries += 1
            await self._wait(wait)
            pause = min(_LONGEST_PAUSE_S, pause * 2)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await pause(self._stop, seconds)

    async def start_shift(self, device: Device) -> None:
        """Put the driver on shift, so that the map shows the driver as working."""
        headers = {"Authorization": f"Bearer {device.token}", "Content-Type": "application/json"}
        body = b'{"state":"on"}'
        row = TraceReport("", device.code, device.driver_id, 0)
        request = Request("POST", "/api/driver/v1/shift", headers, body)
        answer = await self._deliver(request, row)
        if answer is not None and not answer.ok:
            code, detail = answer.reason()
            raise Refused(f"The shift of {device.code} was not started: {code} {detail}")


async def replay(
    paths: Sequence[Path],
    url: str,
    token: str,
    doorway: Doorway = "native",
    speed: str = "1x",
    driver: str | None = None,
    console: Console | None = None,
    *,
    stop: asyncio.Event | None = None,
    transport: Transport | None = None,
) -> ReplayReport:
    """Replay the traces in the files and folders; answers what became of every fix.

    `token` needs drivers:write and regions:read. Each trace has a driver of its own, found again
    by the file's name, unless one is named (by id or code): then the traces follow each other. A
    progress bar is drawn on `console`. Raises BadTrace where no file can be read, BadSpeed, and
    Refused where the server will not have the drivers.
    """
    factor = parse_speed(speed)
    stop = stop or asyncio.Event()
    if transport is None:
        async with Connections(url, limit=_CONNECTIONS) as opened:
            return await _replay(paths, opened, token, doorway, factor, driver, console, stop)
    return await _replay(paths, transport, token, doorway, factor, driver, console, stop)


async def _replay(
    paths: Sequence[Path],
    transport: Transport,
    token: str,
    doorway: Doorway,
    factor: float,
    driver: str | None,
    console: Console | None,
    stop: asyncio.Event,
) -> ReplayReport:
    began = time.monotonic()
    operator = Operator(transport, token, stop, patience=_OPERATOR_TRIES)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=console is None,
    )
    with bar:
        task = bar.add_task("Sending fixes", total=None)
        job = Replay(transport, operator, doorway, stop, lambda n: bar.advance(task, n))
        traces = _read_all(paths, job.report)
        if driver is not None:
            traces = [_joined(traces)]
        bar.update(task, total=sum(len(trace.fixes) for trace in traces))
        devices = await _devices(operator, traces, driver)
        for device in devices:
            await job.start_shift(device)
        now = time.time()
        work = []
        for trace, device in zip(traces, devices, strict=True):
            row = TraceReport(trace.name, device.code, device.driver_id, len(trace.fixes))
            job.report.traces.append(row)
            work.append(job.send(device, schedule(complete(trace.fixes), factor, now), row))
        await asyncio.gather(*work)
    job.report.seconds = time.monotonic() - began
    return job.report


def _read_all(paths: Sequence[Path], report: ReplayReport) -> list[Trace]:
    traces = []
    problem = None
    for path in find(paths):
        try:
            trace = read(path)
            if not trace.fixes:
                raise BadTrace(f"{path} holds no fix with a position and a time.")
        except BadTrace as error:
            report.unreadable[str(path)] = str(error)
            problem = error
            continue
        report.skipped += trace.skipped
        traces.append(trace)
    if problem is not None and not traces:
        raise problem
    return traces


def _joined(traces: list[Trace]) -> Trace:
    """One trace out of several for one driver, each starting a minute after the one before."""
    whole = Trace(", ".join(trace.name for trace in traces), traces[0].path)
    for trace in traces:
        shift = 0.0
        if whole.fixes:
            latest = max(fix.at for fix in whole.fixes)
            shift = latest + _BETWEEN_TRACES_S - min(fix.at for fix in trace.fixes)
        for fix in trace.fixes:
            fix.at += shift
            whole.fixes.append(fix)
    return whole


async def _devices(operator: Operator, traces: list[Trace], driver: str | None) -> list[Device]:
    if driver is not None:
        found = await operator.driver(driver)
        return [await operator.mint(found["id"], found["code"])]
    features = [f for f in await operator.region_features() if f["properties"]["kind"] == "city"]
    if not features:
        raise Refused("The token sees no city in which to place the drivers.")
    devices = []
    taken: set[str] = set()
    for trace in traces:
        code = _code(trace.name, taken)
        city = _nearest(features, trace.fixes[0])
        wish = DriverWish(code, f"Replay {trace.name}"[:80], city, vehicle="van")
        devices.append(await operator.device(wish))
    return devices


def _code(name: str, taken: set[str]) -> str:
    """A driver code out of a file's name, the same each time, different within a replay."""
    plain = re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")[:24] or "TRACE"
    code, number = f"RPL-{plain}", 1
    while code in taken:
        number += 1
        code = f"RPL-{plain}-{number}"
    taken.add(code)
    return code


def _nearest(features: list[dict[str, Any]], fix: Fix) -> str:
    """The city around the fix, or the one with the nearest middle: positions may be anywhere."""

    def distance_m(feature: dict[str, Any]) -> float:
        polygons = polygons_of(feature["geometry"])
        if contains(polygons, fix.lat, fix.lon):
            return 0.0
        west, south, east, north = bounding_box(polygons)
        return haversine_m(fix.lat, fix.lon, (south + north) / 2, (west + east) / 2)

    return str(min(features, key=distance_m)["properties"]["code"])
