"""The audit trail keeps, masks, and notices."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.identity import audit_repository
from backend.identity.audit import list_audit, record, record_denial, verify
from backend.identity.schemas import AuditFilter
from backend.platform.resources import Resources

from .conftest import ADMIN, ADMIN_TH, MANAGER_TH10


async def write(resources: Resources, count: int, region: str = "TH-10") -> None:
    for number in range(count):
        async with resources.database.unit_of_work() as session:
            await record(
                session,
                MANAGER_TH10,
                "driver.changed",
                f"driver:{number}",
                region=region,
                before={"phone": "+66812345678", "speed": 1.5},
                after={"phone": "+66898765432", "big": 1e20},
                reason="new phone",
            )


async def tamper(resources: Resources, statement: str) -> None:
    async with resources.database.unit_of_work() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text(statement))


async def test_an_untouched_chain_verifies(resources: Resources) -> None:
    await write(resources, 5)
    check = await verify(resources)
    assert (check.checked, check.broken_seq) == (5, None)


async def test_rows_written_during_the_walk_are_not_taken_for_lost(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(resources, 3)
    read = audit_repository.after

    async def read_and_be_overtaken(*asked: object) -> object:
        rows = await read(*asked)  # type: ignore[arg-type]
        await write(resources, 1)
        return rows

    monkeypatch.setattr(audit_repository, "after", read_and_be_overtaken)
    check = await verify(resources)
    assert (check.checked, check.broken_seq) == (3, None)


async def test_an_empty_chain_verifies(resources: Resources) -> None:
    assert (await verify(resources)).checked == 0


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE identity_audit SET reason = 'nothing to see' WHERE seq = 3", 3),
        ("UPDATE identity_audit SET after = '{}' WHERE seq = 4", 4),
        ("UPDATE identity_audit SET actor = 'user:other' WHERE seq = 1", 1),
        ("UPDATE identity_audit SET at = at + interval '1 second' WHERE seq = 2", 2),
        ("DELETE FROM identity_audit WHERE seq = 2", 2),
        ("DELETE FROM identity_audit WHERE seq = 1", 1),
        ("DELETE FROM identity_audit WHERE seq > 3", 4),
    ],
)
async def test_verify_names_the_first_broken_row(
    resources: Resources, statement: str, broken: int
) -> None:
    await write(resources, 5)
    await tamper(resources, statement)
    check = await verify(resources)
    assert check.broken_seq == broken
    assert check.why


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE identity_audit SET reason = 'x'",
        "DELETE FROM identity_audit",
        "TRUNCATE identity_audit",
    ],
)
async def test_rows_cannot_be_changed_or_removed(resources: Resources, statement: str) -> None:
    await write(resources, 1)
    with pytest.raises(DBAPIError, match="append-only"):
        async with resources.database.unit_of_work() as session:
            await session.execute(text(statement))


async def test_concurrent_writers_make_one_chain(resources: Resources) -> None:
    await asyncio.gather(*(write(resources, 4) for _ in range(5)))
    check = await verify(resources)
    assert (check.checked, check.broken_seq) == (20, None)


async def test_several_rows_of_one_unit_of_work_chain(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await record(session, ADMIN, "a", "x:1")
        await record(session, ADMIN, "b", "x:2")
    assert (await verify(resources)).broken_seq is None


async def test_a_change_that_is_rolled_back_leaves_no_row_and_no_gap(resources: Resources) -> None:
    await write(resources, 1)
    with pytest.raises(ValueError, match="changed my mind"):  # noqa: PT012 - it must span the unit
        async with resources.database.unit_of_work() as session:
            await record(session, ADMIN, "a", "x:1")
            raise ValueError("changed my mind")
    await write(resources, 1)
    check = await verify(resources)
    assert (check.checked, check.broken_seq) == (2, None)


async def test_contact_details_are_masked(resources: Resources) -> None:
    await write(resources, 1)
    async with resources.database.unit_of_work() as session:
        (row,) = await list_audit(session, ADMIN, AuditFilter())
    assert row.before == {"phone": "+6•••78", "speed": 1.5}


async def test_a_regional_reader_sees_only_their_regions(resources: Resources) -> None:
    await write(resources, 1, "TH-10.siam")
    await write(resources, 1, "TL")
    await write(resources, 1, "IN-KA")
    async with resources.database.unit_of_work() as session:
        rows = await list_audit(session, ADMIN_TH, AuditFilter())
        assert [row.region for row in rows] == ["TH-10.siam"]
        everything = await list_audit(session, ADMIN, AuditFilter(region="IN"))
        assert [row.region for row in everything] == ["IN-KA"]


async def test_filters_and_paging(resources: Resources) -> None:
    await write(resources, 5)
    async with resources.database.unit_of_work() as session:
        page = await list_audit(session, ADMIN, AuditFilter(action="driver.changed"), limit=2)
        assert [row.seq for row in page] == [5, 4]
        rest = await list_audit(session, ADMIN, AuditFilter(), before_seq=4, limit=10)
        assert [row.seq for row in rest] == [3, 2, 1]
        assert await list_audit(session, ADMIN, AuditFilter(text="100%")) == []
        assert len(await list_audit(session, ADMIN, AuditFilter(text="nok"))) == 5


async def test_denials_are_recorded_until_they_become_a_flood(resources: Resources) -> None:
    for _ in range(40):
        await record_denial(resources, MANAGER_TH10, "audit:read", "TH-10")
    async with resources.database.unit_of_work() as session:
        rows = await list_audit(session, ADMIN, AuditFilter(outcome="denied"), limit=100)
    assert 30 <= len(rows) <= 35
    assert rows[0].action == "access.denied"
