"""Who may have webhook endpoints, see them, and have things sent again."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from standardwebhooks.webhooks import WebhookVerificationError

from backend.identity.schemas import SYSTEM, Principal
from backend.identity.service import Denied, issue_api_token
from backend.notifications import notifier, service
from backend.notifications.notifier import Sender
from backend.notifications.schemas import EndpointChange, EndpointIn, ReplayIn
from backend.notifications.signing import FORMER_FOR
from backend.platform import clock
from backend.platform.errors import Conflict, Forbidden, Invalid, NotFound
from backend.platform.ids import uuid7
from backend.platform.outbox import emit, relay_once
from backend.platform.resources import Resources
from backend.regions.service import seed
from tests.notifications.conftest import (
    ADMIN,
    ADMIN_VN,
    OTHER_SHOP,
    SHOP,
    VIEWER,
    Subscribe,
    life,
    log_of,
    publish,
    told,
    work,
)
from tests.notifications.receiver import Receiver

HOOK = "https://shop.example/hook"


async def shop_token(resources: Resources, name: str = "shop") -> dict[str, str]:
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, name,
            permissions=frozenset({"orders:create", "webhooks:write"}), regions=("TH",),
        )  # fmt: skip
    return {"Authorization": f"Bearer {issued.secret}"}


async def test_a_marketplace_manages_its_endpoint_over_http(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    shop = await shop_token(resources)
    made = await client.post("/api/v1/webhooks", json={"url": HOOK}, headers=shop)
    assert made.status_code == 201, made.text
    endpoint = made.json()
    assert len(base64.b64decode(endpoint["secret"].removeprefix("whsec_"))) == 32
    path = f"/api/v1/webhooks/{endpoint['id']}"
    assert "secret" not in (await client.get(path, headers=shop)).json()
    listed = (await client.get("/api/v1/webhooks", headers=shop)).json()["items"]
    assert [each["merchant"] for each in listed] == ["service:shop"]
    wanted = {"event_types": ["order.delivered"], "active": False}
    changed = (await client.patch(path, json=wanted, headers=shop)).json()
    assert (changed["event_types"], changed["active"]) == (["order.delivered"], False)
    assert changed["disabled_because"] == "Switched off by shop."
    assert (await client.post(f"{path}/test", headers=shop)).status_code == 409
    assert (await client.delete(path, headers=shop)).status_code == 204
    assert (await client.get(path, headers=shop)).status_code == 404


async def test_another_marketplace_finds_nothing_there(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    shop, other = await shop_token(resources), await shop_token(resources, "other")
    made = await client.post("/api/v1/webhooks", json={"url": HOOK}, headers=shop)
    path = f"/api/v1/webhooks/{made.json()['id']}"
    assert (await client.get("/api/v1/webhooks", headers=other)).json()["items"] == []
    answers = [
        await client.get(path, headers=other),
        await client.patch(path, json={"active": False}, headers=other),
        await client.delete(path, headers=other),
        await client.post(f"{path}/test", headers=other),
        await client.post(f"{path}/secret", headers=other),
        await client.get(f"{path}/deliveries", headers=other),
        await client.post(f"{path}/replay", json={"since": "2026-01-01T00:00:00Z"}, headers=other),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)


async def test_the_same_idempotency_key_shows_the_same_secret_and_keeps_none(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    headers = {**await shop_token(resources), "Idempotency-Key": "once"}
    answers = [
        await client.post("/api/v1/webhooks", json={"url": HOOK}, headers=headers) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    secret = answers[0].json()["secret"]
    async with resources.database.unit_of_work() as session:
        stored = [
            *await session.scalars(text("SELECT body FROM platform_idempotency")),
            *await session.scalars(text("SELECT secret FROM notifications_endpoint")),
        ]
    assert len(stored) == 2
    assert not any(secret in str(each) for each in stored)


@pytest.mark.parametrize("principal", [VIEWER, ADMIN_VN])
async def test_who_has_no_say_there_is_refused(
    resources: Resources, subscribe: Subscribe, principal: Principal
) -> None:
    endpoint = await subscribe()
    async with resources.database.unit_of_work() as session:
        with pytest.raises((Denied, NotFound)):
            await service.get_endpoint(session, principal, endpoint.id)
        with pytest.raises((Denied, NotFound)):
            await service.change_endpoint(
                session, principal, endpoint.id, EndpointChange(active=False)
            )
        wanted = EndpointIn(url=HOOK, merchant="service:shop")
        with pytest.raises(Denied):
            await service.create_endpoint(session, principal, wanted)


async def test_an_admin_of_a_region_has_the_endpoints_of_that_region(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
        wanted = EndpointIn(url=HOOK, merchant="service:shop", region="VN-SG")
        made = await service.create_endpoint(session, ADMIN_VN, wanted)
        seen = await service.list_endpoints(session, ADMIN_VN)
        assert [each.id for each in seen.items] == [made.id]
        with pytest.raises(Denied):
            await service.change_endpoint(
                session, ADMIN_VN, made.id, EndpointChange(region="TH-10")
            )


async def test_a_marketplace_cannot_listen_for_another(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        with pytest.raises(Forbidden):
            await service.create_endpoint(
                session, SHOP, EndpointIn(url=HOOK, merchant="service:other")
            )


async def test_what_is_wrong_is_named_by_field(resources: Resources) -> None:
    wanted = EndpointIn(url="http://shop.example", event_types=["order.lost"], region="XX")
    async with resources.database.unit_of_work() as session:
        with pytest.raises(Invalid) as refusal:
            await service.create_endpoint(session, SHOP, wanted)
        with pytest.raises(Invalid):
            await service.create_endpoint(session, ADMIN, EndpointIn(url=HOOK))
    assert [each.pointer for each in refusal.value.errors] == [
        "/url", "/event_types/0", "/region",
    ]  # fmt: skip


async def test_a_marketplace_has_a_bounded_number_of_endpoints(
    resources: Resources, subscribe: Subscribe
) -> None:
    for _ in range(20):
        await subscribe()
    with pytest.raises(Conflict):
        await subscribe()


async def test_an_endpoint_hears_only_what_it_asked_for(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    await subscribe(event_types=["order.delivered"])
    await subscribe(region="VN")
    bangkok = await subscribe(region="TH-10")
    other = await subscribe(OTHER_SHOP)
    await life(resources, "created", "delivered")
    assert sorted(each.event_type for each in await log_of(resources)) == [
        "order.created", "order.delivered", "order.delivered",
    ]  # fmt: skip
    assert len(await log_of(resources, endpoint_id=bangkok.id)) == 2
    assert await log_of(resources, endpoint_id=other.id) == []


async def test_both_secrets_sign_until_the_former_one_is_over(
    resources: Resources,
    receiver: Receiver,
    subscribe: Subscribe,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint = await subscribe()
    async with resources.database.unit_of_work() as session:
        rotated = await service.rotate_secret(session, SHOP, endpoint.id)
    assert rotated.secret != endpoint.secret
    assert rotated.former_secret_until is not None
    await life(resources, "created")
    await work(sender)
    assert receiver.messages(endpoint.secret) == receiver.messages(rotated.secret)
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE notifications_endpoint SET former_until = :over"),
            {"over": rotated.former_secret_until - FORMER_FOR},
        )
    await life(resources, "created")
    await work(sender)
    receiver.heard[-1].verified(rotated.secret)
    with pytest.raises(WebhookVerificationError):
        receiver.heard[-1].verified(endpoint.secret)


@pytest.mark.usefixtures("no_refill")
async def test_a_test_event_arrives_signed(
    client: httpx.AsyncClient, resources: Resources, receiver: Receiver, sender: Sender
) -> None:
    shop = await shop_token(resources)
    made = (await client.post("/api/v1/webhooks", json={"url": receiver.url}, headers=shop)).json()
    tried = await client.post(f"/api/v1/webhooks/{made['id']}/test", headers=shop)
    assert tried.status_code == 202
    await work(sender)
    [message] = receiver.messages(made["secret"])
    assert (message["type"], message["data"]["endpoint_id"]) == ("webhook.test", made["id"])
    path = f"/api/v1/webhooks/deliveries/{tried.json()['id']}"
    assert (await client.get(path, headers=shop)).json()["state"] == "delivered"
    statuses = [
        (await client.post(f"/api/v1/webhooks/{made['id']}/test", headers=shop)).status_code
        for _ in range(6)
    ]
    assert statuses[-1] == 429


async def _replay(resources: Resources, principal: Principal, **wanted: Any) -> list[Any]:
    async with resources.database.unit_of_work() as session:
        found = await service.replay(session, principal, ReplayIn(**wanted))
    return [(each.status, each.code) for each in found.results]


async def test_a_replay_answers_for_each_delivery_and_sends_the_same_message(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    on, off = await subscribe(), await subscribe(url=f"{receiver.url}/second")
    await life(resources, "created", "delivered")
    await work(sender)
    async with resources.database.unit_of_work() as session:
        await service.change_endpoint(session, SHOP, off.id, EndpointChange(active=False))
    ids = [
        *(each.id for each in await log_of(resources, endpoint_id=on.id)),
        (await log_of(resources, endpoint_id=off.id))[0].id,
        uuid7(),
    ]
    before = {heard.body for heard in receiver.heard}
    receiver.heard.clear()
    assert await _replay(resources, SHOP, ids=ids) == [
        ("accepted", None), ("accepted", None), ("rejected", "endpoint_off"),
        ("rejected", "not_found"),
    ]  # fmt: skip
    await work(sender)
    assert [message["type"] for message in receiver.messages(on.secret)] == [
        "order.created", "order.delivered",
    ]  # fmt: skip
    assert {heard.body for heard in receiver.heard} == before
    assert await _replay(resources, OTHER_SHOP, ids=ids[:1]) == [("rejected", "not_found")]


async def test_what_an_endpoint_missed_while_it_was_off_is_replayed_by_span(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    endpoint = await subscribe()
    begun = clock.now()
    await life(resources, "created")
    await work(sender)
    for active in (False, True):
        async with resources.database.unit_of_work() as session:
            change = EndpointChange(active=active)
            await service.change_endpoint(session, SHOP, endpoint.id, change)
        if not active:
            await life(resources, "created", "assigned")
    receiver.heard.clear()
    results = await _replay(resources, SHOP, since=begun, state="given_up")
    assert results == [("accepted", None), ("accepted", None)]
    await work(sender)
    assert [message["type"] for message in receiver.messages(endpoint.secret)] == [
        "order.created", "order.assigned",
    ]  # fmt: skip
    with pytest.raises(Invalid):
        await _replay(resources, SHOP)


async def test_the_log_is_narrowed_and_paged(
    client: httpx.AsyncClient,
    resources: Resources,
    receiver: Receiver,
    subscribe: Subscribe,
    sender: Sender,
) -> None:
    endpoint = await subscribe()
    await life(resources, "created", "assigned", "accepted")
    await work(sender)
    shop = await shop_token(resources)
    path = f"/api/v1/webhooks/{endpoint.id}/deliveries"

    async def asked(**query: Any) -> list[str]:
        found = await client.get(path, params=query, headers=shop)
        return [each["event_type"] for each in found.json()["items"]]

    assert await asked() == ["order.accepted", "order.assigned", "order.created"]
    assert await asked(type="order.assigned", state="delivered") == ["order.assigned"]
    assert await asked(order="WP-1111111111") == []
    first = (await client.get(path, params={"limit": 2}, headers=shop)).json()
    assert await asked(limit=2, cursor=first["next_cursor"]) == ["order.created"]


async def test_old_deliveries_are_forgotten_and_waiting_ones_kept(
    resources: Resources, subscribe: Subscribe, sender: Sender, receiver: Receiver
) -> None:
    await subscribe()
    await life(resources, "created")
    await work(sender)
    await life(resources, "created")
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE notifications_delivery SET event_at = event_at - interval '31d'")
        )
        await service.drop_expired(session)
    assert [each.state for each in await log_of(resources)] == ["pending"]


async def test_a_repeated_event_makes_one_delivery(
    resources: Resources, subscribe: Subscribe, receiver: Receiver
) -> None:
    await subscribe()
    event = told("order.created", 1, uuid7())
    await publish(resources, event)
    async with resources.database.unit_of_work() as session:
        await session.execute(text("DELETE FROM platform_consumed"))
    await publish(resources, event)
    assert len(await log_of(resources)) == 1


async def test_the_role_reads_and_sends_until_it_is_stopped(
    resources: Resources, receiver: Receiver, subscribe: Subscribe
) -> None:
    endpoint: Any = await subscribe()
    stop = asyncio.Event()
    running = asyncio.create_task(notifier.notify(resources, stop))
    order_id: UUID = uuid7()
    async with resources.database.unit_of_work() as session:
        await emit(session, told("order.created", 1, order_id))
    await relay_once(resources.database, resources.events)
    async with asyncio.timeout(30):
        while not receiver.heard:
            await asyncio.sleep(0.02)
        stop.set()
        await running
    [message] = receiver.messages(endpoint.secret)
    assert message["data"]["order_id"] == str(order_id)


async def test_figures_are_of_endpoints_that_the_caller_sees(
    resources: Resources, subscribe: Subscribe
) -> None:
    async with resources.database.unit_of_work() as session:
        await seed(session, SYSTEM)
    endpoint = await subscribe(region="TH")
    async with resources.database.unit_of_work() as session:
        await service.try_endpoint(session, SHOP, endpoint.id)
    waiting = {}
    for who in (ADMIN, SHOP, ADMIN_VN, OTHER_SHOP):
        async with resources.database.unit_of_work() as session:
            waiting[who.id] = await service.waiting_for(session, who, [endpoint.id])
    mine = {endpoint.id: 1}
    assert waiting == {ADMIN.id: mine, SHOP.id: mine, ADMIN_VN.id: {}, OTHER_SHOP.id: {}}
    with pytest.raises(Denied):
        async with resources.database.unit_of_work() as session:
            await service.success_by_hour(session, VIEWER, [endpoint.id])
