"""How long-running work takes its turns until the process is asked to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but no longer than until the process is asked to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def repeat(stop: asyncio.Event, idle_s: float, turn: Callable[[], Awaitable[int]]) -> None:
    """Turn after turn until `stop`, without a pause while a turn answers that there was work."""
    while not stop.is_set():
        if not await turn():
            await pause(stop, idle_s)
