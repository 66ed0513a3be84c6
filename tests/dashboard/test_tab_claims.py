"""Two processes and one tab: each socket's updates go to that socket, whoever is late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from backend.settings import Settings
from dashboard.tab_claims import TabClaims
from tests.dashboard.slow_store import SlowToHear, slow_to_hear


@pytest.fixture
async def store(settings: Settings) -> SlowToHear:
    """A store that is slow to hear whether a token is taken."""
    return slow_to_hear(settings.redis_url, "EXISTS", "SET")


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
