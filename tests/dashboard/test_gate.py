"""Strangers, foreign pages and thieves of client tokens stay outside."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress

import httpx
import pytest
from sqlalchemy import text

from backend.identity import service as identity
from backend.platform.resources import Resources
from tests.dashboard.conftest import SHELL, Connect, Console, Served, SignIn


async def _is_refused(connect: Connect, cookie: str | None, **how: str | None) -> bool:
    try:
        async with connect(cookie, **how):
            return False
    except ConnectionError:
        return True


async def test_a_session_from_our_own_page_opens_the_socket(
    connect: Connect, sign_in: SignIn
) -> None:
    async with connect(await sign_in("Nan", ("viewer", "TH"))) as console:
        await console.send(f"{SHELL}.show_fault", {"text": "hello from the socket"})
        assert await console.notice_like("hello from the socket")


async def test_a_stranger_cannot_open_the_socket(connect: Connect, resources: Resources) -> None:
    assert await _is_refused(connect, None)
    assert await _is_refused(connect, "not-a-session")


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "http://localhost:1", "https://localhost"],
)
async def test_a_foreign_or_missing_origin_is_refused(
    connect: Connect, sign_in: SignIn, origin: str | None
) -> None:
    assert await _is_refused(connect, await sign_in("Nan", ("admin", "*")), origin=origin)


async def test_the_client_token_of_another_session_is_refused_and_recorded(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    stolen = str(uuid.uuid4())
    owner, thief = await sign_in("Owner", ("admin", "*")), await sign_in("Thief", ("viewer", "TH"))
    async with connect(owner, token=stolen):
        assert await _is_refused(connect, thief, token=stolen)
    assert await _is_refused(connect, thief, token=stolen.upper())
    async with resources.database.unit_of_work() as session:
        rows = await session.scalars(
            text("SELECT actor_name FROM identity_audit WHERE outcome = 'denied'")
        )
        assert set(rows) == {"Thief"}


async def test_a_token_stays_bound_after_its_owner_has_left(
    connect: Connect, sign_in: SignIn
) -> None:
    token = str(uuid.uuid4())
    owner = await sign_in("Owner", ("admin", "*"))
    async with connect(owner, token=token):
        pass
    assert await _is_refused(connect, await sign_in("Next", ("viewer", "TH")), token=token)
    async with connect(owner, token=token):
        pass


@pytest.mark.parametrize("token", ["", "abc", "a&token=b", "../../etc/passwd"])
async def test_what_is_no_client_token_is_refused(
    connect: Connect, sign_in: SignIn, token: str
) -> None:
    assert await _is_refused(connect, await sign_in("Nan", ("admin", "*")), token=token)


async def test_an_ended_session_cannot_come_back(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    cookie = await sign_in("Nan", ("viewer", "TH"))
    await identity.end_session(resources, identity.session_id_of(cookie), "revoked")
    assert await _is_refused(connect, cookie)


async def test_polling_is_not_a_way_around_the_gate(served: Served, sign_in: SignIn) -> None:
    cookies = {"waypost": await sign_in("Nan", ("admin", "*"))}
    async with httpx.AsyncClient(base_url=served.origin, cookies=cookies) as browser:
        answer = await browser.get(
            f"/_event/?EIO=4&transport=polling&token={uuid.uuid4()}",
            headers={"Origin": served.origin},
        )
        assert answer.status_code == 403
        upload = await browser.post("/_upload", files={"files": b"x"})
        assert upload.status_code == 403


async def test_pages_lead_strangers_to_sign_in_and_back(
    served: Served, resources: Resources
) -> None:
    async with httpx.AsyncClient(base_url=served.origin) as browser:
        answer = await browser.get("/map?region=TH-10&driver=7")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/auth/login?next=%2Fmap%3Fregion%3DTH-10%26driver%3D7"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/index.html", "/admin/access.html", "/404.html"])
async def test_the_files_behind_pages_are_nobodys(
    served: Served, resources: Resources, path: str
) -> None:
    async with httpx.AsyncClient(base_url=served.origin) as browser:
        assert (await browser.get(path)).status_code == 404


async def test_answers_carry_the_security_headers(served: Served, sign_in: SignIn) -> None:
    cookies = {"waypost": await sign_in("Nan", ("viewer", "TH"))}
    async with httpx.AsyncClient(base_url=served.origin, cookies=cookies) as browser:
        page = await browser.get("/")
        policy = page.headers["content-security-policy"]
        assert "unsafe-eval" not in policy
        assert "script-src 'self'" in policy
        assert "'unsafe-inline'" not in policy.split("style-src-attr")[0]
        assert "frame-ancestors 'none'" in policy
        for path in ("/", "/api/health/live"):
            answer = await browser.get(path)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["x-frame-options"] == "DENY"


async def test_another_session_in_the_same_tab_gets_another_tab_mark(
    served: Served, sign_in: SignIn
) -> None:
    marks = []
    for name in ("Nan", "Dao"):
        cookies = {"waypost": await sign_in(name, ("viewer", "TH"))}
        async with httpx.AsyncClient(base_url=served.origin, cookies=cookies) as browser:
            marks.append((await browser.get("/")).cookies["waypost-tab"])
    assert marks[0] != marks[1]


async def test_revoking_a_session_closes_its_open_console(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    cookie, other = await sign_in("Nan", ("admin", "*")), await sign_in("Dao", ("viewer", "TH"))
    async with connect(cookie) as console, connect(other) as bystander:
        await identity.end_session(resources, identity.session_id_of(cookie), "revoked")
        async with asyncio.timeout(30):
            await console.closed.wait()
        assert not bystander.closed.is_set()
    assert await _is_refused(connect, cookie)


async def test_a_session_that_ends_by_itself_closes_its_open_console(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    cookie = await sign_in("Nan", ("admin", "*"))
    async with connect(cookie) as console:
        await resources.redis.delete(f"identity:session:{identity.session_id_of(cookie)}")
        async with asyncio.timeout(30):
            await console.closed.wait()


async def test_changed_rights_close_the_console_which_may_come_back_with_the_new_ones(
    connect: Connect, sign_in: SignIn, resources: Resources
) -> None:
    cookie = await sign_in("Nan", ("admin", "*"))
    token = str(uuid.uuid4())
    async with connect(cookie, token=token) as console:
        await sign_in("Nan", ("viewer", "TH"))
        async with asyncio.timeout(30):
            await console.closed.wait()
    async with connect(cookie, token=token) as console:
        access = SHELL.replace("shell____shell_state", "access____access_state")
        assert await _refused_soon(console, f"{access}.load", "access:read")


async def _refused_soon(console: Console, event: str, words: str) -> bool:
    """Whether the event comes to be refused: a change may take a second to arrive."""
    for _ in range(100):
        await console.send(event)
        with suppress(TimeoutError):
            return bool(await console.notice_like(words, within_s=0.15))
    return False
