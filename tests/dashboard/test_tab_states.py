"""Events of one tab that are cancelled at any moment: the next never waits for a lock to expire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from reflex.istate.manager.token import StateToken

import dashboard.runtime  # noqa: F401 - as the console has it
from backend.settings import Settings
from dashboard.tab_states import TabStates

# Whoever waits for a lock to expire waits until the test is given up.
LONG_MS = 600_000


class SlowToHear(Redis):
    """A store whose first answer to one command is not heard before `hear` is set."""

    moment = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.asked = asyncio.Event()
        self.hear = asyncio.Event()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Ask at once, and hear the first answer to the command late."""
        answer = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        if args[0] == self.moment and not self.asked.is_set():
            self.asked.set()
            await self.hear.wait()
        return answer


@pytest.fixture
async def store(settings: Settings) -> SlowToHear:
    """The store as a process of a busy machine has it."""
    made = SlowToHear.from_url(settings.redis_url)
    assert isinstance(made, SlowToHear)
    return made


@pytest.fixture
async def slow(store: SlowToHear) -> AsyncIterator[TabStates]:
    """The busy process."""
    states = TabStates(redis=store, lock_expiration=LONG_MS)
    yield states
    await states.close()


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[TabStates]:
    """Another process on the same store."""
    states = TabStates(redis=Redis.from_url(settings.redis_url), lock_expiration=LONG_MS)
    yield states
    await states.close()


async def _count(states: TabStates, token: StateToken[dict[str, int]]) -> int:
    """Changes the state, and answers how often it has been changed."""
    async with asyncio.timeout(20), states.modify_state(token) as state:
        state["times"] = state.get("times", 0) + 1
        return state["times"]


@pytest.mark.parametrize("moment", ["SET", "SCARD", "GET"])
@pytest.mark.parametrize("here", [True, False])
async def test_a_cancelled_event_holds_up_no_other(
    store: SlowToHear, slow: TabStates, other: TabStates, moment: str, here: bool
) -> None:
    token = StateToken(ident=str(uuid4()), cls=dict[str, int])
    store.moment = moment
    left = asyncio.create_task(_count(slow, token))
    await store.asked.wait()
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    store.hear.set()
    assert await _count(slow if here else other, token) == 1
    assert await _count(other, token) == 2


async def test_an_event_that_fails_tells_why_and_holds_up_no_other(
    slow: TabStates, other: TabStates
) -> None:
    token = StateToken(ident=str(uuid4()), cls=dict[str, int])
    assert await _count(slow, token) == 1
    with pytest.raises(LookupError, match="on purpose"):
        async with slow.modify_state(token):
            raise LookupError("on purpose")
    assert await _count(other, token) == 2
