"""What a customer sees behind their link: their order's way, and nobody's person or address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from backend.dispatch import customer_page, customer_times, service
from backend.dispatch.customer_rules import (
    NEAR_M,
    area_around,
    new_token,
    shows_position,
    steps_of,
)
from backend.dispatch.lifecycle import Circumstances
from backend.dispatch.rules import Action, OrderState
from backend.dispatch.schemas import OrderOut
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.resources import Resources
from tests.dispatch.orders import LUMPINI, advance, link_of, place_order
from tests.tracking.fleet import Phone, ago, fix, hire, send, work_off

COLLECT = (Action.ASSIGN, Action.ACCEPT, Action.REACH_PICKUP, Action.PICK_UP)
LEAVE = (*COLLECT, Action.DEPART)
AT_THE_DOOR = (LUMPINI["lat"] + 0.005, LUMPINI["lon"] + 0.0031)
FAR_AWAY = (LUMPINI["lat"] + 0.09, LUMPINI["lon"])
SECRETS = (
    "Malee", "Srisuk", "+66812345678", "812345678", "12 Sala Daeng", "Siam Books", "6621234567",
    "Rama I", str(LUMPINI["lat"]), str(LUMPINI["lon"]), "Jaidee", "+66899999999", "12500", "125.00",
    "MKT-", "DRV-",
)  # fmt: skip


def token_of(order: OrderOut) -> str:
    return link_of(order).rpartition("/")[2]


async def driver_at(
    client: httpx.AsyncClient, resources: Resources, place: tuple[float, float], age_s: float = 1
) -> Phone:
    phone = await hire(resources, name="Somchai Jaidee", phone="+66899999999")
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE tracking_driver SET on_shift = true"))
    await send(client, phone, [fix(ago(age_s), *place, bearing=90, speed=4)])
    await work_off(resources)
    return phone


async def told(client: httpx.AsyncClient, order: OrderOut, lang: str = "en") -> Any:
    answer = await client.get(f"/api/track/{token_of(order)}", params={"lang": lang})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def html(client: httpx.AsyncClient, order: OrderOut, lang: str = "en") -> str:
    answer = await client.get(f"/track/{token_of(order)}", params={"lang": lang})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_an_orders_link_needs_no_sign_in_and_is_unguessable(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order, other = await place_order(resources), await place_order(resources)
    assert order.tracking_url == f"{resources.settings.public_url}/track/{token_of(order)}"
    assert token_of(order) != token_of(other)
    assert len(token_of(order)) * 6 >= 256
    answer = await client.get(f"/track/{token_of(order)}?lang=en")
    assert "We have your order" in answer.text
    assert order.number in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]


@pytest.mark.parametrize(
    ("place", "age_s", "actions", "shown"),
    [
        (AT_THE_DOOR, 1, LEAVE, True),
        (AT_THE_DOOR, 1, COLLECT, True),
        (AT_THE_DOOR, 1, (*LEAVE, Action.ARRIVE), True),
        (FAR_AWAY, 1, LEAVE, False),
        (AT_THE_DOOR, 3600, LEAVE, False),
        (AT_THE_DOOR, 1, COLLECT[:3], False),
        (AT_THE_DOOR, 1, (*LEAVE, Action.FAIL), False),
        (AT_THE_DOOR, 1, (*LEAVE, Action.HOLD), False),
        (AT_THE_DOOR, 1, (*LEAVE, Action.ARRIVE, Action.DELIVER), False),
    ],
)
async def test_the_driver_is_seen_only_while_the_order_is_near(
    client: httpx.AsyncClient,
    resources: Resources,
    place: tuple[float, float],
    age_s: float,
    actions: tuple[Action, ...],
    shown: bool,
) -> None:
    order = await place_order(resources)
    phone = await driver_at(client, resources, place, age_s)
    await advance(resources, order.id, *actions, driver=phone.id)
    seen = await told(client, order)
    page = await html(client, order)
    assert (seen["position"] is not None) is shown
    assert (seen["area"] is not None) is shown
    assert ('<svg class="map"' in page) is shown
    if shown:
        assert seen["position"]["lat"] == pytest.approx(place[0], abs=1e-6)
    else:
        assert str(place[0])[:6] not in page + str(seen)


async def test_a_driver_far_away_is_seen_when_this_stop_is_next(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order, before = await place_order(resources), await place_order(resources)
    phone = await driver_at(client, resources, FAR_AWAY)
    for each in (order, before):
        await advance(resources, each.id, *LEAVE, driver=phone.id)
    await plan(resources, phone.id, (before.id, "drop"), (order.id, "drop"))
    assert (await told(client, order))["position"] is None
    assert (await told(client, before))["position"] is not None
    await advance(resources, before.id, Action.ARRIVE, Action.DELIVER, driver=phone.id)
    assert (await told(client, order))["position"] is not None


async def plan(resources: Resources, driver_id: UUID, *stops: tuple[UUID, str]) -> None:
    """A tour of the driver in this order."""
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text(
                "INSERT INTO dispatch_route (id, driver_id, region, version, made_by, made_at,"
                " distance_m, duration_s, late_s)"
                " VALUES (:driver, :driver, 'TH-10', 1, 'system', now(), 1, 1, 0)"
            ),
            {"driver": driver_id},
        )
        for seq, (order_id, kind) in enumerate(stops):
            await session.execute(
                text(
                    "INSERT INTO dispatch_stop (route_id, seq, order_id, kind, lat, lon,"
                    " arrive_at, leave_at, pinned, line) VALUES (:route, :seq, :order, :kind,"
                    " 13.7, 100.5, now(), now(), false, '[]')"
                ),
                {"route": driver_id, "seq": seq, "order": order_id, "kind": kind},
            )


@pytest.mark.parametrize(
    "actions",
    [
        (),
        (Action.ASSIGN,),
        COLLECT,
        LEAVE,
        (*LEAVE, Action.ARRIVE),
        (*LEAVE, Action.ARRIVE, Action.DELIVER),
        (*LEAVE, Action.FAIL, Action.SEND_BACK),
        (Action.HOLD,),
        (Action.CANCEL,),
    ],
)
async def test_nothing_personal_is_in_what_a_customer_gets(
    client: httpx.AsyncClient, resources: Resources, actions: tuple[Action, ...]
) -> None:
    order = await place_order(resources)
    phone = await driver_at(client, resources, AT_THE_DOOR)
    await advance(resources, order.id, *actions, driver=phone.id)
    answer = await client.get(f"/api/track/{token_of(order)}")
    page = await html(client, order)
    for secret in (*SECRETS, str(order.id), str(phone.id), phone.code):
        assert secret not in answer.text, secret
        assert secret not in page, secret
    carried = actions[:5] == LEAVE and Action.FAIL not in actions
    assert (answer.json()["driver"] == "Somchai") is (carried or actions == COLLECT)


async def test_the_expected_time_is_told_as_a_span_in_the_citys_time(
    client: httpx.AsyncClient, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.fromisoformat("2026-11-25T06:00:00+00:00")
    order = await place_order(resources)
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text(
                "UPDATE dispatch_order SET promised_at = :promised, eta_at = :at, eta_low = :low,"
                " eta_high = :high"
            ),
            {
                "promised": now + timedelta(minutes=20),
                "at": now + timedelta(minutes=30),
                "low": now + timedelta(minutes=24),
                "high": now + timedelta(minutes=39),
            },
        )
    monkeypatch.setattr(customer_page.clock, "now", lambda: now)
    monkeypatch.setattr(customer_times.clock, "now", lambda: now)
    page = await html(client, order)
    assert "<span>13:24</span> to <span>13:39</span>" in page
    assert "Expected today. Later than planned (13:20)." in page
    assert "Times are in Bangkok time." in page


async def test_a_delivery_says_when_and_how_it_was_confirmed(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    phone = await driver_at(client, resources, AT_THE_DOOR)
    await advance(resources, order.id, *LEAVE, Action.ARRIVE, driver=phone.id)
    async with resources.database.unit_of_work() as session:
        row = await service.order_to_change(session, SYSTEM, "orders:write", order.id)
        proven = Circumstances(data={"proof": "otp", "collected": None})
        await service.move(session, SYSTEM, row, Action.DELIVER, proven)
    page = await html(client, order)
    assert "Confirmed with the one-time code" in page
    assert 'id="order" data-look' not in page


async def test_a_failure_says_why_in_words_for_customers_alone(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    for reason, words in (("nobody_there", "Nobody was there"), ("dog bit Somchai", None)):
        order = await place_order(resources)
        phone = await driver_at(client, resources, AT_THE_DOOR)
        await advance(resources, order.id, *LEAVE, driver=phone.id)
        async with resources.database.unit_of_work() as session:
            row = await service.order_to_change(session, SYSTEM, "orders:write", order.id)
            await service.move(session, SYSTEM, row, Action.FAIL, Circumstances(reason=reason))
        page = await html(client, order)
        assert "It could not be delivered" in page
        assert (words is not None) is ("Nobody was there" in page)
        assert "dog" not in page


async def test_the_revision_changes_with_the_order(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    first = await told(client, order)
    assert (await told(client, order))["revision"] == first["revision"]
    assert f'data-revision="{first["revision"]}"' in await html(client, order)
    phone = await driver_at(client, resources, FAR_AWAY)
    await advance(resources, order.id, *LEAVE, driver=phone.id)
    assert (await told(client, order))["revision"] != first["revision"]


@pytest.mark.usefixtures("no_refill")
async def test_a_flood_from_one_address_is_held_back_with_a_page(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    for _ in range(200):
        answer = await client.get(f"/track/{new_token()}")
        if answer.status_code != 404:
            break
    assert answer.status_code == 429
    assert "Try again soon" in answer.text
    assert int(answer.headers["retry-after"]) >= 1
    # Somebody else behind the same address still finds their order.
    assert (await told(client, await place_order(resources)))["state"] == "ready"


@pytest.mark.usefixtures("no_refill")
async def test_a_flood_on_one_link_is_held_back_for_it_alone(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order, other = await place_order(resources), await place_order(resources)
    statuses = {(await client.get(f"/api/track/{token_of(order)}")).status_code for _ in range(80)}
    assert statuses == {200, 429}
    assert (await told(client, other))["number"] == other.number


def _ways() -> Iterator[tuple[OrderState, list[str]]]:
    yield OrderState.READY, ["order.created"]
    yield OrderState.IN_TRANSIT, ["order.created", "order.picked_up", "order.in_transit"]
    yield OrderState.ON_HOLD, ["order.created", "order.picked_up"]


@pytest.mark.parametrize(("state", "reached"), list(_ways()))
def test_an_open_order_stands_at_one_step_and_the_rest_is_ahead(
    state: OrderState, reached: list[str]
) -> None:
    now = clock.now()
    steps = steps_of(state, dict.fromkeys(reached, now))
    marks = [step.mark for step in steps]
    assert len(steps) == 5
    assert marks.count("now") == 1
    order = ["done", "now", "ahead"]
    assert all(order.index(one) <= order.index(two) for one, two in pairwise(marks))


def test_a_cancelled_order_promises_no_further_step() -> None:
    now = clock.now()
    steps = steps_of(OrderState.CANCELLED, {"order.created": now, "order.cancelled": now})
    assert [step.key for step in steps] == ["ordered", "cancelled"]


def test_near_means_on_the_way_and_close_or_next() -> None:
    assert shows_position(OrderState.IN_TRANSIT, NEAR_M - 1, next_stop=False)
    assert not shows_position(OrderState.IN_TRANSIT, NEAR_M, next_stop=False)
    assert shows_position(OrderState.IN_TRANSIT, 50_000, next_stop=True)
    assert not shows_position(OrderState.ACCEPTED, 10, next_stop=True)


def test_an_area_does_not_tell_the_address() -> None:
    lat, lon = area_around(LUMPINI["lat"], LUMPINI["lon"])
    near_by = area_around(LUMPINI["lat"] + 0.001, LUMPINI["lon"] + 0.001)
    assert (lat, lon) == near_by
    assert (lat, lon) != (LUMPINI["lat"], LUMPINI["lon"])
