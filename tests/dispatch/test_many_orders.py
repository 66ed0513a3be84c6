"""Among very many orders a list is read from where few of the others stand."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from backend.dispatch import order_list_repository, service
from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.rules import OPEN
from backend.identity.schemas import SYSTEM
from backend.platform.resources import Resources
from tests.dispatch.orders import place_order
from tests.support.plans import plan_of, refresh_statistics

_TABLE = "dispatch_order"
_ORDERS = 20_000
_MORE = """
INSERT INTO dispatch_order SELECT (jsonb_populate_record(o, jsonb_build_object(
  'id', gen_random_uuid(), 'number', 'N' || n, 'reference', 'R' || n, 'tracking_token', 'T' || n,
  'created_at', now() - n * interval '1 min', 'promised_at', now() - n * interval '1 min',
  'state', CASE WHEN n % 20 = 0 THEN 'ready' ELSE 'delivered' END,
  'tags', CASE WHEN n % 2 = 0 THEN '["fragile"]' ELSE '[]' END::jsonb,
  'ended_at', CASE WHEN n % 20 > 0
    THEN now() - n * interval '1 min' + (n % 3 - 1) * interval '1 hour' END))).*
FROM dispatch_order o, generate_series(1, :orders) AS n
"""


async def _filled(resources: Resources) -> None:
    await place_order(resources)
    async with resources.database.unit_of_work() as session:
        await session.execute(text(_MORE), {"orders": _ORDERS})
    await refresh_statistics(resources, _TABLE)


async def _plan(resources: Resources, **asked: Any) -> str:
    wanted = OrderFilter(**asked)
    return await plan_of(
        resources, _TABLE, lambda session: service.list_orders(session, SYSTEM, wanted)
    )


async def test_lists_are_read_from_their_indexes(resources: Resources) -> None:
    await _filled(resources)
    newest = await _plan(resources, states=tuple(OPEN))
    assert "ix_dispatch_order_open_created" in newest, newest
    assert "Sort" not in newest.replace("Sort Key: order_id", ""), newest
    rare = await _plan(resources, tag="never-given")
    assert "ix_dispatch_order_tags" in rare, rare
    assert "ix_dispatch_order_created" not in rare, rare
    named = await _plan(resources, q="malee")
    assert "ix_dispatch_order_created" not in named, named
    late = await _plan(resources, region="TH-10", lateness="late")
    assert "Sort" not in late, late


@pytest.mark.parametrize("few", [1, 2, 3])
async def test_a_tag_finds_the_same_orders_whether_few_or_many_have_it(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(order_list_repository, "_FEW", few)
    made = [await place_order(resources, tags=["vip"]) for _ in range(2)]
    await place_order(resources, tags=["fragile"])
    async with resources.database.unit_of_work() as session:
        wanted = OrderFilter(tag="vip")
        page = await service.list_orders(session, SYSTEM, wanted)
        counts = await service.count_orders(session, SYSTEM, wanted)
    assert [order.number for order in page.items] == [each.number for each in reversed(made)]
    assert sum(counts.by_state.values()) == 2
