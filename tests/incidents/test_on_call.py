"""Who is called when, by what, and what happens when nobody answers."""

from __future__ import annotations

import asyncio
import email
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr, ValidationError
from sqlalchemy import text

from backend.identity.service import Denied
from backend.incidents import sending, service
from backend.incidents.on_call_schemas import (
    EscalationStep,
    OnCallPerson,
    Override,
    ScheduleIn,
    ScheduleOut,
)
from backend.notifications.service import Outbound
from backend.platform import clock
from backend.platform.errors import Conflict, Invalid
from backend.platform.resources import Resources
from backend.regions.service import seed
from tests.notifications.carriers import SECRET, gateway_server
from tests.notifications.receiver import Receiver, receiving

from .world import ADMIN, MANAGER, OTHER, VIEWER, do, look, raised, work

NOK = OnCallPerson(person_id=MANAGER.id, name="Nok", email="nok@example.com")
DAO = OnCallPerson(person_id=OTHER.id, name="Dao", email="dao@example.com")
ADA = OnCallPerson(person_id=ADMIN.id, name="Ada")


@dataclass
class Mailbox:
    """A mail server that keeps what it is given, or refuses it."""

    messages: list[Message]
    refuses: bool = False
    port: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuses:
            return "451 come back later"
        assert isinstance(envelope.content, bytes)
        self.messages.append(email.message_from_bytes(envelope.content))
        return "250 kept"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A real mail server on loopback."""
    box = Mailbox([])
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, hostname="localhost"), "127.0.0.1", 0
    )
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()
    await server.wait_closed()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A program that a person's calls go to."""
    async with receiving() as opened:
        yield opened


def step(after_s: int = 0, whom: str = "on_call", *channels: str) -> EscalationStep:
    """A step that tells somebody by the console unless told otherwise."""
    return EscalationStep.model_validate(
        {"after_s": after_s, "whom": whom, "channels": list(channels) or ["console"]}
    )


async def schedule(resources: Resources, *steps: EscalationStep, **more: Any) -> ScheduleOut:
    """A schedule of Bangkok with Nok's turn now and Dao's after."""
    async with resources.database.unit_of_work() as session:
        await seed(session, ADMIN)
    facts: dict[str, Any] = {
        "name": "Bangkok",
        "region": "TH-10",
        "people": [NOK, DAO],
        "starts_at": clock.now() - timedelta(hours=1),
        "turn_s": 7200,
        "steps": list(steps) or [step()],
        **more,
    }
    return await do(resources, service.save_schedule, ADMIN, ScheduleIn(**facts))


async def send(resources: Resources, **settings: Any) -> int:
    """Send what is due with these settings."""
    changed = replace(resources, settings=resources.settings.model_copy(update=settings))
    async with (
        Outbound(allow_loopback=True, timeout_s=2) as outbound,
        sending.carriers_of(changed.settings) as carriers,
    ):
        return await sending.send_due(changed, outbound, carriers)


async def test_steps_follow_each_other_until_somebody_acknowledges(resources: Resources) -> None:
    await schedule(resources, step(), step(300, "next"), step(600, "everyone"), ack_lapses_s=900)
    one = await raised(resources)
    await work(resources)
    called = await do(resources, service.list_pages, ADMIN, incident_id=one.id)
    assert [(each.name, each.step, each.state) for each in called] == [("Nok", 0, "sent")]
    await work(resources, later_s=301)
    called = await do(resources, service.list_pages, ADMIN, incident_id=one.id)
    assert {(each.name, each.step) for each in called} == {("Nok", 0), ("Dao", 1)}
    mine = await do(resources, service.list_pages, OTHER)
    assert [(each.number, each.title) for each in mine] == [("INC-1", "Payments fail (a)")]
    now = await look(resources, one.id)
    assert [each.text for each in now.timeline if each.kind == "called"] == [
        "Called Nok by console.", "Called Dao by console."
    ]  # fmt: skip
    await do(resources, service.acknowledge, OTHER, one.id, seen_version=now.version)
    await work(resources, later_s=850)
    assert len(await do(resources, service.list_pages, ADMIN, incident_id=one.id)) == 2


async def test_an_acknowledgement_that_nothing_follows_lapses(resources: Resources) -> None:
    await schedule(resources, ack_lapses_s=600)
    one = await raised(resources)
    await work(resources)
    row = await do(resources, service.acknowledge, MANAGER, one.id, seen_version=one.version)
    first = row.acknowledged_at
    await work(resources, later_s=590)
    assert (await look(resources, one.id)).state == "acknowledged"
    await work(resources, later_s=601)
    lapsed = await look(resources, one.id)
    assert lapsed.state == "triggered"
    assert lapsed.acknowledged_at == first, "the first answer stays the one that counts"
    await work(resources, later_s=602)
    assert len(await do(resources, service.list_pages, ADMIN, incident_id=one.id)) == 2
    await do(resources, service.acknowledge, OTHER, one.id, seen_version=lapsed.version)
    before = (await look(resources, one.id)).acknowledgement_lapses_at
    await do(resources, service.add_note, OTHER, one.id, "On it.")
    after = (await look(resources, one.id)).acknowledgement_lapses_at
    assert before is not None
    assert after is not None
    assert after > before, "a note is something that follows"


async def test_a_snooze_holds_calls_and_not_the_clock(resources: Resources) -> None:
    await schedule(resources, step(60))
    one = await raised(resources, ago_s=100)
    until = clock.now() + timedelta(seconds=600)
    row = await do(resources, service.snooze, MANAGER, one.id, until, seen_version=one.version)
    assert row.running_s >= 100
    await work(resources, later_s=599)
    assert await do(resources, service.list_pages, ADMIN, incident_id=one.id) == []
    await work(resources, later_s=601)
    now = await look(resources, one.id)
    assert now.snoozed_until is None
    await work(resources, later_s=700)
    assert len(await do(resources, service.list_pages, ADMIN, incident_id=one.id)) == 1
    with pytest.raises(Invalid):
        await do(
            resources, service.snooze, MANAGER, one.id, clock.now() + timedelta(days=2),
            seen_version=now.version,
        )  # fmt: skip


async def test_mail_reaches_the_one_whose_turn_it_is(
    resources: Resources, mailbox: Mailbox
) -> None:
    await schedule(resources, step(0, "on_call", "email", "console"))
    one = await raised(resources, severity="SEV1")
    await work(resources)
    await send(
        resources, smtp_url=f"smtp://127.0.0.1:{mailbox.port}",
        public_url="https://ops.example.com",
    )  # fmt: skip
    [letter] = mailbox.messages
    assert letter["To"] == "nok@example.com"
    assert letter["Subject"] == "[SEV1] INC-1 Payments fail (a)"
    body = str(letter.get_payload())
    assert f"https://ops.example.com/incidents/{one.id}" in body
    assert "Regions: Bangkok\r\n" in body
    assert "Called Nok by e-mail, console." in [
        each.text for each in (await look(resources, one.id)).timeline
    ]
    called = await do(resources, service.list_pages, ADMIN, incident_id=one.id)
    assert {(each.channel, each.state) for each in called} == {
        ("email", "sent"),
        ("console", "sent"),
    }
    assert await send(resources) == 0


async def test_a_mail_server_that_refuses_is_asked_again(
    resources: Resources, mailbox: Mailbox
) -> None:
    await schedule(resources, step(0, "on_call", "email"))
    one = await raised(resources)
    await work(resources)
    mailbox.refuses = True
    url = f"smtp://127.0.0.1:{mailbox.port}"
    await send(resources, smtp_url=url)
    [call] = await do(resources, service.list_pages, ADMIN, incident_id=one.id)
    assert (call.state, call.attempts) == ("pending", 1)
    assert call.why is not None
    assert "451" in call.why
    assert await send(resources, smtp_url=url) == 0, "not at once"


async def test_without_a_mail_server_the_call_says_why(resources: Resources) -> None:
    await schedule(resources, step(0, "on_call", "email"))
    one = await raised(resources)
    await work(resources)
    await send(resources)
    [call] = await do(resources, service.list_pages, ADMIN, incident_id=one.id)
    assert call.why == "WAYPOST_SMTP_URL is not set"


async def test_a_webhook_is_called_and_signed(resources: Resources, receiver: Receiver) -> None:
    person = OnCallPerson(person_id=MANAGER.id, name="Nok", webhook=receiver.url)
    await schedule(resources, step(0, "on_call", "webhook"), people=[person])
    one = await raised(resources)
    await work(resources)
    await send(resources, public_url="https://ops.example.com")
    [got] = receiver.heard
    secret = await do(resources, service.call_secret, ADMIN, MANAGER.id)
    told = got.verified(secret)
    assert told["type"] == "incident.called"
    assert told["data"]["incident"]["number"] == "INC-1"
    assert told["data"]["incident"]["url"] == f"https://ops.example.com/incidents/{one.id}"
    with pytest.raises(Denied):
        await do(resources, service.call_secret, MANAGER, MANAGER.id)


async def test_the_nearest_schedule_is_asked(resources: Resources) -> None:
    await schedule(resources, name="World", region="*", people=[ADA])
    await schedule(resources)
    await schedule(resources, name="Money", region="TH", services=["payments"], people=[DAO])
    for key, service_name, region, name in (
        ("a", "payments", "TH-10", "Dao"),
        ("b", "maps", "TH-10", "Nok"),
        ("c", "maps", "IN-KA", "Ada"),
    ):
        one = await raised(resources, key, service=service_name, region=region)
        await work(resources)
        called = await do(resources, service.list_pages, ADMIN, incident_id=one.id)
        assert [each.name for each in called] == [name]


async def test_small_ones_call_nobody_until_they_grow(resources: Resources) -> None:
    await schedule(resources)
    one = await raised(resources, severity="SEV4")
    await work(resources)
    assert await do(resources, service.list_pages, ADMIN, incident_id=one.id) == []
    await do(resources, service.set_severity, MANAGER, one.id, "SEV1", seen_version=one.version)
    await work(resources)
    assert len(await do(resources, service.list_pages, ADMIN, incident_id=one.id)) == 1


async def test_turns_and_stand_ins(resources: Resources) -> None:
    now = clock.now()
    made = await schedule(
        resources,
        overrides=[
            Override(
                person_id=OTHER.id,
                since=now - timedelta(minutes=1),
                until=now + timedelta(minutes=5),
            )
        ],
    )
    assert made.on_call.name == "Dao"
    assert made.on_call_until - now == timedelta(minutes=5)
    [shown] = await do(resources, service.who_is_on_call, VIEWER, "TH-10")
    assert (shown.person.name, shown.person.email) == ("Dao", None), "addresses are not for all"
    assert await do(resources, service.who_is_on_call, ADMIN, "IN-KA") == []


async def test_schedules_are_checked_and_guarded(resources: Resources) -> None:
    made = await schedule(resources)
    wanted = ScheduleIn.model_validate(
        {
            **made.model_dump(include=set(ScheduleIn.model_fields)),
            "seen_version": 1,
            "name": "Bangkok by night",
        }
    )
    with pytest.raises(Denied):
        await do(resources, service.save_schedule, MANAGER, wanted)
    changed = await do(resources, service.save_schedule, ADMIN, wanted)
    assert (changed.name, changed.version) == ("Bangkok by night", 2)
    with pytest.raises(Conflict, match="Ada changed it"):
        await do(resources, service.save_schedule, ADMIN, wanted)
    for wrong in (
        {"people": [NOK, NOK]},
        {"region": "XX"},
        {"people": [NOK.model_copy(update={"webhook": "ftp://example.com"})]},
        {"overrides": [Override(person_id="user:x", since=made.starts_at, until=clock.now())]},
    ):
        with pytest.raises(Invalid):
            await do(
                resources, service.save_schedule, ADMIN,
                wanted.model_copy(update={"seen_version": 2, **wrong}),
            )  # fmt: skip


async def test_a_shift_begins_once_and_ends(resources: Resources) -> None:
    first = await do(resources, service.start_shift, MANAGER)
    again = await do(resources, service.start_shift, MANAGER)
    assert first.id == again.id
    assert (await do(resources, service.current_shift, OTHER)) is None
    ended = await do(resources, service.end_shift, MANAGER)
    assert ended.ended_at is not None
    assert await do(resources, service.end_shift, MANAGER) is None
    assert (await do(resources, service.start_shift, MANAGER)).id != first.id


async def test_whom_a_step_calls_by_sms_gets_one_through_the_gateway(resources: Resources) -> None:
    nok = NOK.model_copy(update={"sms": "+66812345678"})
    await schedule(resources, step(0, "everyone", "sms"), people=[nok, DAO])
    one = await raised(resources)
    await work(resources)
    async with gateway_server() as gateway:
        gateway.answer = lambda _: (503, {"detail": "busy"})
        known = {"message_gateway_url": gateway.url, "message_gateway_secret": SecretStr(SECRET)}
        assert await send(resources, **known) == 1
        [page] = await do(resources, service.list_pages, ADMIN, incident_id=one.id)
        assert (page.name, page.channel, page.state, page.why) == ("Nok", "sms", "pending", "busy")
        gateway.answer = lambda _: (202, {})
        await _wait_over(resources)
        assert await send(resources, **known) == 1
    [page] = await do(resources, service.list_pages, ADMIN, incident_id=one.id)
    assert (page.state, page.attempts) == ("sent", 2)
    heard = gateway.heard[-1]
    assert (heard["channel"], heard["to"]) == ("sms", "+66812345678")
    assert heard["text"].startswith(f"SEV2 {one.number}: Payments fail (a)\n")
    assert heard["text"].endswith(f"/incidents/{one.id}")


@pytest.mark.parametrize("number", ["0812345678", "+0812345678", "+66 81 234", "+6681234567890123"])
def test_a_number_is_given_as_the_world_dials_it(number: str) -> None:
    with pytest.raises(ValidationError):
        OnCallPerson(person_id="user:1", name="Nok", sms=number)


async def _wait_over(resources: Resources) -> None:
    """Let the wait before the next attempt be over."""
    async with resources.database.unit_of_work() as session:
        await session.execute(text("UPDATE incidents_page SET next_at = now()"))
