"""Signing out here and at the provider, and the provider's own word that a session is over."""

from __future__ import annotations

import html
import re

import httpx

from backend.identity.demo_provider import BROWSER_COOKIE

from .signing_in import sign_in

OWN = {"origin": "http://localhost:8000"}


async def test_signing_out_ends_the_session_here_and_at_the_provider(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client)
    cookie = client.cookies["waypost"]
    answer = await client.post("/auth/logout", headers=OWN)
    assert answer.status_code == 303
    target = answer.headers["location"]
    assert "/oauth2/v2.0/logout" in target
    assert "logout_hint=niran.phongphit" in target
    assert "waypost" not in client.cookies
    headers = {"cookie": f"waypost={cookie}"}
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401
    back = await client.get(target)
    assert back.status_code == 200
    assert "/auth/login?signed_out=true" in back.headers["refresh"]


async def test_another_site_cannot_sign_anyone_out(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    for headers in ({}, {"origin": "https://evil.example"}, {"origin": "null"}):
        answer = await client.post("/auth/logout", headers=headers)
        assert answer.status_code == 200
        assert "Sign out?" in answer.text
    assert (await client.get("/auth/logout")).status_code == 200
    assert (await client.get("/api/v1/me")).status_code == 200


async def test_a_form_of_our_own_page_signs_out_although_its_origin_is_null(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client)
    headers = {"origin": "null", "sec-fetch-site": "same-origin"}
    assert (await client.post("/auth/logout", headers=headers)).status_code == 303


async def test_the_providers_front_channel_ends_the_session(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    assert client.cookies.get(BROWSER_COOKIE)
    idp = "/auth/demo-idp/7d1f5a2e-43c8-4a57-9b0e-2f6d8c9e1b30/oauth2/v2.0/logout"
    page = await client.get(idp)
    (frame,) = re.findall(r'<iframe[^>]* src="([^"]+)"', page.text)
    told = await client.get(html.unescape(frame))
    assert told.status_code == 200
    assert "frame-ancestors http://localhost:8000" in told.headers["content-security-policy"]
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_front_channel_of_another_issuer_ends_nothing(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    sid = client.cookies[BROWSER_COOKIE]
    await client.get(
        "/auth/front-channel-logout", params={"sid": sid, "iss": "https://evil.example"}
    )
    assert (await client.get("/api/v1/me")).status_code == 200
