"""A store as a process of a busy machine has it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from redis.asyncio import Redis


class SlowToHear(Redis):
    """A store whose first answer to one of `commands` is not heard before `hear` is set."""

    commands: Collection[str] = ()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.asked = asyncio.Event()
        self.hear = asyncio.Event()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Ask at once, and hear the first answer to such a command late."""
        # Its parent names no types here.
        answer = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        if args[0] in self.commands and not self.asked.is_set():
            self.asked.set()
            await self.hear.wait()
        return answer


def slow_to_hear(url: str, *commands: str) -> SlowToHear:
    """The store at an address, slow to hear of these commands."""
    made = SlowToHear.from_url(url)
    assert isinstance(made, SlowToHear)
    made.commands = commands
    return made
