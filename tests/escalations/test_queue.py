"""The queue: what is due first, what each filter leaves, every page once, and from its index."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from backend.identity.schemas import Principal
from backend.platform.errors import BadRequest
from backend.platform.resources import Resources
from backend.support import listing, service
from backend.support.rules import SlaState, State
from backend.support.schemas import EscalationCounts, EscalationFilter, EscalationPage
from tests.support.plans import plan_of, refresh_statistics

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
    await refresh_statistics(resources, "support_escalation")


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


async def page_plan(resources: Resources, who: Principal, **asked: Any) -> str:
    wanted = EscalationFilter(**asked)
    return await plan_of(
        resources,
        "support_escalation",
        lambda session: service.list_escalations(session, who, wanted, limit=200),
    )


EVERY = ["open", "pending", "solved", "closed"]


_READ_FROM: list[tuple[dict[str, Any], str]] = [
    ({}, "ix_support_escalation_due"),
    ({"sort": "newest"}, "ix_support_escalation_newest"),
    ({"states": ["open"], "kinds": ["payment"]}, "ix_support_escalation_"),
    ({"states": ["solved"]}, "ix_support_escalation_state"),
    ({"states": EVERY}, "support_escalation_pkey"),
    ({"assignee": "me"}, "ix_support_escalation_assignee"),
    ({"states": EVERY, "assignee": "user:none"}, "ix_support_escalation_whose"),
    ({"states": EVERY, "order_number": "WP-77"}, "ix_support_escalation_order_number"),
]


async def test_a_page_is_read_from_its_index_in_its_order(resources: Resources) -> None:
    await filled(resources, 5_000, 60_000)
    for asked, index in _READ_FROM:
        for who in (ADMIN, AGENT):
            plan = await page_plan(resources, who, **asked)
            assert index in plan, plan
            assert "Sort" not in plan or "kinds" in asked, plan
            assert "Seq Scan" not in plan, plan
    for q in ("Zebulon Quixote", "zq", "WP-599999", "INC-12", "9 999"):
        for who in (ADMIN, AGENT):
            plan = await page_plan(resources, who, q=q, states=EVERY, sort="newest")
            assert "ix_support_escalation_words" in plan, plan


async def test_words_are_found_anywhere_and_short_ones_where_a_word_begins(
    resources: Resources,
) -> None:
    wet, thai = [
        await opened(resources, subject=subject) for subject in ("50% of box is wet", "ตั๋วหาย")
    ]
    for q, found in (
        ("ox is W", [wet]),
        ("x i", [wet]),
        ("i", [wet]),
        ("we", [wet]),
        ("50%", [wet]),
        ("๋วห", [thai]),
        ("ox", []),
        ("5_", []),
        ("%", []),
        ("---", []),
        ("  ", [wet, thai]),
    ):
        assert {row.id for row in await queue(resources, q=q)} == {row.id for row in found}, q


async def test_what_is_over_is_counted_up_to_a_bound(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "COUNTED_UP_TO", 70)
    await filled(resources, 200, 300)
    counted = await counts_of(resources, states=[*EVERY, "solved"])
    assert counted.by_state[State.OPEN] + counted.by_state[State.PENDING] == 200
    assert (counted.by_state[State.SOLVED], counted.total, counted.most) == (70, 270, 70)


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
