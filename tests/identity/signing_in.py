"""A browser's way through a sign-in at the demo provider, step by step."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx

AUTHORIZE = "/auth/demo-idp/7d1f5a2e-43c8-4a57-9b0e-2f6d8c9e1b30/oauth2/v2.0/authorize"


async def begin(client: httpx.AsyncClient, target: str = "/map") -> str:
    """Start; the provider's address with the request in it."""
    answer = await client.get("/auth/start", params={"next": target})
    assert answer.status_code == 303
    return answer.headers["location"]


async def choose(client: httpx.AsyncClient, authorize: str, person: str) -> str:
    """Choose a person; the callback's address with the code in it."""
    answer = await client.post(authorize, data={"person": person})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def sign_in(
    client: httpx.AsyncClient, person: str = "niran.phongphit", target: str = "/map"
) -> httpx.Response:
    """The whole way; the callback's answer."""
    return await client.get(await choose(client, await begin(client, target), person))


def query_of(url: str) -> dict[str, str]:
    """The query of an address, first values only."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
