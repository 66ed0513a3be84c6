"""What others may not learn of an order: another marketplace, a phone, whoever only looks."""

from __future__ import annotations

import httpx
import pytest

from backend.dispatch import service
from backend.dispatch.errors import NoSuchOrder
from backend.dispatch.offers import NoSuchOffer
from backend.identity.schemas import GrantScope, Principal
from backend.platform.resources import Resources

from .city import CENTRE, driver, open_city, order
from .city import CITY as BANGKOK
from .orders import LUMPINI, marketplace
from .phones import app, at_door, codes_sent, order_of

DISPATCHING = frozenset({"dispatch:read", "dispatch:write"})


def integration(name: str) -> Principal:
    return Principal("service", f"service:{name}", name, permissions=DISPATCHING, regions=("*",))


async def test_a_marketplace_sees_and_answers_offers_of_its_own_orders_alone(
    resources: Resources,
) -> None:
    await open_city(resources)
    who = await driver(resources, CENTRE)
    row = await order(resources, merchant="service:market")
    owner, rival = integration("market"), integration("rival")
    async with resources.database.unit_of_work() as session:
        await service.run_matching(session, owner, BANGKOK)
    async with resources.database.unit_of_work() as session:
        [offer] = await service.offers_of_order(session, owner, row.id)
        assert (await service.why(session, owner, row.id))[0].chosen == who
        assert len(await service.offers_of_driver(session, owner, who)) == 1
        assert await service.offers_of_driver(session, rival, who) == []
        for refused in (
            service.offers_of_order(session, rival, row.id),
            service.why(session, rival, row.id),
            service.drivers_for_order(session, rival, row.id),
        ):
            with pytest.raises(NoSuchOrder):
                await refused
        with pytest.raises(NoSuchOffer):
            await service.accept_offer(session, rival, offer.id)


async def test_who_took_the_parcels_is_named_to_their_marketplace_alone(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    phone = await app(client, resources)
    made = await order_of(resources, phone.phone.id)
    await at_door(phone, made)
    [code] = await codes_sent(resources, made)
    taken = {"otp": code, "received_by": "Malee Srisuk", "position": LUMPINI}
    assert await phone.tell("order.deliver", made, **taken) == "accepted"
    shop, _ = await marketplace(resources)
    viewer = Principal("user", "user:v", "V", (GrantScope("viewer", "*"),))
    names = []
    for who in (shop, viewer):
        async with resources.database.unit_of_work() as session:
            steps = await service.order_history(session, who, made.id)
        names += [step.data["received_by"] for step in steps if "received_by" in step.data]
    assert names == ["Malee Srisuk", "M••• S•••"]


async def test_a_phone_is_not_told_with_which_card_was_paid(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    phone = await app(client, resources)
    paid = {"terms": "prepaid", "amount": {"minor": 5000, "currency": "THB"}, "method": "pm_card_9"}
    made = await order_of(resources, phone.phone.id, payment=paid)
    assert made.payment.method == "pm_card_9"
    answer = await client.get("/api/driver/v1/tasks", headers=phone.phone.headers)
    assert answer.json()["items"][0]["order_id"] == str(made.id)
    assert "pm_card_9" not in answer.text
