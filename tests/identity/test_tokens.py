"""API and device tokens: what they reach, how they end, how fast they are found."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from backend.identity.policy import Denied, may
from backend.identity.schemas import SYSTEM, Principal
from backend.identity.tokens import (
    IssuedToken,
    issue_api_token,
    issue_device_token,
    list_tokens,
    principal_of_bearer,
    revoke_token,
)
from backend.platform.errors import Invalid, NotFound
from backend.platform.ids import uuid7
from backend.platform.resources import Resources

from .conftest import ADMIN, ADMIN_TH, MANAGER_TH10


async def issue(resources: Resources, maker: Principal = SYSTEM, **what: object) -> IssuedToken:
    async with resources.database.unit_of_work() as session:
        return await issue_api_token(session, maker, "market", **what)  # type: ignore[arg-type]


async def test_a_role_token_acts_by_its_role_in_its_regions(resources: Resources) -> None:
    issued = await issue(resources, role="fleet_manager", regions=("TH-10",))
    principal = await principal_of_bearer(resources, issued.secret)
    assert principal is not None
    assert (principal.kind, principal.id) == ("service", "service:market")
    assert may(principal, "drivers:write", "TH-10.siam")
    assert not may(principal, "drivers:write", "IN-KA")
    assert not may(principal, "tokens:write")


async def test_named_permissions_reach_no_further(resources: Resources) -> None:
    issued = await issue(resources, permissions=frozenset({"drivers:read"}), regions=("TH",))
    principal = await principal_of_bearer(resources, issued.secret)
    assert principal is not None
    assert may(principal, "drivers:read", "TH-10")
    assert not may(principal, "positions:read", "TH-10")


async def test_only_the_digest_is_stored(resources: Resources) -> None:
    issued = await issue(resources, role="viewer")
    async with resources.database.unit_of_work() as session:
        for table in ("identity_token", "identity_audit"):
            rows = await session.scalars(text(f"SELECT t::text FROM {table} t"))
            assert all(issued.secret not in row for row in rows)


@pytest.mark.parametrize("token", ["", "wpt_", "wpt_nonsense", "Bearer x", "wpt_" + "x" * 5000])
async def test_an_unknown_token_is_nobody(resources: Resources, token: str) -> None:
    assert await principal_of_bearer(resources, token) is None


async def test_an_expired_token_is_nobody(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = await issue(resources, role="viewer", ttl=timedelta(minutes=1))
    assert await principal_of_bearer(resources, issued.secret) is not None
    monkeypatch.setattr("backend.identity.tokens.clock.now", lambda: issued.expires_at)
    assert await principal_of_bearer(resources, issued.secret) is None


async def test_a_revoked_token_is_nobody_within_a_second(resources: Resources) -> None:
    issued = await issue(resources, role="viewer")
    assert await principal_of_bearer(resources, issued.secret) is not None
    async with resources.database.unit_of_work() as session:
        await revoke_token(session, ADMIN, issued.id)
    await asyncio.sleep(0.6)
    assert await principal_of_bearer(resources, issued.secret) is None
    async with resources.database.unit_of_work() as session:
        with pytest.raises(NotFound):
            await revoke_token(session, ADMIN, issued.id)


async def test_a_known_token_is_found_without_asking_the_stores(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = await issue(resources, role="viewer")
    await principal_of_bearer(resources, issued.secret)

    def unreachable() -> None:
        raise AssertionError("asked the database")

    monkeypatch.setattr(resources.database, "unit_of_work", unreachable)
    for _ in range(100):
        assert await principal_of_bearer(resources, issued.secret) is not None


async def test_what_redis_lost_makes_the_process_ask_again(resources: Resources) -> None:
    issued = await issue(resources, role="viewer")
    other = await issue(resources, role="viewer")
    async with resources.database.unit_of_work() as session:
        await revoke_token(session, ADMIN, other.id)
    assert await principal_of_bearer(resources, issued.secret) is not None
    await resources.redis.flushdb()
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE identity_token SET revoked_at = now()"))
    await asyncio.sleep(0.6)
    assert await principal_of_bearer(resources, issued.secret) is None


async def test_nobody_hands_out_more_than_they_hold(resources: Resources) -> None:
    with pytest.raises(Denied):
        await issue(resources, MANAGER_TH10, role="viewer", regions=("TH-10",))
    with pytest.raises(Denied):
        await issue(resources, ADMIN_TH, role="viewer")
    with pytest.raises(Denied):
        await issue(resources, ADMIN_TH, role="viewer", regions=("TH", "IN"))
    assert await issue(resources, ADMIN_TH, role="fleet_manager", regions=("TH-10",))


@pytest.mark.parametrize(
    "what",
    [
        {},
        {"role": "root"},
        {"role": "viewer", "permissions": frozenset({"drivers:read"})},
        {"permissions": frozenset({"drivers:explode"})},
        {"role": "viewer", "regions": ("bangkok",)},
        {"role": "viewer", "regions": ()},
    ],
)
async def test_a_senseless_token_is_refused(resources: Resources, what: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        await issue(resources, **what)


async def test_tokens_are_listed_in_the_callers_regions_only(resources: Resources) -> None:
    await issue(resources, role="viewer", regions=("TH-10", "SG"))
    await issue(resources, role="viewer", regions=("IN-KA",))
    async with resources.database.unit_of_work() as session:
        seen = await list_tokens(session, ADMIN_TH)
        assert [token.regions for token in seen] == [("TH-10", "SG")]
        assert len(await list_tokens(session, ADMIN)) == 2
        with pytest.raises(Denied):
            await list_tokens(session, MANAGER_TH10)


async def test_a_token_reaching_beyond_the_callers_region_is_not_theirs_to_revoke(
    resources: Resources,
) -> None:
    issued = await issue(resources, role="viewer", regions=("TH-10", "SG"))
    async with resources.database.unit_of_work() as session:
        with pytest.raises(Denied):
            await revoke_token(session, ADMIN_TH, issued.id)


async def test_use_is_noted(resources: Resources) -> None:
    issued = await issue(resources, role="viewer")
    await principal_of_bearer(resources, issued.secret)
    async with resources.database.unit_of_work() as session:
        (row,) = await list_tokens(session, ADMIN)
    assert row.used_at is not None
    assert row.hint == issued.secret[:8]


async def device(resources: Resources, driver_id: UUID) -> str:
    async with resources.database.unit_of_work() as session:
        issued = await issue_device_token(session, MANAGER_TH10, driver_id, "TH-10")
    return issued.secret


async def test_a_device_token_is_its_driver_and_sends_positions_only(resources: Resources) -> None:
    driver_id = uuid7()
    principal = await principal_of_bearer(resources, await device(resources, driver_id))
    assert principal is not None
    assert (principal.kind, principal.driver_id) == ("device", driver_id)
    assert principal.id == f"driver:{driver_id}"
    assert principal.regions == ("TH-10",), "where the phone's driver was when it was made"
    assert may(principal, "positions:write")
    assert not may(principal, "drivers:read")


async def test_a_fourth_device_token_ends_the_first(resources: Resources) -> None:
    driver_id = uuid7()
    tokens = [await device(resources, driver_id) for _ in range(3)]
    assert all([await principal_of_bearer(resources, token) for token in tokens])
    tokens.append(await device(resources, driver_id))
    await asyncio.sleep(0.6)
    found = [await principal_of_bearer(resources, token) is not None for token in tokens]
    assert found == [False, True, True, True]


async def test_a_device_token_needs_the_drivers_region(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        with pytest.raises(Denied):
            await issue_device_token(session, MANAGER_TH10, uuid7(), "IN-KA")
