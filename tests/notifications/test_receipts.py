"""Receipts count once, in whatever order they come, and only those of the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from backend.notifications import receipts
from backend.notifications.message_schemas import MessageOut
from backend.notifications.signing import headers
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from tests.dispatch.orders import place_order
from tests.notifications.carriers import SECRET, GatewayServer, gateway_server
from tests.notifications.outbox import get, messenger_of, queue, send
from tests.notifications.test_channels import by_gateway

OTHER = "whsec_" + "YW5vdGhlciBzZWNyZXQgYWx0b2dldGhlciBhbmQgbG9uZw=="


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayServer]:
    async with gateway_server() as opened:
        yield opened


@pytest.fixture
def signed(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings know the gateway's secret."""
    monkeypatch.setattr(resources.settings, "message_gateway_secret", SecretStr(SECRET))


async def sent(resources: Resources, gateway: GatewayServer) -> MessageOut:
    """A message that the gateway has taken."""
    made = await queue(resources, (await place_order(resources)).id)
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
    return await get(resources, made.id)


async def told(resources: Resources, message_id: UUID, state: str, **more: Any) -> str:
    """What becomes of one receipt."""
    async with resources.database.unit_of_work() as session:
        raw = {"id": str(message_id), "state": state, **more}
        [result] = await receipts.apply(session, [raw])
    return result.code or result.status


async def post(
    client: httpx.AsyncClient, body: bytes, secret: str = SECRET, **changed: str
) -> httpx.Response:
    signature = headers("receipt-1", body.decode(), [secret], clock.now())
    return await client.post("/api/hooks/messages", content=body, headers={**signature, **changed})


async def test_a_receipt_tells_that_it_arrived(
    resources: Resources, gateway: GatewayServer, client: httpx.AsyncClient, signed: None
) -> None:
    one = await sent(resources, gateway)
    body = orjson.dumps(
        {"receipts": [{"id": str(one.id), "state": "delivered"}, {"id": "x"},
                      {"id": str(uuid7()), "state": "failed"}]}
    )  # fmt: skip
    first, again = await post(client, body), await post(client, body)
    assert first.status_code == 200
    said = [each["code"] or each["status"] for each in first.json()["results"]]
    assert said == ["accepted", "invalid", "unknown"]
    assert again.json()["results"][0]["status"] == "duplicate"
    now = await get(resources, one.id)
    assert (now.state, [each.outcome for each in now.tried]) == ("delivered", ["sent", "delivered"])


async def test_nobody_else_tells_of_messages(
    resources: Resources, gateway: GatewayServer, client: httpx.AsyncClient, signed: None
) -> None:
    one = await sent(resources, gateway)
    body = orjson.dumps({"receipts": [{"id": str(one.id), "state": "delivered"}]})
    for answer in (
        await post(client, body, OTHER),
        await post(client, body, **{"webhook-timestamp": "1700000000"}),
        await client.post("/api/hooks/messages", content=body),
    ):
        assert answer.status_code == 401, answer.text
    assert (await get(resources, one.id)).state == "sent"


async def test_without_a_secret_every_receipt_is_refused(client: httpx.AsyncClient) -> None:
    assert (await post(client, b'{"receipts": []}')).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b'{"receipts": []}', b'{"receipts": 1}', b"\xff"])
async def test_what_is_no_list_of_receipts_is_refused(
    client: httpx.AsyncClient, resources: Resources, signed: None, body: bytes
) -> None:
    if body == b"\xff":
        answer = await client.post("/api/hooks/messages", content=body)
        assert answer.status_code == 401
        return
    assert (await post(client, body)).status_code == 422


async def test_a_failure_sends_it_by_the_next_channel_once(
    resources: Resources, gateway: GatewayServer
) -> None:
    one = await sent(resources, gateway)
    assert await told(resources, one.id, "failed", attempt=1, why="Blocked.") == "accepted"
    now = await get(resources, one.id)
    assert (now.state, now.channel, now.why) == ("queued", "sms", "Blocked.")
    assert await told(resources, one.id, "failed", attempt=1, why="Blocked.") == "duplicate"
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
    assert [each["channel"] for each in gateway.heard] == ["whatsapp", "sms"]
    assert await told(resources, one.id, "failed", attempt=1) == "duplicate"
    assert (await get(resources, one.id)).state == "sent"
    assert await told(resources, one.id, "failed", attempt=2, why="No.") == "accepted"
    assert (await get(resources, one.id)).state == "given_up"


async def test_what_is_there_stays_there(resources: Resources, gateway: GatewayServer) -> None:
    one = await sent(resources, gateway)
    assert await told(resources, one.id, "failed", attempt=1) == "accepted"
    assert await told(resources, one.id, "delivered", attempt=1) == "accepted"
    assert await told(resources, one.id, "failed", attempt=1) == "duplicate"
    assert await told(resources, one.id, "sent", attempt=1) == "duplicate"
    assert (await get(resources, one.id)).state == "delivered"
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
    assert len(gateway.heard) == 1


@pytest.mark.parametrize(
    ("receipt", "state", "channel"),
    [("delivered", "delivered", "whatsapp"), ("sent", "sent", "whatsapp"),
     ("failed", "sent", "sms")],
)  # fmt: skip
async def test_a_receipt_may_overtake_the_answer_to_the_sending(
    resources: Resources, gateway: GatewayServer, receipt: str, state: str, channel: str
) -> None:
    gateway.answer = lambda message: "slow" if message["channel"] == "whatsapp" else (202, {})
    made = await queue(resources, (await place_order(resources)).id)
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await messenger.turn()
        while not gateway.heard:
            await messenger.settled()
        assert await told(resources, made.id, receipt, attempt=1) == "accepted"
        gateway.released.set()
        await send(messenger)
    now = await get(resources, made.id)
    assert (now.state, now.channel) == (state, channel)
    assert now.attempts == len(gateway.heard)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    told_of=st.lists(
        st.tuples(st.sampled_from(["sent", "delivered", "failed"]), st.integers(0, 3)), max_size=8
    )
)
async def test_whatever_the_order_delivered_wins_and_nothing_is_sent_after_it(
    resources: Resources, told_of: list[tuple[str, int]]
) -> None:
    made = await queue(resources, (await place_order(resources)).id)
    seen = False
    for state, attempt in told_of:
        await told(resources, made.id, state, attempt=attempt)
        seen = seen or state == "delivered"
        now = await get(resources, made.id)
        assert (now.state == "delivered") == seen
        assert now.state in ("queued", "delivered")
