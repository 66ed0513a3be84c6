"""A monitoring system that tells of alerts."""

from __future__ import annotations

import httpx
import pytest

from backend.identity.schemas import SYSTEM
from backend.identity.tokens import issue_api_token
from backend.platform.resources import Resources
from backend.regions.service import seed


@pytest.fixture
async def token(resources: Resources) -> str:
    """A monitoring system's token for Thailand."""
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        issued = await issue_api_token(
            session, SYSTEM, "prometheus", permissions=frozenset({"alerts:write"}), regions=("TH",)
        )
    return issued.secret


@pytest.fixture
async def monitor(client: httpx.AsyncClient, token: str) -> httpx.AsyncClient:
    """A client that sends that token."""
    client.headers["authorization"] = f"Bearer {token}"
    return client
