"""The API in this process as a transport, and an operator's token."""

from __future__ import annotations

import httpx
import pytest

from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform.resources import Resources
from backend.regions.service import seed
from backend.simulation.transport import Answer, Request, Transport, Unreachable, answer_of


class InProcess:
    """Carries requests to the API without a socket; fails every `lose_every`-th answer."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.lose_every = 0
        self.count = 0

    async def send(self, request: Request) -> Answer:
        """The API's answer."""
        self.count += 1
        response = await self._client.request(
            request.method, request.target, headers=request.headers, content=request.body
        )
        if self.lose_every and self.count % self.lose_every == 0:
            raise Unreachable("connection reset")
        return answer_of(response.status_code, response.content, response.headers)


@pytest.fixture
async def operator_token(resources: Resources) -> str:
    """A token that may create drivers, over the demo regions."""
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        issued = await issue_api_token(session, SYSTEM, "replay", role="fleet_manager")
    return issued.secret


@pytest.fixture
def transport(client: httpx.AsyncClient) -> Transport:
    """The API in this process."""
    return InProcess(client)
