"""Every route of the API times every kind of caller; a route this does not know fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text
from starlette.routing import BaseRoute

from backend.identity.callers import Requirement, caller
from backend.identity.policy import current_policy
from backend.identity.schemas import SYSTEM, GrantScope
from backend.identity.sessions import Visitor, begin_session, end_session, session_id_of
from backend.identity.tokens import issue_api_token
from backend.platform.resources import Resources

from .conftest import enrolled

OWN = {"origin": "http://localhost:8000"}
NOWHERE = str(UUID(int=7 << 76 | 2 << 62))

# Open to everyone, or with a way of its own to tell who calls, tested where it lives.
OPEN = {
    "/api/openapi.json",
    "/api/docs",
    "/docs/oauth2-redirect",
    "/api/health/live",
    "/api/health/ready",
    "/auth/pages.css",
    "/auth/login",
    "/auth/start",
    "/auth/callback",
    "/auth/logout",
    "/auth/front-channel-logout",
}
OWN_DOOR = {
    "/track/page.css",
    "/track/page.js",
    "/track/{token}",
    "/track/{token}/{rest:path}",
    "/api/track/{token}",
    "/api/track/{token}/rating",
    "/track/{token}/rating",
    "/track/{token}/help",
    "/track/{token}/talk",
    "/track/{token}/preferences",
    "/api/track/{token}/help",
    "/api/track/{token}/help/words",
    "/api/track/{token}/preferences",
    "/metrics",
    "/api/v1/positions",
    "/api/osmand",
    "/api/osmand/{key}",
    "/api/owntracks",
    "/api/live",
    "/api/hooks/stripe",
    "/api/hooks/razorpay",
    "/api/hooks/messages",
    "/ofrep/v1/evaluate/flags",
    "/ofrep/v1/evaluate/flags/{key}",
    "/ofrep/v1/events",
    "/ofrep/v1/{rest:path}",
    "/api/hooks/pagerduty",
}
DEMO = "/auth/demo-idp/"


def routes_of(routes: list[BaseRoute]) -> Iterator[Any]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from routes_of(included.routes)


def calls_of(dependant: Any) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls_of(inner)


def walk() -> list[tuple[str, str, str | None]]:
    """Method, path and permission of each guarded route; the empty permission is any caller."""
    from tests.support.in_process import shared_api

    found = []
    for route in routes_of(shared_api().routes):
        if route.path in OPEN | OWN_DOOR or route.path.startswith(DEMO):
            continue
        assert isinstance(route, APIRoute), f"nobody guards {route.path}"
        calls = list(calls_of(route.dependant))
        asked = [call.permission for call in calls if isinstance(call, Requirement)]
        assert asked or caller in calls, f"nobody guards {route.path}"
        found += [(method, route.path, asked[0] if asked else None) for method in route.methods]
    return sorted(found, key=str)


@pytest.fixture
def guarded(resources: Resources) -> list[tuple[str, str, str | None]]:
    return walk()


async def ask(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> int:
    path = path.replace("{session_id}", "0" * 64).replace("{sha256}", "0" * 64)
    path = re.sub(r"\{\w+_id\}", NOWHERE, path).replace("{code}", "TH-10")
    path = (
        path.replace("{number}", "WP-0000000000")
        .replace("{gateway}", "sandbox")
        .replace("{name}", "x")
        .replace("{key}", "no-such-flag")
    )
    assert "{" not in path, f"say what to put into {path}"
    body = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
    answer = await client.request(method, path, **body, **more)
    return answer.status_code


async def cookie_of(resources: Resources, *grants: GrantScope) -> str:
    async with resources.database.unit_of_work() as session:
        person_id = await enrolled(session, "Persona", *grants)
    return await begin_session(resources, Visitor(person_id, "Persona", None, "10.0.0.1", "test"))


async def test_every_permission_asked_for_is_in_the_policy(
    guarded: list[tuple[str, str, str | None]],
) -> None:
    asked = {permission for _, _, permission in guarded if permission}
    assert asked <= current_policy().permissions


async def test_a_stranger_gets_in_nowhere(
    client: httpx.AsyncClient, guarded: list[tuple[str, str, str | None]]
) -> None:
    got = {(method, path): await ask(client, method, path) for method, path, _ in guarded}
    assert set(got.values()) == {401}, got


async def test_a_person_without_a_role_is_refused_everywhere(
    client: httpx.AsyncClient,
    resources: Resources,
    guarded: list[tuple[str, str, str | None]],
) -> None:
    headers = {**OWN, "cookie": f"waypost={await cookie_of(resources)}"}
    for method, path, permission in guarded:
        status = await ask(client, method, path, headers=headers)
        assert (status == 403) if permission else (status in (200, 403, 404)), (method, path)


async def test_a_role_without_the_permission_is_refused(
    client: httpx.AsyncClient,
    resources: Resources,
    guarded: list[tuple[str, str, str | None]],
) -> None:
    scope = GrantScope("auditor", "*")
    headers = {**OWN, "cookie": f"waypost={await cookie_of(resources, scope)}"}
    held = current_policy().permissions_of("auditor")
    for method, path, permission in guarded:
        status = await ask(client, method, path, headers=headers)
        if permission is not None:
            assert (status == 403) is (permission not in held), (method, path, status)


async def test_the_right_role_passes_every_door(
    client: httpx.AsyncClient,
    resources: Resources,
    guarded: list[tuple[str, str, str | None]],
) -> None:
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(session, SYSTEM, "walker", role="admin")
    headers = {"authorization": f"Bearer {issued.secret}"}
    for method, path, permission in guarded:
        status = await ask(client, method, path, headers=headers)
        assert status != 401, (method, path)
        assert status < 500, (method, path)
        # Only a phone is on shift, whoever else may say so.
        if permission != "shift:write":
            assert status != 403, (method, path)


async def test_a_session_revoked_midway_opens_nothing_more(
    client: httpx.AsyncClient,
    resources: Resources,
    guarded: list[tuple[str, str, str | None]],
) -> None:
    cookie = await cookie_of(resources, GrantScope("admin", "*"))
    headers = {**OWN, "cookie": f"waypost={cookie}"}
    assert await ask(client, "GET", "/api/v1/me", headers=headers) == 200
    await end_session(resources, session_id_of(cookie), "revoked")
    for method, path, _ in guarded:
        assert await ask(client, method, path, headers=headers) == 401, (method, path)


async def test_a_grant_revoked_midway_closes_every_door_within_a_second(
    client: httpx.AsyncClient,
    resources: Resources,
    guarded: list[tuple[str, str, str | None]],
) -> None:
    cookie = await cookie_of(resources, GrantScope("admin", "*"))
    headers = {**OWN, "cookie": f"waypost={cookie}"}
    assert await ask(client, "GET", "/api/v1/audit", headers=headers) == 200
    async with resources.database.unit_of_work() as session:
        await enrolled(session, "Persona")
    await asyncio.sleep(0.6)
    for method, path, permission in guarded:
        if permission:
            assert await ask(client, method, path, headers=headers) == 403, (method, path)
    async with resources.database.unit_of_work() as session:
        counted = await session.scalar(text("SELECT count(*) FROM identity_audit"))
    assert counted
