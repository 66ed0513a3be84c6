"""Two processes and one tab: each socket's updates go to that socket, whoever is late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from backend.settings import Settings
from dashboard.tab_claims import TabClaims


class SlowToHear(Redis):
    """A store whose first answer about a token is not heard before `hear` is set."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.asked = asyncio.Event()
        self.hear = asyncio.Event()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Ask at once, and hear the first answer late."""
        answer = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        if args[0] in ("EXISTS", "SET") and not self.asked.is_set():
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
async def slow(store: SlowToHear) -> AsyncIterator[TabClaims]:
    """The busy process."""
    claims = TabClaims(store)
    yield claims
    await claims.close()


@pytest.fixture
async def claims(settings: Settings) -> AsyncIterator[TabClaims]:
    """A process on the same store."""
    claims = TabClaims(Redis.from_url(settings.redis_url))
    yield claims
    await claims.close()


async def test_a_page_that_is_left_while_it_connects_does_not_take_the_next_ones_updates(
    store: SlowToHear, slow: TabClaims, claims: TabClaims
) -> None:
    token = str(uuid4())
    left = asyncio.create_task(slow.link_token_to_sid(token, "left"))
    await store.asked.wait()
    given = await claims.link_token_to_sid(token, "next") or token
    store.hear.set()
    held = await left or token
    assert held != given
    assert slow.token_to_sid[held] == "left"
    # What the store says decides where another process sends updates.
    await claims._get_token_owner(given, refresh=True)
    assert claims.token_to_sid[given] == "next"
    assert claims.sid_to_token["next"] == given


async def test_a_tab_keeps_its_token_from_page_to_page(claims: TabClaims) -> None:
    token = str(uuid4())
    assert await claims.link_token_to_sid(token, "first") is None
    assert await claims.link_token_to_sid(token, "first") is None
    await claims.disconnect_token(token, "first")
    assert await claims.link_token_to_sid(token, "second") is None
    assert claims.token_to_sid[token] == "second"


async def test_a_copied_tab_gets_a_token_of_its_own(claims: TabClaims) -> None:
    token = str(uuid4())
    await claims.link_token_to_sid(token, "tab")
    other = await claims.link_token_to_sid(token, "copy")
    assert other is not None
    assert other != token
    assert claims.token_to_sid == {token: "tab", other: "copy"}
    await claims.disconnect_token(other, "copy")
    assert claims.token_to_sid == {token: "tab"}
