"""Runs a replay or the demo fleet from a terminal, until done or interrupted."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import uvloop
from rich.console import Console

from backend.platform import telemetry
from backend.platform.errors import Invalid
from backend.settings import get_settings
from backend.simulation.doorways import Doorway
from backend.simulation.fleet import simulate
from backend.simulation.replay import replay
from backend.simulation.report import ReplayReport

T = TypeVar("T")

_REPLAY_DOORWAYS = ("native", "osmand", "owntracks")


def replay_traces(
    paths: Sequence[Path],
    url: str,
    token: str,
    doorway: str,
    speed: str,
    driver: str | None,
    console: Console | None,
) -> ReplayReport:
    """Replay traces; an interrupt ends the replay and reports what was sent until then."""
    if doorway not in _REPLAY_DOORWAYS:
        raise Invalid(f"--as {doorway}: give {', '.join(_REPLAY_DOORWAYS)}.")
    stop = asyncio.Event()
    words = cast(Doorway, doorway)
    return _run(replay(paths, url, token, words, speed, driver, console, stop=stop), stop)


def simulate_fleet(
    url: str, token: str, drivers: int, orders_per_hour: int, data_dir: Path
) -> None:
    """Drive the demo fleet until interrupted or terminated."""
    telemetry.configure("fleet", get_settings())
    stop = asyncio.Event()
    _run(simulate(url, token, drivers, orders_per_hour, data_dir, stop), stop)


def _run(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T:
    async def guarded() -> T:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        return await work

    return uvloop.run(guarded())
