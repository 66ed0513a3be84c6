"""Sessions begin, idle out, end and are capped, in every process at once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from backend.identity import session_store
from backend.identity.access import grant_role, revoke_grant
from backend.identity.audit import list_audit
from backend.identity.policy import Denied, may
from backend.identity.revocations import on_revoked, watch_revocations
from backend.identity.schemas import AuditFilter, GrantIn, GrantScope, Principal, Revocation
from backend.identity.sessions import (
    Visitor,
    begin_session,
    end_session,
    end_sessions_of_sid,
    list_sessions,
    principal_of_session,
    revoke_session,
    revoke_sessions_of,
    rotate_session,
    session_id_of,
)
from backend.platform.errors import NotFound
from backend.platform.resources import Resources

from .conftest import ADMIN, ADMIN_TH, NOBODY, enrolled


async def visitor(resources: Resources, name: str = "Nok", sid: str = "") -> Visitor:
    async with resources.database.unit_of_work() as session:
        person_id = await enrolled(session, name, GrantScope("viewer", "TH-10"))
    return Visitor(person_id, name, f"{name}@example.com", "10.0.0.1", "Firefox", sid)


def principal_of(visitor: Visitor) -> Principal:
    return Principal("user", f"user:{visitor.person_id}", visitor.name)


async def test_a_cookie_stands_for_its_person(resources: Resources) -> None:
    who = await visitor(resources)
    cookie = await begin_session(resources, who)
    principal = await principal_of_session(resources, cookie)
    assert principal is not None
    assert principal.id == f"user:{who.person_id}"
    assert principal.grants == (GrantScope("viewer", "TH-10"),)
    assert principal.session_id == session_id_of(cookie)


async def test_the_cookie_itself_is_stored_nowhere(resources: Resources) -> None:
    cookie = await begin_session(resources, await visitor(resources))
    assert len(cookie) >= 43
    for key in await resources.redis.keys("*"):
        assert cookie.encode() not in key
        if await resources.redis.type(key) == b"hash":
            assert cookie.encode() not in b"".join(await resources.redis.hvals(key))


@pytest.mark.parametrize("cookie", ["", "x", "x" * 5000, "identity:session:"])
async def test_an_unknown_cookie_is_nobody(resources: Resources, cookie: str) -> None:
    assert await principal_of_session(resources, cookie) is None


async def test_activity_moves_the_idle_end_and_a_look_does_not(resources: Resources) -> None:
    cookie = await begin_session(resources, await visitor(resources))
    key = f"identity:session:{session_id_of(cookie)}"
    await resources.redis.pexpire(key, 5_000)
    await principal_of_session(resources, cookie, touch=False)
    assert await resources.redis.pttl(key) <= 5_000
    await principal_of_session(resources, cookie)
    assert await resources.redis.pttl(key) > 1_700_000


async def test_an_idle_session_ends(resources: Resources) -> None:
    cookie = await begin_session(resources, await visitor(resources))
    await resources.redis.pexpire(f"identity:session:{session_id_of(cookie)}", 1)
    await asyncio.sleep(0.01)
    assert await principal_of_session(resources, cookie) is None


async def test_no_activity_moves_the_absolute_end(resources: Resources) -> None:
    cookie = await begin_session(resources, await visitor(resources))
    key = f"identity:session:{session_id_of(cookie)}"
    now_s, _ = await resources.redis.time()
    await resources.redis.hset(key, "ends", (now_s + 60) * 1000)
    await resources.redis.pexpire(key, 5_000)
    assert await principal_of_session(resources, cookie) is not None
    assert 5_000 < await resources.redis.pttl(key) <= 60_000
    await resources.redis.hset(key, "ends", (now_s - 1) * 1000)
    assert await principal_of_session(resources, cookie) is None


async def test_the_oldest_session_goes_over_the_cap(resources: Resources) -> None:
    who = await visitor(resources)
    cookies = []
    for _ in range(resources.settings.session_cap + 2):
        cookies.append(await begin_session(resources, who))
        await asyncio.sleep(0.002)  # the clock of the index counts milliseconds
    alive = [await principal_of_session(resources, cookie) is not None for cookie in cookies]
    assert alive == [False, False] + [True] * resources.settings.session_cap
    assert len(await session_store.of_person(resources.redis, who.person_id)) == 5


async def test_rotation_gives_a_new_id_and_ends_the_old(resources: Resources) -> None:
    cookie = await begin_session(resources, await visitor(resources))
    fresh = await rotate_session(resources, cookie)
    assert fresh is not None
    assert fresh != cookie
    assert await principal_of_session(resources, cookie) is None
    assert await principal_of_session(resources, fresh) is not None
    assert await rotate_session(resources, cookie) is None


async def test_front_channel_logout_ends_the_sessions_of_one_sid(resources: Resources) -> None:
    first = await begin_session(resources, await visitor(resources, sid="sid-1"))
    other = await begin_session(resources, await visitor(resources, sid="sid-2"))
    assert await end_sessions_of_sid(resources, "sid-1") == 1
    assert await principal_of_session(resources, first) is None
    assert await principal_of_session(resources, other) is not None
    assert await end_sessions_of_sid(resources, "sid-unknown") == 0


async def test_a_person_lists_and_revokes_their_own(resources: Resources) -> None:
    who = await visitor(resources)
    cookie = await begin_session(resources, who)
    async with resources.database.unit_of_work() as session:
        (info,) = await list_sessions(session, principal_of(who), person_id=who.person_id)
        assert (info.address, info.agent) == ("10.0.0.1", "Firefox")
        await revoke_session(session, principal_of(who), info.id)
    assert await principal_of_session(resources, cookie) is None


async def test_others_sessions_need_the_permission_in_their_region(resources: Resources) -> None:
    who = await visitor(resources)
    cookie = await begin_session(resources, who)
    admin_in = Principal("user", "user:a", "A", (GrantScope("admin", "IN"),))
    async with resources.database.unit_of_work() as session:
        with pytest.raises(Denied):
            await list_sessions(session, NOBODY)
        assert await list_sessions(session, admin_in) == []
        with pytest.raises(NotFound):
            await revoke_session(session, admin_in, session_id_of(cookie))
        assert len(await list_sessions(session, ADMIN_TH)) == 1
        assert await revoke_sessions_of(session, ADMIN, who.person_id) == 1
        (row,) = await list_audit(session, ADMIN, AuditFilter(action="session.revoked"))
        assert row.object == f"user:{who.person_id}"


async def heard(
    resources: Resources, about: set[str], holding: list[str], act: object
) -> list[Revocation]:
    """What a listener holding `holding` is told of `about` after `act`."""
    told: list[Revocation] = []
    listening, arrived = asyncio.Event(), asyncio.Event()

    async def note(revocation: Revocation) -> None:
        if revocation.session_id == "probe":
            listening.set()
        if not {revocation.principal_id, revocation.session_id} & about:
            return
        told.append(revocation)
        arrived.set()

    stop = asyncio.Event()
    forget = on_revoked(note, lambda: holding)
    task = asyncio.create_task(watch_revocations(resources, stop))
    try:
        # Another test's listener may still be counted: only being told shows that this one hears.
        while not listening.is_set():
            await resources.redis.publish("identity:revoked", "ended user:nobody probe trying")
            await asyncio.sleep(0.01)
        await act  # type: ignore[misc]
        await asyncio.wait_for(arrived.wait(), 30)
    finally:
        stop.set()
        forget()
        await task
    return told


async def test_revoking_is_told_to_socket_holders(resources: Resources) -> None:
    who = await visitor(resources)
    session_id = session_id_of(await begin_session(resources, who))
    told = await heard(resources, {session_id}, [], end_session(resources, session_id, "revoked"))
    assert told == [Revocation(f"user:{who.person_id}", session_id, "revoked")]


async def test_an_idle_end_is_told_although_nobody_announces_it(resources: Resources) -> None:
    session_id = session_id_of(await begin_session(resources, await visitor(resources)))
    gone = resources.redis.delete(f"identity:session:{session_id}")
    told = await heard(resources, {session_id}, [session_id], gone)
    assert told[0].session_id == session_id


async def test_a_changed_grant_is_told_and_counts(resources: Resources) -> None:
    who = await visitor(resources)
    cookie = await begin_session(resources, who)
    principal = await principal_of_session(resources, cookie)
    assert principal is not None
    assert not may(principal, "drivers:write", "TH-10")

    async def promote() -> None:
        async with resources.database.unit_of_work() as session:
            wanted = GrantIn(
                person_id=who.person_id, role="fleet_manager", region="TH-10", reason="covering"
            )
            await grant_role(session, ADMIN, wanted)

    told = await heard(resources, {principal.id}, [], promote())
    assert told == [Revocation(f"user:{who.person_id}", None, "rights changed")]
    await asyncio.sleep(0.5)
    principal = await principal_of_session(resources, cookie)
    assert principal is not None
    assert may(principal, "drivers:write", "TH-10")


async def test_a_revoked_grant_is_gone_within_a_second(resources: Resources) -> None:
    who = await visitor(resources)
    cookie = await begin_session(resources, who)
    wanted = GrantIn(person_id=who.person_id, role="admin", region="TH", reason="covering")
    async with resources.database.unit_of_work() as session:
        grant = await grant_role(session, ADMIN, wanted)
    principal = await principal_of_session(resources, cookie)
    assert principal is not None
    assert may(principal, "audit:read", "TH")
    async with resources.database.unit_of_work() as session:
        await revoke_grant(session, ADMIN, grant.id, "back from leave")
    await asyncio.sleep(0.6)
    principal = await principal_of_session(resources, cookie)
    assert principal is not None
    assert not may(principal, "audit:read", "TH")


def test_session_ids_do_not_reveal_the_cookie() -> None:
    assert len(session_id_of("secret")) == 64
    assert UUID(int=0) != session_id_of("secret")
