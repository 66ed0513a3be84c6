"""How long-running work outlasts stores that are away for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from backend.platform.telemetry import get_logger
from backend.platform.turns import pause

STORES_FAILED = (RedisError, SQLAlchemyError, OSError)
"""What is raised when a store is away, or refuses."""
_FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
# SQLSTATE's classes of data exceptions and of broken constraints.
_THE_VALUES = ("22", "23")

_log = get_logger(__name__)


async def outlast(name: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Do the work until `stop`, again after its stores failed; any other error gets out."""
    wait_s = _FIRST_PAUSE_S
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        started = loop.time()
        try:
            await work()
        except* STORES_FAILED as failed:
            if loop.time() - started > LONGEST_PAUSE_S:
                wait_s = _FIRST_PAUSE_S
            why = repr(failed.exceptions[0])
            _log.warning("role_interrupted", role=name, error=why, again_in_s=wait_s)
            await pause(stop, wait_s)
            wait_s = min(LONGEST_PAUSE_S, wait_s * 2)


def is_refused(error: DBAPIError) -> bool:
    """Whether the database refused the values, which it will another time too."""
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith(_THE_VALUES)
