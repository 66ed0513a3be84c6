"""Processes that plan tours, so that nobody waits for the search who serves requests meanwhile."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache

from backend.dispatch.planning import Stop, Tour, plan_tours

_PROCESSES = 2
_AT_ONCE = 4
_LESS_URGENT = 10
_LOOK_EVERY_S = 1.0


@lru_cache(maxsize=1)
def _pool() -> ProcessPoolExecutor:
    # A forked child would share our connections; a spawned one starts with nothing.
    return ProcessPoolExecutor(
        min(_PROCESSES, os.cpu_count() or 1),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(os.getpid(),),
    )


def _begin(parent: int) -> None:
    """Let others go first, and end with the process that we plan for, however that ends."""
    os.nice(_LESS_URGENT)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os._exit(0)


async def plan(tours: Sequence[Tour], seconds: float) -> list[tuple[Stop, ...]]:
    """The best order found for each tour, each in about so many seconds of a process."""
    loop = asyncio.get_running_loop()
    parts = [tours[start : start + _AT_ONCE] for start in range(0, len(tours), _AT_ONCE)]
    found = await asyncio.gather(
        *(loop.run_in_executor(_pool(), plan_tours, part, seconds) for part in parts)
    )
    return [stops for part in found for stops in part]


def close() -> None:
    """End the processes, if there are any."""
    if _pool.cache_info().currsize:
        _pool().shutdown(wait=True, cancel_futures=True)
        _pool.cache_clear()
