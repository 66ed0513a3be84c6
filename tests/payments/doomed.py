"""A worker that is killed, as by the kernel, at a named step of the first thing it has to ask."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from backend.payments import actions, repository
from backend.payments.gateways.registry import open_gateways
from backend.platform.resources import open_resources
from backend.settings import get_settings

STEPS = ("while marking", "after marking", "after asking", "while taking in")


def die(*_: Any, **__: Any) -> NoReturn:
    """End without a word."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def dying_after(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The work, and then the end."""

    async def worked(*arguments: Any, **named: Any) -> None:
        await work(*arguments, **named)
        die()

    return worked


async def run(step: str) -> None:
    """Make the attempts that are due, up to the step."""
    async with open_resources(get_settings()) as resources:
        gateways = open_gateways(resources)
        if step == "while marking":
            repository.payment = dying_after(repository.payment)  # type: ignore[assignment]
        elif step == "after marking":
            actions.put = die  # type: ignore[assignment]
        elif step == "after asking":
            actions.take_in = die  # type: ignore[assignment]
        elif step == "while taking in":
            actions._settle = dying_after(actions._settle)  # type: ignore[assignment]
        await actions.run_due(resources.database, gateways)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
