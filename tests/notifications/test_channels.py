"""Messages go out by the gateway, by Firebase and by mail as those want them, and fail as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import ValidationError
from sqlalchemy import text

from backend.identity.schemas import SYSTEM, Principal
from backend.notifications import service
from backend.notifications.channels.registry import Carriers, open_channels
from backend.notifications.message_rules import MOST_ATTEMPTS, Channel
from backend.notifications.message_schemas import DeviceIn, MessageIn, PreferencesIn
from backend.platform import clock
from backend.platform.errors import Forbidden
from backend.platform.resources import Resources
from backend.settings import Settings
from tests.dispatch.city import driver
from tests.dispatch.orders import link_of, place_order, seeded
from tests.notifications.carriers import (
    SECRET,
    FirebaseServer,
    GatewayServer,
    fault,
    firebase_server,
    gateway_server,
)
from tests.notifications.outbox import AGENT, get, make_due, messenger_of, prefer, queue, send


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayServer]:
    async with gateway_server() as opened:
        yield opened


@pytest.fixture
async def firebase() -> AsyncIterator[FirebaseServer]:
    async with firebase_server() as opened:
        yield opened


def by_gateway(resources: Resources, gateway: GatewayServer) -> Settings:
    return resources.settings.model_copy(
        update={
            "message_gateway_url": gateway.url,
            "message_gateway_secret": Settings(
                message_gateway_secret=SECRET
            ).message_gateway_secret,
        }
    )


async def test_the_gateway_gets_a_signed_message(
    resources: Resources, gateway: GatewayServer
) -> None:
    order = await place_order(resources)
    made = await queue(resources, order.id, channel="sms", text="สวัสดี")
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
    [heard] = gateway.heard
    assert (heard["to"], heard["text"], heard["channel"]) == ("+66812345678", "สวัสดี", "sms")
    assert (heard["id"], heard["attempt"], heard["repeat"]) == (str(made.id), 1, False)
    now = await get(resources, made.id)
    assert (now.state, now.via, now.attempts) == ("sent", "gateway", 1)
    assert [each.outcome for each in now.tried] == ["sent"]


async def test_a_gateway_with_templates_of_its_own_gets_what_fills_them(
    resources: Resources, gateway: GatewayServer
) -> None:
    order = await place_order(resources)
    code = {"code": "482913"}
    await queue(resources, order.id, template="arrived", params=code)
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
    [heard] = gateway.heard
    assert (heard["kind"], heard["language"]) == ("arrived", "th")
    assert heard["params"] == {"number": order.number, "driver": "คนขับของเรา", **code}


async def test_a_gateway_that_knows_says_delivered_at_once(
    resources: Resources, gateway: GatewayServer
) -> None:
    gateway.answer = lambda _: (200, {"state": "delivered"})
    made = await queue(resources, (await place_order(resources)).id)
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
    now = await get(resources, made.id)
    assert now.state == "delivered"
    assert now.delivered_at is not None


@pytest.mark.parametrize("answer", [(503, {}), (429, {}), (500, {"detail": "Ouch."}), "drop"])
async def test_a_gateway_in_trouble_is_asked_again(
    resources: Resources, gateway: GatewayServer, answer: Any
) -> None:
    gateway.answer = lambda _: answer
    made = await queue(resources, (await place_order(resources)).id)
    began = clock.now()
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
        now = await get(resources, made.id)
        assert (now.state, now.channel, now.attempts) == ("failed", "whatsapp", 1)
        assert now.next_at is not None
        assert began < now.next_at < clock.now() + timedelta(seconds=13)
        gateway.answer = lambda _: (202, {})
        await make_due(resources)
        await send(messenger)
    assert [each["attempt"] for each in gateway.heard] == [1, 2]
    assert (await get(resources, made.id)).state == "sent"


async def test_what_the_gateway_refuses_goes_by_the_next_channel(
    resources: Resources, gateway: GatewayServer
) -> None:
    gateway.answer = lambda message: (
        (422, {"detail": "No such WhatsApp user."})
        if message["channel"] == "whatsapp"
        else (202, {})
    )
    made = await queue(resources, (await place_order(resources)).id)
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
    assert [each["channel"] for each in gateway.heard] == ["whatsapp", "sms"]
    now = await get(resources, made.id)
    assert (now.state, now.channel, now.attempts, now.why) == ("sent", "sms", 2, None)
    assert [(each.channel, each.outcome, each.why) for each in now.tried] == [
        ("whatsapp", "refused", "No such WhatsApp user."),
        ("sms", "sent", None),
    ]


async def test_what_no_channel_takes_is_given_up_and_told_of(
    resources: Resources, gateway: GatewayServer
) -> None:
    gateway.answer = lambda _: (400, {"detail": "Not a number."})
    order = await place_order(resources)
    made = await queue(resources, order.id)
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        await send(messenger)
        now = await get(resources, made.id)
        assert (now.state, now.why, now.next_at) == ("given_up", "Not a number.", None)
        gateway.answer = lambda _: (202, {})
        async with resources.database.unit_of_work() as session:
            again = await service.retry_message(session, AGENT, made.id, "number corrected")
        assert (again.state, again.channel) == ("queued", "whatsapp")
        await send(messenger)
    assert (await get(resources, made.id)).state == "sent"


async def test_a_channel_that_never_answers_is_left_for_the_next(
    resources: Resources, gateway: GatewayServer
) -> None:
    gateway.answer = lambda message: (503 if message["channel"] == "whatsapp" else 202, {})
    made = await queue(resources, (await place_order(resources)).id)
    async with messenger_of(resources, by_gateway(resources, gateway)) as messenger:
        for _ in range(MOST_ATTEMPTS):
            await send(messenger)
            await make_due(resources)
    channels = [each["channel"] for each in gateway.heard]
    assert channels == ["whatsapp"] * MOST_ATTEMPTS + ["sms"]
    assert (await get(resources, made.id)).state == "sent"


async def _device(resources: Resources, token: str) -> Any:
    await seeded(resources)
    who = await driver(resources, phone="+66811112222")
    phone = Principal("device", f"driver:{who}", "Somchai", driver_id=who)
    async with resources.database.unit_of_work() as session:
        await service.set_device(session, phone, DeviceIn(token=token))
    return who


async def _to_driver(resources: Resources, who: Any, **more: Any) -> Any:
    async with resources.database.unit_of_work() as session:
        wanted = MessageIn(driver_id=who, to="driver", text="Go to Siam.", urgent=True, **more)
        return await service.queue_message(session, AGENT, wanted)


def by_firebase(resources: Resources, firebase: FirebaseServer, folder: Path) -> Settings:
    return resources.settings.model_copy(
        update={
            "fcm_service_account": firebase.write_account(folder),
            "fcm_url": firebase.url,
            "fcm_token_url": f"{firebase.url}/token",
        }
    )


async def test_a_driver_gets_a_push_with_a_token_that_is_asked_for_once(
    resources: Resources, firebase: FirebaseServer, tmp_path: Path
) -> None:
    who = await _device(resources, "device-token-of-the-phone")
    made = await _to_driver(resources, who)
    await _to_driver(resources, who)
    async with messenger_of(resources, by_firebase(resources, firebase, tmp_path)) as messenger:
        await send(messenger)
    [claims] = firebase.grants
    assert claims["aud"] == f"{firebase.url}/token"
    assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
    assert claims["iss"] == "push@waypost.iam.gserviceaccount.com"
    assert len(firebase.pushes) == 2
    push = next(each for each in firebase.pushes if each["data"]["message_id"] == str(made.id))
    assert push["token"] == "device-token-of-the-phone"
    assert push["notification"] == {"title": "Waypost", "body": "Go to Siam."}
    assert push["android"]["notification"]["tag"] == str(made.id)
    now = await get(resources, made.id)
    assert (now.state, now.channel, now.via) == ("sent", "push", "fcm")


async def test_a_token_that_has_run_out_is_renewed(
    resources: Resources, firebase: FirebaseServer, tmp_path: Path
) -> None:
    firebase.expires_in = 60
    who = await _device(resources, "device-token-of-the-phone")
    async with messenger_of(resources, by_firebase(resources, firebase, tmp_path)) as messenger:
        for _ in range(2):
            await _to_driver(resources, who)
            await send(messenger)
    assert len(firebase.grants) == 2


async def test_a_device_that_is_no_more_is_forgotten_and_the_message_goes_elsewhere(
    resources: Resources, firebase: FirebaseServer, tmp_path: Path
) -> None:
    firebase.answer = fault(404, "UNREGISTERED")
    who = await _device(resources, "device-token-of-the-phone")
    made = await _to_driver(resources, who)
    async with messenger_of(resources, by_firebase(resources, firebase, tmp_path)) as messenger:
        await send(messenger)
    now = await get(resources, made.id)
    assert (now.state, now.channel, now.via) == ("delivered", "whatsapp", "sandbox")
    assert "UNREGISTERED" in (now.tried[0].why or "")
    assert (await _to_driver(resources, who)).channel == "whatsapp"


async def test_firebase_in_trouble_is_asked_again(
    resources: Resources, firebase: FirebaseServer, tmp_path: Path
) -> None:
    firebase.answer = fault(503, "UNAVAILABLE")
    made = await _to_driver(resources, await _device(resources, "device-token-of-the-phone"))
    async with messenger_of(resources, by_firebase(resources, firebase, tmp_path)) as messenger:
        await send(messenger)
    now = await get(resources, made.id)
    assert (now.state, now.channel) == ("failed", "push")


async def test_only_a_drivers_phone_has_a_device(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        with pytest.raises(Forbidden):
            await service.set_device(session, AGENT, DeviceIn(token="x" * 30))


class Box:
    """A mail server's handler: keeps what comes, or refuses it."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 taken"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            read = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(read, EmailMessage)
            self.mails.append(read)
        return self.answer


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Box, str]]:
    box = Box()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, hostname="localhost"), "127.0.0.1", 0
    )
    yield box, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("answer", "state"),
    [("250 taken", "sent"), ("451 later", "failed"), ("550 no such user", "given_up")],
)
async def test_a_mail_is_handed_over_or_refused(
    resources: Resources, mailbox: tuple[Box, str], answer: str, state: str
) -> None:
    box, url = mailbox
    box.answer = answer
    order = await place_order(resources)
    await prefer(resources, order.id, email="malee@example.com", language="th")
    made = await queue(resources, order.id, channel="email", template="delivered")
    settings = resources.settings.model_copy(update={"smtp_url": url})
    async with messenger_of(resources, settings) as messenger:
        await send(messenger)
    now = await get(resources, made.id)
    assert (now.state, now.via) == (state, "smtp")
    if state != "sent":
        assert answer in (now.why or "")
        return
    [mail] = box.mails
    assert (mail["To"], mail["Subject"]) == ("malee@example.com", "จัดส่งเรียบร้อยแล้ว")
    assert link_of(order) in mail.get_content()


_TRIPPING = ["a@[b.c", "(a@b.c", "=?utf-8?q?=0a?=@b.c", "a:@b.c", ".@..c", "\u200b@b.c"]


@pytest.mark.parametrize("address", _TRIPPING)
def test_what_no_writer_of_mail_can_take_is_no_address(address: str) -> None:
    with pytest.raises(ValidationError):
        PreferencesIn(email=address)


@pytest.mark.parametrize("address", _TRIPPING[:3])
async def test_an_address_that_trips_its_sending_up_takes_no_other_message_with_it(
    resources: Resources, mailbox: tuple[Box, str], address: str
) -> None:
    _, url = mailbox
    order = await place_order(resources)
    kept = PreferencesIn.model_construct(email=address)
    async with resources.database.unit_of_work() as session:
        await service.set_preferences_of_order(session, SYSTEM, order.id, kept)
    mail = await queue(resources, order.id, channel="email")
    other = await queue(resources, order.id, channel="sms")
    settings = resources.settings.model_copy(update={"smtp_url": url})
    async with messenger_of(resources, settings) as messenger:
        await send(messenger)
    assert (await get(resources, mail.id)).state in ("failed", "given_up")
    now = await get(resources, other.id)
    assert (now.state, now.attempts, now.repeated) == ("delivered", 1, False)


async def test_a_code_that_was_on_its_way_does_not_come_again_after_a_newer_one(
    resources: Resources, gateway: GatewayServer
) -> None:
    order = await place_order(resources)
    settings = by_gateway(resources, gateway)
    told = {"template": "otp", "channel": "sms"}
    old = await queue(resources, order.id, params={"code": "111111", "minutes": "10"}, **told)
    gateway.answer = lambda _: "slow"
    async with messenger_of(resources, settings) as died:
        await died.turn()
    new = await queue(resources, order.id, params={"code": "222222", "minutes": "10"}, **told)
    gateway.answer = lambda _: (202, {})
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE notifications_message SET claimed_until = queued_at - interval '1 s'")
        )
    async with messenger_of(resources, settings) as messenger:
        await send(messenger)
    assert (await get(resources, new.id)).state == "sent"
    now = await get(resources, old.id)
    assert (now.state, now.why) == ("cancelled", "A newer message about the order says more.")
    assert gateway.heard[-1]["id"] == str(new.id)


async def test_the_sandbox_delivers_at_once_and_knows_a_number_that_nobody_has(
    resources: Resources,
) -> None:
    drop = {"name": "Niran", "phone": "+66810000000", "address": "5 Silom Road"}
    nobody = await place_order(resources, drop={**drop, "lat": 13.73, "lon": 100.54})
    there = await queue(resources, (await place_order(resources)).id)
    not_there = await queue(resources, nobody.id)
    async with messenger_of(resources) as messenger:
        await send(messenger)
    assert (await get(resources, there.id)).state == "delivered"
    lost = await get(resources, not_there.id)
    assert (lost.state, [each.channel for each in lost.tried]) == (
        "given_up",
        ["whatsapp", "sms"],
    )


def test_production_opens_only_what_is_set_up(settings: Settings) -> None:
    bare = settings.model_copy(update={"env": "production"})
    assert open_channels(bare) == frozenset()
    mail = bare.model_copy(update={"smtp_url": "smtp://mail"})
    assert open_channels(mail) == {Channel.EMAIL}
    assert Carriers(bare).name_of(Channel.SMS) is None
