"""A driver's app acknowledges its pushes, late, out of order and twice, and only its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.identity.schemas import SYSTEM
from backend.notifications import service
from backend.notifications.message_schemas import MessageIn, MessageOut
from backend.notifications.messenger import Messenger
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from backend.settings import Settings
from tests.notifications.carriers import (
    SECRET,
    FirebaseServer,
    GatewayServer,
    firebase_server,
    gateway_server,
)
from tests.notifications.outbox import get, make_due, messenger_of, send
from tests.tracking.fleet import Phone, hire, somebody

INBOX = "/api/driver/v1/messages"
RECEIVED = f"{INBOX}/received"
DEVICE = "/api/v1/messages/device"


@pytest.fixture
async def phone(resources: Resources, client: httpx.AsyncClient) -> Phone:
    """A driver's phone that pushes reach, and whose number is known too."""
    hired = await hire(resources, phone="+66898765432")
    await registered(client, hired)
    return hired


async def registered(client: httpx.AsyncClient, phone: Phone) -> None:
    body = {"token": f"device-token-of-{phone.id}"}
    assert (await client.put(DEVICE, json=body, headers=phone.headers)).status_code == 204


@pytest.fixture
async def firebase() -> AsyncIterator[FirebaseServer]:
    async with firebase_server() as opened:
        yield opened


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayServer]:
    async with gateway_server() as opened:
        yield opened


async def written(resources: Resources, phone: Phone, text: str = "Call the hub") -> MessageOut:
    """A message to the driver, whatever the hour."""
    wanted = MessageIn(driver_id=phone.id, to="driver", text=text, urgent=True)
    async with resources.database.unit_of_work() as session:
        return await service.queue_message(session, SYSTEM, wanted)


async def pushed(resources: Resources, phone: Phone, text: str = "Call the hub") -> MessageOut:
    """A message that was pushed to the driver's phone."""
    made = await written(resources, phone, text)
    async with messenger_of(resources) as messenger:
        await send(messenger)
    return await get(resources, made.id)


async def acknowledge(
    client: httpx.AsyncClient, phone: Phone, *ids: UUID, at: datetime | None = None
) -> list[str]:
    """What becomes of each receipt."""
    more = {"at": at.isoformat()} if at else {}
    body = {"receipts": [{"id": str(each), **more} for each in ids]}
    answer = await client.post(RECEIVED, json=body, headers=phone.headers)
    assert answer.status_code == 200, answer.text
    return [each["code"] or each["status"] for each in answer.json()["results"]]


async def inbox(client: httpx.AsyncClient, phone: Phone) -> list[dict[str, Any]]:
    answer = await client.get(INBOX, headers=phone.headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_push_is_delivered_once_the_app_says_so(
    resources: Resources, client: httpx.AsyncClient, phone: Phone
) -> None:
    one = await pushed(resources, phone)
    two = await pushed(resources, phone, "And the gate code is 4711")
    assert (one.state, one.channel, one.delivered_at) == ("sent", "push", None)
    assert [each["text"] for each in await inbox(client, phone)] == [
        "Call the hub",
        "And the gate code is 4711",
    ]
    assert await acknowledge(client, phone, two.id, one.id, two.id) == [
        "accepted",
        "accepted",
        "duplicate",
    ]
    assert await acknowledge(client, phone, one.id) == ["duplicate"]
    now = await get(resources, one.id)
    assert (now.state, now.attempts) == ("delivered", 1)
    assert [(each.outcome, each.channel, each.via) for each in now.tried] == [
        ("sent", "push", "sandbox"),
        ("delivered", "push", "app"),
    ]
    assert await inbox(client, phone) == []


async def test_nobody_acknowledges_or_reads_the_pushes_of_others(
    resources: Resources, client: httpx.AsyncClient, phone: Phone
) -> None:
    one = await pushed(resources, phone)
    other = await hire(resources)
    await registered(client, other)
    assert await acknowledge(client, other, one.id, uuid7()) == ["unknown", "unknown"]
    assert await inbox(client, other) == []
    body = {"receipts": [{"id": str(one.id)}]}
    for role, refused in (("support_agent", 403), ("admin", 404)):
        headers = await somebody(resources, role)
        assert (await client.post(RECEIVED, json=body, headers=headers)).status_code == refused
        assert (await client.get(INBOX, headers=headers)).status_code == refused
    assert (await client.post(RECEIVED, json=body)).status_code == 401
    assert (await get(resources, one.id)).state == "sent"


async def test_what_was_never_pushed_is_unknown_to_the_phone(
    resources: Resources, client: httpx.AsyncClient, phone: Phone
) -> None:
    queued = await written(resources, phone)
    assert await acknowledge(client, phone, queued.id) == ["unknown"]
    assert (await get(resources, queued.id)).state == "queued"


@pytest.mark.parametrize("body", [{}, {"receipts": []}, {"receipts": [{}] * 501}, {"receipts": 1}])
async def test_what_is_no_list_of_receipts_is_refused(
    client: httpx.AsyncClient, phone: Phone, body: dict[str, Any]
) -> None:
    answer = await client.post(RECEIVED, json=body, headers=phone.headers)
    assert answer.status_code == 422


async def test_one_bad_receipt_spoils_no_other(
    resources: Resources, client: httpx.AsyncClient, phone: Phone
) -> None:
    one = await pushed(resources, phone)
    bad = [{}, {"id": "x"}, {"id": str(one.id), "at": "noon"}, {"id": str(one.id)}]
    answer = await client.post(RECEIVED, json={"receipts": bad}, headers=phone.headers)
    codes = [each["code"] or each["status"] for each in answer.json()["results"]]
    assert codes == ["invalid", "invalid", "invalid", "accepted"]


@pytest.mark.parametrize("off_by", [timedelta(days=400), timedelta(days=-400)])
async def test_a_phone_with_a_wrong_clock_delivers_neither_before_nor_after(
    resources: Resources, client: httpx.AsyncClient, phone: Phone, off_by: timedelta
) -> None:
    one = await pushed(resources, phone)
    assert await acknowledge(client, phone, one.id, at=clock.now() + off_by) == ["accepted"]
    now = await get(resources, one.id)
    assert now.delivered_at is not None
    assert one.queued_at <= now.delivered_at <= clock.now()


def by_firebase(
    resources: Resources, firebase: FirebaseServer, folder: Path, gateway: GatewayServer
) -> Settings:
    """Settings by which pushes go to Firebase and the rest to the gateway."""
    return resources.settings.model_copy(
        update={
            "fcm_service_account": firebase.write_account(folder),
            "fcm_url": firebase.url,
            "fcm_token_url": f"{firebase.url}/token",
            "message_gateway_url": gateway.url,
            "message_gateway_secret": Settings(
                message_gateway_secret=SECRET
            ).message_gateway_secret,
        }
    )


@pytest.mark.parametrize(
    ("answer", "state"),
    [((503, {}), "failed"), ((400, {}), "queued")],
    ids=["tried again later", "turned to the next channel"],
)
async def test_a_push_that_was_thought_to_have_failed_is_delivered_and_not_sent_again(
    resources: Resources, client: httpx.AsyncClient, phone: Phone, firebase: FirebaseServer,
    gateway: GatewayServer, tmp_path: Path, answer: tuple[int, dict[str, Any]], state: str,
) -> None:  # fmt: skip
    firebase.answer = answer
    made = await written(resources, phone)
    carried = by_firebase(resources, firebase, tmp_path, gateway)
    async with messenger_of(resources, carried) as messenger:
        await one_try(messenger)
        assert (await get(resources, made.id)).state == state
        assert await acknowledge(client, phone, made.id) == ["accepted"]
        await make_due(resources)
        await send(messenger)
    now = await get(resources, made.id)
    assert (now.state, now.channel, now.why) == ("delivered", "push", None)
    assert (len(firebase.pushes), gateway.heard) == (1, [])


async def one_try(messenger: Messenger) -> None:
    """Send what is due once, and write down what came of it without beginning anything new."""
    assert await messenger.turn() == 1
    await messenger.finish()


async def test_an_app_may_be_quicker_than_firebases_answer(
    resources: Resources, client: httpx.AsyncClient, phone: Phone, firebase: FirebaseServer,
    gateway: GatewayServer, tmp_path: Path,
) -> None:  # fmt: skip
    made = await written(resources, phone)
    carried = by_firebase(resources, firebase, tmp_path, gateway)
    async with messenger_of(resources, carried) as messenger:
        assert await messenger.turn() == 1
        while not firebase.pushes:
            await messenger.settled()
        data = firebase.pushes[0]["data"]
        assert await acknowledge(client, phone, UUID(data["message_id"])) == ["accepted"]
        await send(messenger)
    now = await get(resources, made.id)
    assert (now.state, now.attempts) == ("delivered", 1)
    assert [each.outcome for each in now.tried] == ["delivered"]
