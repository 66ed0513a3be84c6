"""The market that tests of payments act in, where they bring none of their own."""

from __future__ import annotations

import pytest

from backend.platform.resources import Resources

from .world import World, seeded_world


@pytest.fixture
async def world(resources: Resources) -> World:
    """A market in which every region is known."""
    return await seeded_world(resources)
