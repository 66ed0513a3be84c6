"""Events of one tab that are cancelled at any moment: the next never waits for a lock to expire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from reflex.istate.manager.token import StateToken

import dashboard.runtime  # noqa: F401 - as the console has it
from backend.settings import Settings
from dashboard.tab_states import TabStates
from tests.dashboard.slow_store import SlowToHear, slow_to_hear

# Whoever waits for a lock to expire waits until the test is given up.
LONG_MS = 600_000


@pytest.fixture
async def store(settings: Settings) -> SlowToHear:
    """A store that is slow to hear of what a test says."""
    return slow_to_hear(settings.redis_url)


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
    async with asyncio.timeout(30), states.modify_state(token) as state:
        state["times"] = state.get("times", 0) + 1
        return state["times"]


@pytest.mark.parametrize("moment", ["SET", "SCARD", "GET"])
@pytest.mark.parametrize("here", [True, False])
async def test_a_cancelled_event_holds_up_no_other(
    store: SlowToHear, slow: TabStates, other: TabStates, moment: str, here: bool
) -> None:
    token = StateToken(ident=str(uuid4()), cls=dict[str, int])
    store.commands = (moment,)
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
