"""The demo regions in the database, and callers with tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest

from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform.resources import Resources
from backend.regions.service import seed

CallerOf = Callable[..., Awaitable[dict[str, str]]]


@pytest.fixture
async def seeded(resources: Resources) -> Resources:
    """Stores with the twelve cities in them."""
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    return resources


@pytest.fixture
def caller(resources: Resources) -> CallerOf:
    """A function that answers the headers of somebody with a role in regions."""

    async def headers(role: str, *regions: str) -> dict[str, str]:
        async with resources.database.unit_of_work() as session:
            issued = await issue_api_token(
                session, SYSTEM, f"{role}-{len(regions)}", role=role, regions=regions or ("*",)
            )
        return {"Authorization": f"Bearer {issued.secret}"}

    return headers


@pytest.fixture
async def api(seeded: Resources, client: httpx.AsyncClient) -> httpx.AsyncClient:
    """The API over seeded stores."""
    return client
