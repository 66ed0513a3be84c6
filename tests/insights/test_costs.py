"""The cost table: kept by admins, one row for a month and kind, no change lost."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backend.identity.schemas import SYSTEM, AuditFilter, GrantScope, Principal
from backend.identity.service import Denied, list_audit
from backend.insights.costs import CostChanged, NoSuchCost
from backend.insights.scorecard_schemas import CostIn
from backend.insights.service import list_costs, remove_cost, save_cost
from backend.platform.ids import uuid7
from backend.platform.money import Money
from backend.platform.resources import Resources

ADMIN = Principal("user", "user:1", "Asha", (GrantScope("admin", "*"),))
VIEWER = Principal("user", "user:2", "Ravi", (GrantScope("viewer", "*"),))
LOCAL = Principal("user", "user:3", "Malee", (GrantScope("admin", "TH"),))


def cost(minor: int = 120_000, **values: Any) -> CostIn:
    """What computing cost in October."""
    given = {"month": date(2026, 10, 17), "kind": "compute", **values}
    return CostIn(amount=Money(minor=minor, currency="USD"), **given)


async def test_a_row_is_kept_for_its_month_and_changed_by_whoever_saw_it(
    resources: Resources,
) -> None:
    async with resources.database.unit_of_work() as session:
        made = await save_cost(session, ADMIN, cost(note="two nodes"))
        assert (made.month, made.version) == (date(2026, 10, 1), 1)
        changed = await save_cost(session, ADMIN, cost(150_000, version=1))
    assert (changed.id, changed.version, changed.amount.minor) == (made.id, 2, 150_000)
    async with resources.database.unit_of_work() as session:
        assert await list_costs(session, VIEWER, 2026) == [changed]
        assert await list_costs(session, VIEWER, 2025) == []
        trail = await list_audit(session, SYSTEM, AuditFilter(action="cost.saved"))
    assert [row.action for row in trail] == ["cost.saved"] * 2


async def test_the_second_of_two_admins_is_told_what_the_first_did(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await save_cost(session, ADMIN, cost())
    for seen in (None, 2):
        async with resources.database.unit_of_work() as session:
            with pytest.raises(CostChanged, match=r"Asha set compute of October 2026 to 1200\.00"):
                await save_cost(session, ADMIN, cost(1, version=seen))


async def test_a_row_can_be_taken_away_once(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        row = await save_cost(session, ADMIN, cost())
    async with resources.database.unit_of_work() as session:
        with pytest.raises(CostChanged):
            await remove_cost(session, ADMIN, row.id, 7)
        await remove_cost(session, ADMIN, row.id, 1)
    async with resources.database.unit_of_work() as session:
        assert await list_costs(session, ADMIN, 2026) == []
        with pytest.raises(NoSuchCost):
            await remove_cost(session, ADMIN, uuid7(), 1)
        with pytest.raises(CostChanged, match="taken away"):
            await save_cost(session, ADMIN, cost(version=1))


async def test_costs_are_the_companys_and_not_a_regions(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        for caller in (VIEWER, LOCAL):
            with pytest.raises(Denied):
                await save_cost(session, caller, cost())
        with pytest.raises(Denied):
            await list_costs(session, LOCAL, 2026)
