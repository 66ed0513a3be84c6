"""Looks at personal details are counted, and an hour has only so many."""

from __future__ import annotations

import httpx
import pytest

from backend.dispatch import service as dispatch
from backend.identity.reveals import TooManyReveals, count_reveals, spend_reveal
from backend.identity.schemas import SYSTEM, AuditFilter, GrantScope, Principal
from backend.identity.service import list_audit
from backend.platform.resources import Resources
from backend.tracking import service as tracking
from tests.dispatch.orders import place_order
from tests.tracking.fleet import hire, somebody

AGENT = Principal("user", "user:agent", "Agent", (GrantScope("support_agent", "TH-10"),))
OTHER = Principal("user", "user:other", "Other", (GrantScope("support_agent", "TH-10"),))


@pytest.fixture
def three_an_hour(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources.settings, "reveals_per_hour", 3)


async def used(principal: Principal) -> int:
    return (await count_reveals(principal)).used


@pytest.mark.usefixtures("three_an_hour")
async def test_orders_and_drivers_count_together_for_each_person(resources: Resources) -> None:
    order = await place_order(resources)
    phone = await hire(resources, phone="+66800004321")
    async with resources.database.unit_of_work() as session:
        await dispatch.reveal_field(session, AGENT, order.id, "drop.phone")
        await dispatch.reveal_field(session, AGENT, order.id, "drop.name")
        assert await tracking.reveal_phone(session, AGENT, phone.id) == "+66800004321"
    assert (await used(AGENT), await used(OTHER)) == (3, 0)
    async with resources.database.unit_of_work() as session:
        with pytest.raises(TooManyReveals) as refused:
            await dispatch.reveal_field(session, AGENT, order.id, "drop.phone")
    assert "3 personal details within an hour" in refused.value.detail
    assert 3_000 < refused.value.retry_after_s <= 3_600
    async with resources.database.unit_of_work() as session:
        await dispatch.reveal_field(session, OTHER, order.id, "drop.phone")
        [denied] = await list_audit(session, SYSTEM, AuditFilter(action="access.denied"))
    assert (denied.actor, denied.object) == (AGENT.id, "reveal limit")
    assert await used(AGENT) == 3


@pytest.mark.usefixtures("three_an_hour")
async def test_the_refusal_over_http_says_so_and_when_to_come_back(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    headers = await somebody(resources, "support_agent", "TH-10")
    path, body = f"/api/v1/orders/{order.number}/reveal", {"field": "drop.phone"}
    for _ in range(3):
        answer = await client.post(path, json=body, headers=headers)
        assert answer.json()["value"] == "+66812345678"
    answer = await client.post(path, json=body, headers=headers)
    assert answer.status_code == 429
    assert answer.json()["type"] == "urn:waypost:problem:reveal_limit"
    assert "as many as one person may" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 3_000


@pytest.mark.usefixtures("three_an_hour")
async def test_a_look_counts_for_an_hour(resources: Resources) -> None:
    for _ in range(3):
        await spend_reveal(AGENT, "orders:reveal", "TH-10")
    await resources.redis.zadd(
        f"reveals:{AGENT.id}",
        {
            member: score - 3_601
            for member, score in (
                await resources.redis.zrange(f"reveals:{AGENT.id}", 0, 1, withscores=True)
            )
        },
    )
    assert await used(AGENT) == 1
    assert (await spend_reveal(AGENT, "orders:reveal", "TH-10")).used == 2
