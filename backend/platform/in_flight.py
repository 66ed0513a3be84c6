"""What one process has under way out there, until what came of it is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class InFlight(Generic[Item, Result]):
    """Up to `most` tasks, each with what it is about; one that has landed stays until forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: dict[asyncio.Task[Result], Item] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def room(self) -> int:
        """How many may be begun once those that have landed are forgotten."""
        return self._most - sum(not task.done() for task in self._tasks)

    def begin(self, item: Item, work: Coroutine[Any, Any, Result]) -> None:
        """Have the work done beside what else is under way."""
        self._tasks[asyncio.create_task(work)] = item

    def landed(self) -> dict[asyncio.Task[Result], Item]:
        """Those that are done, whether by a result or by an exception."""
        return {task: item for task, item in self._tasks.items() if task.done()}

    def forget(self, tasks: Iterable[asyncio.Task[Result]]) -> None:
        """Let go of tasks whose results are written down."""
        for task in tasks:
            del self._tasks[task]

    async def next_landing(self, within_s: float) -> None:
        """Return once something has landed, or after so long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)

    async def all_landed(self) -> None:
        """Return once nothing is under way any more."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def abandon(self) -> None:
        """Cut off what is under way, and forget all of it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
