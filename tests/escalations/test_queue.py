"""The queue: what is due first, what each filter leaves, every page once, and from its index."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, text

from backend.identity.schemas import Principal
from backend.platform.errors import BadRequest
from backend.platform.resources import Resources
from backend.support import service
from backend.support.rules import SlaState
from backend.support.schemas import EscalationCounts, EscalationFilter, EscalationPage

from .world import ADMIN, AGENT, OTHER, answer, do, opened, queue

# As many as a bad evening leaves open, on ten times as many that are over.
_FILL = """
INSERT INTO support_escalation (
  id, kind, priority, state, subject, region, order_number, origin, opened_by, opened_by_name,
  assignee, assignee_name, ready_to_answer, customer_waits, opened_at, last_at,
  first_response_due, resolution_due, due_at, warn_at, warned, stale, solved_at, reopened,
  version, changed_by_name, changed_what, changed_at)
SELECT gen_random_uuid(),
  (ARRAY['payment','late','otp','damaged','address','driver','refund','other'])[1 + n % 8],
  (ARRAY['urgent','high','normal','low'])[1 + n % 4],
  CASE WHEN n <= :open THEN (ARRAY['open','open','pending'])[1 + n % 3] ELSE 'solved' END,
  'Escalation ' || n, (ARRAY['TH-10','IN-KA','VN-SG','ID-JK'])[1 + n % 4], 'WP-' || n, 'agent',
  'user:x', 'X', CASE n % 5 WHEN 0 THEN NULL ELSE 'user:' || n % 5 END, NULL, false, n % 2 = 0,
  now() - n * interval '1 second', now(), now() + interval '1 hour', now() + interval '9 hours',
  now() + (n % 1000 - 300) * interval '1 minute', now() + (n % 1000 - 360) * interval '1 minute',
  2, false, CASE WHEN n <= :open THEN NULL ELSE now() END, 0, 1, 'X', 'opened it', now()
FROM generate_series(1, :all) AS n
"""


async def filled(resources: Resources, open_: int, all_: int) -> None:
    async with resources.database.unit_of_work() as session:
        await session.execute(text(_FILL), {"open": open_, "all": all_})
    async with resources.database.engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text("VACUUM ANALYZE support_escalation"))


async def page_of(
    resources: Resources, who: Principal = ADMIN, after: str | None = None, **asked: Any
) -> EscalationPage:
    async with resources.database.unit_of_work() as session:
        return await service.list_escalations(
            session, who, EscalationFilter(**asked), after=after, limit=200
        )


async def counts_of(resources: Resources, who: Principal = ADMIN, **asked: Any) -> EscalationCounts:
    found: EscalationCounts = await do(
        resources, service.count_escalations, who, EscalationFilter(**asked)
    )
    return found


async def plan_of(resources: Resources, who: Principal, **asked: Any) -> str:
    """How PostgreSQL reads a page."""
    engine = resources.database.engine
    seen: list[tuple[str, Any]] = []

    def remember(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if "FROM support_escalation" in statement:
            seen.append((statement, values))

    event.listen(engine.sync_engine, "before_cursor_execute", remember)
    try:
        await page_of(resources, who, **asked)
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", remember)
    [(statement, values)] = seen
    async with engine.connect() as connection:
        lines = await connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        return "\n".join(row[0] for row in lines)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "ix_support_escalation_due"),
        ({"sort": "newest"}, "ix_support_escalation_newest"),
        ({"states": ["open"], "kinds": ["payment"]}, "ix_support_escalation_"),
        ({"states": ["solved"]}, "ix_support_escalation_state"),
        ({"states": ["open", "pending", "solved", "closed"]}, "support_escalation_pkey"),
        ({"assignee": "me"}, "ix_support_escalation_assignee"),
    ],
)
async def test_a_page_is_read_from_its_index_in_its_order(
    resources: Resources, asked: dict[str, Any], index: str
) -> None:
    await filled(resources, 5_000, 60_000)
    for who in (ADMIN, AGENT):
        plan = await plan_of(resources, who, **asked)
        assert index in plan, plan
        assert "Sort" not in plan or "kinds" in asked, plan
        assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("sort", ["due", "newest"])
async def test_pages_follow_each_other_without_a_gap(resources: Resources, sort: str) -> None:
    await filled(resources, 450, 500)
    ids, dues, after = [], [], None
    while True:
        page = await page_of(resources, after=after, sort=sort)
        ids += [row.id for row in page.items]
        dues += [row.sla.due for row in page.items]
        after = page.next_cursor
        if after is None:
            break
    assert len(ids) == len(set(ids)) == 450
    assert dues == sorted(dues) if sort == "due" else ids == sorted(ids, reverse=True)
    for wrong in ("x", "é", "%%%", "bm8gdGltZQ"):
        with pytest.raises(BadRequest):
            await page_of(resources, after=wrong)


async def test_counts_are_those_of_the_lists(resources: Resources) -> None:
    await filled(resources, 200, 300)
    counted = await counts_of(resources)
    assert counted.total == 200
    for state in SlaState:
        rows = await queue(resources, sla=state)
        assert counted.by_sla.get(state, 0) == len(rows)
        assert {row.sla.state for row in rows} <= {state}
    assert counted.unassigned == len(await queue(resources, assignee="nobody"))
    assert counted.customer_waits == len(await queue(resources, customer_waits=True))


async def test_one_finds_ones_own_and_what_nobody_has(resources: Resources) -> None:
    mine, theirs, nobodys = [await opened(resources) for _ in range(3)]
    await do(resources, service.take, AGENT, mine.id, seen_version=mine.version)
    await do(resources, service.take, OTHER, theirs.id, seen_version=theirs.version)
    for asked, found in (
        ({"assignee": "me"}, [mine]),
        ({"assignee": OTHER.id}, [theirs]),
        ({"assignee": "nobody"}, [nobodys]),
        ({"q": "ESC-2"}, [theirs]),
        ({"q": nobodys.order_number}, [nobodys]),
        ({"order_number": mine.order_number}, [mine]),
        ({"q": "wet"}, [mine, theirs, nobodys]),
        ({"q": "100%"}, []),
    ):
        got = await queue(resources, AGENT, **asked)  # type: ignore[arg-type]
        assert {row.id for row in got} == {row.id for row in found}, asked
    await answer(resources, nobodys)
    assert {row.id for row in await queue(resources, AGENT, customer_waits=True)} == {
        mine.id, theirs.id
    }  # fmt: skip
