"""Flags as one process delivers them, and the API behind a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from backend.flags.delivery import Delivery, delivering
from backend.platform.resources import Resources
from tests.flags.delivery.publishing import key_for
from tests.support.in_process import shared_api
from tests.tracking.live_support import serving


@dataclass(frozen=True, slots=True)
class Phones:
    """A running server, and the key of the phones that ask it."""

    url: str
    key: str
    http: httpx.AsyncClient
    resources: Resources
    delivery: Delivery

    async def ask(self, context: object, key: str = "", **headers: str) -> httpx.Response:
        """All flags, or one."""
        path = "/ofrep/v1/evaluate/flags" + (f"/{key}" if key else "")
        return await self.http.post(path, json={"context": context}, headers=headers)

    async def knowing(self, version: int) -> None:
        """Wait until the server serves this version of production."""
        environment = self.delivery.environments["production"]
        while environment.version < version:
            assert await environment.newer_than(environment.version, within_s=30)


@pytest.fixture
async def phones(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Phones]:
    """A server on an environment with no flag in it, which gives its stores all their time."""
    monkeypatch.setattr("backend.flags.keys._ANSWER_WITHIN_S", 30)
    key = await key_for(resources)
    async with delivering(resources) as delivery, serving(shared_api()) as port:
        url = f"http://127.0.0.1:{port}"
        headers = {"authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=url, headers=headers) as http:
            yield Phones(url, key, http, resources, delivery)
