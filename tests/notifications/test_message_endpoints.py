"""The outbox over HTTP."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.notifications import service
from backend.notifications.message_schemas import MessageFilter
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from tests.dispatch.orders import place_order
from tests.notifications.outbox import about, messenger_of, queue, send
from tests.support.plans import plan_of
from tests.tracking.fleet import hire

URL = "/api/v1/messages"


@pytest.fixture
async def agent(resources: Resources) -> dict[str, str]:
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, "desk", role="support_agent", regions=("TH",)
        )
    return {"Authorization": f"Bearer {issued.secret}"}


async def test_a_message_is_queued_once_for_a_key_and_read_with_its_attempts(
    resources: Resources, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    order = await place_order(resources)
    wanted = {"order_id": str(order.id), "text": "Hello Malee", "urgent": True}
    headers = {**agent, "Idempotency-Key": str(uuid7())}
    first = await client.post(URL, json=wanted, headers=headers)
    again = await client.post(URL, json=wanted, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    async with messenger_of(resources) as messenger:
        await send(messenger)
    [item] = (await client.get(f"{URL}?order={order.number}", headers=agent)).json()["items"]
    assert (item["state"], item["via"], item["by"]) == ("delivered", "sandbox", "desk")
    counts = (await client.get(f"{URL}/counts?state=delivered", headers=agent)).json()
    assert counts["by_state"] == {"delivered": 1}
    one = (await client.get(f"{URL}/{item['id']}", headers=agent)).json()
    assert [each["outcome"] for each in one["tried"]] == ["delivered"]
    words = (await client.get(f"{URL}/{item['id']}/body", headers=agent)).json()
    assert words["text"] == "Hello Malee"
    refused = await client.post(
        f"{URL}/{item['id']}/cancel", json={"reason": "too late"}, headers=agent
    )
    assert refused.status_code == 409


async def test_a_marketplace_reads_nobodys_messages_and_escalations_whatever_its_token_names(
    resources: Resources, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    order = await place_order(resources)
    wanted = {"order_id": str(order.id), "text": "Hello Malee"}
    made = (await client.post(URL, json=wanted, headers=agent)).json()
    named = ("orders:read", "messages:read", "messages:write", "escalations:read",
             "escalations:write", "escalations:answer_many")  # fmt: skip
    async with resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, "shop", permissions=frozenset(named), regions=("TH",)
        )
    shop = {"Authorization": f"Bearer {issued.secret}"}
    for path in (URL, f"{URL}.csv", f"{URL}/counts", f"{URL}/{made['id']}",
                 f"{URL}/{made['id']}/body", f"{URL}/preferences/{order.number}",
                 "/api/v1/escalations", "/api/v1/escalations.csv",
                 f"/api/v1/escalations/{uuid7()}"):  # fmt: skip
        assert (await client.get(path, headers=shop)).status_code == 403, path
    reason = {"reason": "Not mine."}
    for verb in ("retry", "cancel"):
        answer = await client.post(f"{URL}/{made['id']}/{verb}", json=reason, headers=shop)
        assert answer.status_code == 404
    assert (await client.post(URL, json=wanted, headers=shop)).status_code == 404


async def test_templates_and_previews_are_there_for_who_reads_messages(
    client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    listed = (await client.get(f"{URL}/templates", headers=agent)).json()
    assert {each["key"] for each in listed} >= {"otp", "delayed", "support_reply"}
    assert all(len(each["languages"]) == 9 for each in listed)
    shown = await client.post(
        f"{URL}/templates/otp/preview",
        json={"language": "vi", "params": {"code": "000111"}},
        headers=agent,
    )
    assert "000111" in shown.json()["text"]
    nothing = await client.post(f"{URL}/templates/no/preview", json={}, headers=agent)
    assert nothing.status_code == 422


async def test_preferences_are_kept_by_the_orders_number(
    resources: Resources, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    order = await place_order(resources)
    path = f"{URL}/preferences/{order.number}"
    before = (await client.get(path, headers=agent)).json()
    assert (before["language"], before["language_chosen"]) == ("th", False)
    assert before["quiet"] == {"begins": "21:00:00", "ends": "08:00:00"}
    wanted = {
        "language": "en", "muted": ["delayed"], "channels": ["sms"],
        "quiet": {"begins": "22:00", "ends": "07:00"}, "email": "malee@example.com",
    }  # fmt: skip
    kept = await client.put(path, json=wanted, headers=agent)
    assert kept.status_code == 200, kept.text
    after = (await client.get(path, headers=agent)).json()
    assert (after["language"], after["muted"], after["channels"]) == ("en", ["delayed"], ["sms"])
    assert (after["email"], after["quiet"]["begins"]) == ("m•••@example.com", "22:00:00")
    for wrong in ({"language": "xx"}, {"email": "no mail"}, {"muted": ["otp"]}, {"colour": 1}):
        assert (await client.put(path, json=wrong, headers=agent)).status_code == 422, wrong
    missing = await client.get(f"{URL}/preferences/WP-0000000000", headers=agent)
    assert missing.status_code == 404


async def test_a_drivers_phone_says_where_its_pushes_go(
    resources: Resources, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    phone = await hire(resources)
    body = {"token": "device-token-of-the-phone"}
    kept = await client.put(f"{URL}/device", json=body, headers=phone.headers)
    assert kept.status_code == 204
    wanted = {"driver_id": str(phone.id), "to": "driver", "text": "Hello", "urgent": True}
    made = await client.post(URL, json=wanted, headers=agent)
    assert made.json()["channel"] == "push"
    assert (await client.put(f"{URL}/device", json=body, headers=agent)).status_code == 403


async def test_a_span_is_read_by_the_ids_of_its_messages(
    resources: Resources, client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    order = await place_order(resources)
    for words in ("It is on its way.", "It comes in ten minutes."):
        await queue(resources, order.id, text=words)
    first, *_, last = await about(resources, order.id)
    begin, end = first.queued_at, last.queued_at
    for since, until, count in (
        (begin, end, len(await about(resources, order.id)) - 1),
        (end, end + timedelta(days=1), 1),
        (begin - timedelta(days=1), begin, 0),
    ):
        asked = {"since": since.isoformat(), "until": until.isoformat()}
        found = await client.get(URL, params=asked, headers=agent)
        assert len(found.json()["items"]) == count, asked
    now = clock.now()
    wanted = MessageFilter(since=now - timedelta(days=30), until=now - timedelta(days=29))
    plan = await plan_of(
        resources,
        "notifications_message",
        lambda session: service.list_messages(session, SYSTEM, wanted),
    )
    assert "Index Cond: ((id >= " in plan, plan
