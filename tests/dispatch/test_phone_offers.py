"""Offers on the phone: shown with a sync, taken or left by an event or at once."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from backend.dispatch.matching_models import OfferRow
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from tests.dispatch.city import order, order_now
from tests.dispatch.phones import App, app


@pytest.fixture
async def phone(client: httpx.AsyncClient, resources: Resources) -> App:
    return await app(client, resources)


async def offered(resources: Resources, driver: UUID, order_id: UUID) -> str:
    """An open offer of the order to the driver."""
    now = clock.now()
    row = OfferRow(
        id=uuid7(),
        order_id=order_id,
        driver_id=driver,
        city="TH-10",
        round=1,
        state="open",
        offered_at=now,
        expires_at=now + timedelta(seconds=25),
    )
    async with resources.database.unit_of_work() as session:
        session.add(row)
    return str(row.id)


async def test_an_offer_comes_with_a_sync_and_is_taken_by_an_event(
    phone: App, resources: Resources
) -> None:
    wanted = await order(resources)
    offer = await offered(resources, phone.phone.id, wanted.id)
    assert [shown["id"] for shown in (await phone.sync())["offers"]] == [offer]
    take = phone.event("order.accept", None, offer_id=offer)
    done = await phone.sync({**take, "order_id": str(wanted.id)})
    assert [result["status"] for result in done["results"]] == ["accepted"]
    assert done["offers"] == []
    assert [task["state"] for task in done["tasks"]] == ["accepted"]


async def test_of_two_phones_the_first_has_it_and_the_other_is_told(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    other = await app(client, resources)
    wanted = await order(resources)
    theirs = await offered(resources, other.phone.id, wanted.id)
    mine = await offered(resources, phone.phone.id, wanted.id)
    about = {"order_id": str(wanted.id)}
    assert await other.results({**other.event("order.accept", offer_id=theirs), **about}) == [
        "accepted"
    ]
    late = {**phone.event("order.accept", offer_id=mine), **about}
    note = phone.event("note", text="behind it")
    assert await phone.results(late, note) == ["rejected offer_gone", "accepted"]
    assert (await order_now(resources, wanted.id)).driver_id == other.phone.id


async def test_an_offer_is_answered_at_once_over_its_own_address(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    first, second = await order(resources), await order(resources)
    one = await offered(resources, phone.phone.id, first.id)
    two = await offered(resources, phone.phone.id, second.id)
    headers = phone.phone.headers
    address = "/api/driver/v1/offers/"
    taken = await client.post(address + one, json={"answer": "accept"}, headers=headers)
    assert taken.json()["state"] == "accepted"
    body = {"answer": "reject", "reason": "too far"}
    left = await client.post(address + two, json=body, headers=headers)
    assert (left.json()["state"], left.json()["reason"]) == ("rejected", "too far")
    foreign = await client.post(
        address + two, json=body, headers=(await app(client, resources)).phone.headers
    )
    assert foreign.status_code == 404


async def test_an_order_given_by_hand_is_taken_or_given_back_without_an_offer(
    phone: App, resources: Resources
) -> None:
    kept = await order(resources, state="assigned", driver_id=phone.phone.id)
    left = await order(resources, state="assigned", driver_id=phone.phone.id)
    take = {**phone.event("order.accept"), "order_id": str(kept.id)}
    leave = {**phone.event("order.reject", reason="flat tyre"), "order_id": str(left.id)}
    assert await phone.results(take, leave) == ["accepted", "accepted"]
    assert (await order_now(resources, kept.id)).state == "accepted"
    assert (await order_now(resources, left.id)).state == "ready"
