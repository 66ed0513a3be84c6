"""A worker of matching in a process of its own, killed at a step of its choice."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
from multiprocessing import get_context
from typing import Any, NoReturn

from backend.dispatch.dispatcher_role import dispatch_once
from backend.platform.resources import open_resources
from backend.settings import get_settings

_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])
_DEAD_WITHIN_S = 60


def match_and_die(module: str, step: str, when: str) -> int | None:
    """Match once in a new process that is killed before or after `step`; its exit code."""
    worker = _PROCESSES.Process(target=_match, args=(module, step, when))
    worker.start()
    worker.join(_DEAD_WITHIN_S)
    worker.kill()
    worker.join()
    code = worker.exitcode
    worker.close()
    return code


def _match(module: str, step: str, when: str) -> None:
    place = importlib.import_module(module)
    setattr(place, step, _dying(getattr(place, step), when))
    asyncio.run(_turn())


async def _turn() -> None:
    async with open_resources(get_settings()) as resources:
        await dispatch_once(resources)


def _dying(real: Any, when: str) -> Any:
    def dying(*args: Any, **more: Any) -> Any:
        if when == "before":
            _die()
        if asyncio.iscoroutinefunction(real):

            async def after() -> None:
                await real(*args, **more)
                _die()

            return after()
        real(*args, **more)
        _die()

    return dying


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed, and yet alive")
