"""Webhooks reach a receiver signed, in order and whatever it does in between."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from standardwebhooks.webhooks import WebhookVerificationError

from backend.identity.schemas import SYSTEM, AuditFilter
from backend.identity.service import list_audit
from backend.notifications import notifier, service
from backend.notifications.notifier import LEASE, MOST_AT_ONCE, Sender
from backend.notifications.schemas import ReplayIn
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources
from tests.notifications.conftest import SHOP, Subscribe, life, log_of, publish, told, work
from tests.notifications.receiver import Receiver


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Have the sender see a later time; signatures stay within the library's tolerance."""
    real = clock.now
    monkeypatch.setattr(notifier.clock, "now", lambda: real() + by)


async def make_due(resources: Resources) -> None:
    async with resources.database.unit_of_work() as session:
        await session.execute(
            text("UPDATE notifications_delivery SET next_at = :now"), {"now": clock.now()}
        )


async def test_a_receiver_verifies_what_it_hears(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    endpoint = await subscribe()
    order_id = await life(resources, "created", "assigned")
    await work(sender)
    first, second = receiver.messages(endpoint.secret)
    assert (first["type"], second["type"]) == ("order.created", "order.assigned")
    assert first["data"]["order_id"] == str(order_id)
    assert set(first) == {"id", "type", "at", "device_at", "actor", "data"}
    assert receiver.heard[0].headers["webhook-id"] == first["id"]
    with pytest.raises(WebhookVerificationError):
        receiver.heard[0].verified("whsec_" + "A" * 43)
    assert [each.state for each in await log_of(resources)] == ["delivered", "delivered"]


async def test_nothing_personal_is_told(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    endpoint = await subscribe()
    more = {"phone": "+66812345678", "drop_name": "Dao", "lat": 13.7, "flagged": "late evidence",
            "wallet_id": "w", "collected": {"minor": 100, "currency": "THB"}}  # fmt: skip
    await publish(resources, told("order.delivered", 9, uuid7(), **more))
    await work(sender)
    [message] = receiver.messages(endpoint.secret)
    assert set(message["data"]) == {
        "order_id", "number", "merchant", "state", "version", "collected",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (500, "answered 500"),
        (404, "answered 404"),
        ("drop", "broke"),
        ("redirect", "Redirects are not followed"),
        ("slow", "No answer within"),
    ],
)
async def test_a_fault_is_tried_again_until_it_is_taken(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender,
    answer: int | str, words: str,
) -> None:  # fmt: skip
    endpoint = await subscribe()
    receiver.answer = lambda _: answer
    await life(resources, "created")
    began = clock.now()
    await work(sender)
    [failed] = await log_of(resources)
    assert (failed.state, failed.attempts) == ("failed", 1)
    assert words in (failed.why or "")
    assert failed.next_at is not None
    assert began < failed.next_at < clock.now() + timedelta(seconds=7)
    receiver.answer = lambda _: 204
    await make_due(resources)
    await work(sender)
    [taken] = await log_of(resources)
    assert (taken.state, taken.attempts, taken.status) == ("delivered", 2, 204)
    assert {each["id"] for each in receiver.messages(endpoint.secret)} == {str(taken.event_id)}


async def test_an_endless_answer_is_read_no_further_than_its_beginning(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    await subscribe()
    receiver.answer = lambda _: "huge"
    await life(resources, "created")
    await work(sender)
    [taken] = await log_of(resources)
    assert taken.state == "delivered"
    async with resources.database.unit_of_work() as session:
        detail = await service.get_delivery(session, SHOP, taken.id)
    assert detail.answer_excerpt == "x" * 2000


async def test_request_and_answer_are_kept_for_looking_at(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    endpoint = await subscribe()
    receiver.answer = lambda _: 422
    await life(resources, "created")
    await work(sender)
    [failed] = await log_of(resources)
    async with resources.database.unit_of_work() as session:
        detail = await service.get_delivery(session, SHOP, failed.id)
    assert detail.payload == receiver.messages(endpoint.secret)[0]
    assert detail.sent_headers is not None
    assert detail.sent_headers["webhook-id"] == str(failed.event_id)
    assert detail.answer_excerpt == "answer 422\N{REPLACEMENT CHARACTER}"
    assert "Set-Cookie" not in (detail.answer_headers or {})
    assert (detail.duration_ms or 0) >= 0


async def test_a_later_event_waits_for_an_earlier_one_of_its_order_only(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    endpoint = await subscribe()
    receiver.answer = lambda heard: 500 if "order.created" in heard.body else 200
    stuck = await life(resources, "created", "assigned")
    receiver.answer = lambda heard: 500 if str(stuck) in heard.body else 200
    await life(resources, "created", "assigned")
    await work(sender)
    heard = [
        (m["data"]["order_id"] == str(stuck), m["type"]) for m in receiver.messages(endpoint.secret)
    ]
    assert heard.count((True, "order.created")) == 1
    assert (True, "order.assigned") not in heard
    assert [kind for own, kind in heard if not own] == ["order.created", "order.assigned"]
    receiver.heard.clear()
    receiver.answer = lambda _: 200
    await make_due(resources)
    await work(sender)
    kinds = [m["type"] for m in receiver.messages(endpoint.secret)]
    assert kinds == ["order.created", "order.assigned"]


async def test_an_event_that_comes_in_behind_a_failure_waits_too_and_follows_the_success(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    endpoint = await subscribe()
    receiver.answer = lambda _: 503
    order_id = await life(resources, "created")
    await work(sender)
    await publish(resources, told("order.assigned", 2, order_id))
    first, second = await log_of(resources)
    assert second.next_at == first.next_at
    receiver.answer = lambda _: 200
    async with resources.database.unit_of_work() as session:
        await service.replay(session, SHOP, ReplayIn(ids=[first.id]))
    receiver.heard.clear()
    await work(sender)
    kinds = [m["type"] for m in receiver.messages(endpoint.secret)]
    assert kinds == ["order.created", "order.assigned"]


async def test_the_last_failure_gives_up_and_lets_the_next_event_through(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await subscribe()
    monkeypatch.setattr(notifier, "MOST_ATTEMPTS", 2)
    receiver.answer = lambda heard: 500 if "order.created" in heard.body else 200
    await life(resources, "created", "assigned")
    await work(sender)
    await make_due(resources)
    await work(sender)
    assert [each.state for each in await log_of(resources)] == ["given_up", "delivered"]


async def test_what_was_claimed_by_a_process_that_died_is_sent_by_another(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await subscribe()
    await life(resources, "created", "assigned")
    receiver.answer = lambda _: "slow"
    assert await sender.turn() == 1
    await sender.abandon()
    receiver.heard.clear()
    receiver.answer = lambda _: 200
    survivor = Sender(resources, sender.outbound)
    assert await survivor.turn() == 0
    later(monkeypatch, LEASE + timedelta(seconds=1))
    await work(survivor)
    assert [each.state for each in await log_of(resources)] == ["delivered", "delivered"]
    assert len(receiver.heard) == 2


async def test_an_outcome_that_comes_after_the_claim_ran_out_changes_nothing(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await subscribe()
    await life(resources, "created")
    receiver.answer = lambda heard: "slow" if len(receiver.heard) == 1 else 200
    await sender.turn()
    await wait_for(lambda: len(receiver.heard) == 1)
    later(monkeypatch, LEASE + timedelta(seconds=1))
    survivor = Sender(resources, sender.outbound)
    await work(survivor)
    receiver.released.set()
    await work(sender)
    [taken] = await log_of(resources)
    assert (taken.state, taken.attempts) == ("delivered", 1)


async def test_two_senders_send_each_event_once_and_an_endpoint_is_not_crowded(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    await subscribe()
    ids = [uuid7() for _ in range(60)]
    await publish(resources, *(told("order.created", 1, each) for each in ids))
    other = Sender(resources, sender.outbound)
    await asyncio.gather(work(sender), work(other))
    assert sorted(heard.headers["webhook-id"] for heard in receiver.heard) == sorted(
        str(each.event_id) for each in await log_of(resources)
    )
    assert receiver.most_at_once <= MOST_AT_ONCE


async def test_gone_switches_the_endpoint_off_with_a_notice(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    endpoint = await subscribe()
    receiver.answer = lambda _: 410
    await life(resources, "created", "assigned")
    await work(sender)
    await assert_off(resources, endpoint.id, "410 Gone")
    assert [each.state for each in await log_of(resources)] == ["given_up", "given_up"]
    await life(resources, "created")
    await work(sender)
    assert len(receiver.heard) == 1
    missed = (await log_of(resources))[-1]
    assert (missed.state, missed.why) == ("given_up", "The endpoint was off.")


async def test_a_day_of_failures_switches_the_endpoint_off_with_a_notice(
    resources: Resources, receiver: Receiver, subscribe: Subscribe, sender: Sender
) -> None:
    endpoint = await subscribe()
    receiver.answer = lambda _: 500
    ids = [uuid7() for _ in range(20)]
    await publish(resources, *(told("order.created", 1, each) for each in ids))
    await work(sender)
    async with resources.database.unit_of_work() as session:
        assert (await service.get_endpoint(session, SHOP, endpoint.id)).active
        await session.execute(
            text("UPDATE notifications_endpoint SET failing_since = failing_since - interval '1d'")
        )
    await make_due(resources)
    await work(sender)
    await assert_off(resources, endpoint.id, "attempts in a row failed")


async def assert_off(resources: Resources, endpoint_id: UUID, words: str) -> None:
    async with resources.database.unit_of_work() as session:
        endpoint = await service.get_endpoint(session, SHOP, endpoint_id)
        trail = await list_audit(session, SYSTEM, AuditFilter(action="webhook.disabled"))
        told_of = await session.scalar(
            text("SELECT count(*) FROM platform_outbox WHERE key = :id"), {"id": str(endpoint_id)}
        )
    assert not endpoint.active
    assert words in (endpoint.disabled_because or "")
    assert [entry.object for entry in trail] == [f"webhook:{endpoint_id}"]
    assert told_of == 1


async def wait_for(condition: object) -> None:
    async with asyncio.timeout(30):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)
