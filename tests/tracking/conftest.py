"""Fixtures of the tracking tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from backend.platform.resources import Resources
from tests.tracking.live_support import LiveFeed, running_feed


@pytest.fixture
async def feed(resources: Resources) -> AsyncIterator[LiveFeed]:
    """A live hub behind a real server, fed by the test."""
    async with running_feed(resources) as running:
        yield running
