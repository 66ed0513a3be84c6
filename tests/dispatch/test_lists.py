"""Lists of orders: filters, pages, counts, and who sees what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from backend.dispatch import service
from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.rules import TERMINAL, Action, OrderState, lateness
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.resources import Resources
from tests.dispatch.orders import LUMPINI, advance, marketplace, order_body, place_order
from tests.tracking.fleet import hire, somebody

Problem = Callable[[httpx.Response], dict[str, Any]]


@pytest.fixture
async def viewer(resources: Resources) -> dict[str, str]:
    return await somebody(resources, "viewer", "TH-10")


async def found(
    client: httpx.AsyncClient, headers: dict[str, str], **params: Any
) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/orders", params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_each_filter_finds_what_it_says(
    client: httpx.AsyncClient, resources: Resources, viewer: dict[str, str]
) -> None:
    phone = await hire(resources)
    market, _ = await marketplace(resources)
    drop = {**order_body()["drop"], "name": "Anong 100% Silk", "phone": "+66899999999"}
    wanted = await place_order(
        resources,
        market,
        service="express",
        tags=["vip"],
        drop=drop,
        payment={"terms": "cod", "amount": {"minor": 100, "currency": "THB"}},
    )
    await advance(resources, wanted.id, Action.ASSIGN, driver=phone.id)
    async with resources.database.unit_of_work() as session:
        await service.flag_order(session, SYSTEM, wanted.id, "Look at it")
    other = await place_order(resources)
    filters: list[dict[str, Any]] = [
        {"state": ["assigned", "accepted"]},
        {"service": "express"},
        {"driver_id": str(phone.id)},
        {"merchant": market.id},
        {"tag": "vip"},
        {"terms": "cod"},
        {"flagged": True},
        {"created_until": other.created_at.isoformat()},
        {"q": wanted.number},
        {"q": wanted.number.lower().replace("wp-", "")},
        {"q": wanted.reference},
        {"q": wanted.parcels[0]["barcode"]},
        {"q": "anong"},
        {"q": "Anong 100%"},
        {"q": "+66899999999"},
    ]
    for each in filters:
        assert [o["number"] for o in await found(client, viewer, **each)] == [wanted.number], each
        counted = await client.get("/api/v1/orders/counts", params=each, headers=viewer)
        assert counted.json()["by_state"] == {"assigned": 1}, each
    for nothing in ({"q": "_nong"}, {"q": "%"}, {"region": "IN"}, {"tag": "nobody"}):
        assert await found(client, viewer, **nothing) == []
    assert len(await found(client, viewer, region="TH")) == 2
    assert len(await found(client, viewer, region=wanted.hub)) == 2


@pytest.mark.parametrize("sort", ["created", "-created", "promised", "-promised"])
async def test_pages_show_each_order_once_and_in_order(
    client: httpx.AsyncClient, resources: Resources, viewer: dict[str, str], sort: str
) -> None:
    promise = clock.now() + timedelta(hours=4)
    for number in range(7):
        # Some share their promise: the place in the list is told by the id then.
        due = promise + timedelta(minutes=number // 3)
        await place_order(resources, promised_at=due.isoformat())
    seen: list[dict[str, Any]] = []
    params: dict[str, Any] = {"sort": sort, "limit": 2}
    while True:
        page = (await client.get("/api/v1/orders", params=params, headers=viewer)).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    field = "promised_at" if "promised" in sort else "created_at"
    keys = [(order[field], order["id"]) for order in seen]
    assert len(set(keys)) == 7
    assert keys == sorted(keys, reverse=sort.startswith("-"))


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"cursor": "rubbish"}, "/query/cursor"),
        ({"cursor": "MjAyNi0wMS0wMQ"}, "/query/cursor"),
        ({"limit": 0}, "/query/limit"),
        ({"limit": 201}, "/query/limit"),
        ({"state": "lost"}, "/query/state/0"),
        ({"lateness": "never"}, "/query/lateness"),
        ({"sort": "name"}, "/query/sort"),
        ({"created_from": "yesterday"}, "/query/created_from"),
        ({"driver_id": "me"}, "/query/driver_id"),
        ({"q": "a\0b"}, "/query/q"),
    ],
)
async def test_a_wrong_query_is_refused_by_its_part(
    client: httpx.AsyncClient,
    viewer: dict[str, str],
    problem_of: Problem,
    params: dict[str, Any],
    pointer: str,
) -> None:
    answer = await client.get("/api/v1/orders", params=params, headers=viewer)
    assert answer.status_code in (400, 422)
    assert problem_of(answer)["errors"][0]["pointer"] == pointer


async def test_a_hub_sees_what_is_delivered_there(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    here = await place_order(resources)
    far = {**order_body()["drop"], "lat": 13.8, "lon": 100.55}
    there = await place_order(resources, drop=far)
    assert here.hub != there.hub
    keeper = await somebody(resources, "fleet_manager", here.hub or "")
    assert [order["id"] for order in await found(client, keeper)] == [str(here.id)]
    assert (await client.get(f"/api/v1/orders/{there.id}", headers=keeper)).status_code == 404
    # Moving the drop away would take it out of the keeper's hands.
    path, body = f"/api/v1/orders/{here.id}", {"reason": "Moved", "drop_point": [13.8, 100.55]}
    assert (await client.patch(path, json=body, headers=keeper)).status_code == 403
    assert (await found(client, keeper))[0]["drop"]["lat"] == LUMPINI["lat"]


Moments = st.timedeltas(timedelta(hours=-3), timedelta(hours=3))


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(OrderState), Moments, Moments, st.one_of(st.none(), Moments)
        ),
        min_size=1,
        max_size=8,
    )
)  # fmt: skip
async def test_the_database_and_the_rules_agree_on_what_is_late(
    resources: Resources, rows: list[tuple[OrderState, timedelta, timedelta, timedelta | None]]
) -> None:
    now = datetime(2026, 3, 1, 5, tzinfo=UTC)
    expected: dict[str, list[str]] = {"late": [], "at_risk": [], "on_time": []}
    async with resources.database.unit_of_work() as session:
        await session.execute(text("TRUNCATE dispatch_order"))
    for state, promised, ended, eta in rows:
        order = await place_order(resources)
        ended_at = now + ended if state in TERMINAL else None
        eta_high = None if eta is None else now + eta
        async with resources.database.unit_of_work() as session:
            await session.execute(
                text(
                    "UPDATE dispatch_order SET state = :state, promised_at = :promised,"
                    " ended_at = :ended, eta_high = :eta WHERE id = :id"
                ),
                {
                    "state": state, "promised": now + promised, "ended": ended_at,
                    "eta": eta_high, "id": order.id,
                },
            )  # fmt: skip
        kept = lateness(state, now + promised, ended_at, eta_high, now)
        if kept is not None:
            expected[kept].append(order.number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: now)
        async with resources.database.unit_of_work() as session:
            counts = await service.count_orders(session, SYSTEM)
            listed = {
                late: await service.list_orders(session, SYSTEM, OrderFilter(lateness=late))
                for late in expected
            }
    assert {
        late: sorted(order.number for order in page.items) for late, page in listed.items()
    } == {late: sorted(numbers) for late, numbers in expected.items()}
    assert counts.by_lateness == {late: len(n) for late, n in expected.items() if n}
    assert sum(counts.by_state.values()) == len(rows)
