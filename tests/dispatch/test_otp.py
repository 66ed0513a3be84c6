"""One-time codes: five guesses and no more, a time, a new code, and the phone without network."""

from __future__ import annotations

import asyncio
import hmac
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.dispatch import otp
from backend.dispatch.demo_recipients import GROUP, HANDLERS
from backend.platform import clock, outbox
from backend.platform.consumers import Consumer
from backend.platform.resources import Resources
from backend.settings import Settings
from tests.dispatch.orders import marketplace
from tests.dispatch.phones import (
    LUMPINI,
    SIAM,
    App,
    app,
    at_door,
    codes_sent,
    column,
    order_of,
    state_of,
)
from tests.tracking.fleet import somebody


@pytest.fixture
async def phone(client: httpx.AsyncClient, resources: Resources) -> App:
    return await app(client, resources)


async def guess(phone: App, order: Any, code: str) -> dict[str, Any]:
    answer = await phone.client.post(
        f"/api/driver/v1/orders/{order.id}/otp",
        json={"code": code},
        headers=phone.phone.headers,
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def resend(phone: App, order: Any) -> httpx.Response:
    return await phone.client.post(
        f"/api/driver/v1/orders/{order.id}/otp/resend", json={}, headers=phone.phone.headers
    )


async def shift_codes(resources: Resources, seconds: float) -> None:
    """Make every code older by so many seconds."""
    query = text(
        "UPDATE dispatch_otp SET minted_at = minted_at - CAST(:by AS interval),"
        " expires_at = expires_at - CAST(:by AS interval),"
        " resend_from = resend_from - CAST(:by AS interval)"
    )
    async with resources.database.unit_of_work() as session:
        await session.execute(query, {"by": timedelta(seconds=seconds)})


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def test_the_right_code_is_verified_once_and_for_all(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    assert (await guess(phone, order, code))["verified"]
    assert (await guess(phone, order, code))["verified"]
    assert await phone.tell("order.deliver", order) == "accepted"
    proof = await column(
        resources,
        "SELECT data->>'proof' FROM dispatch_order_event WHERE type = 'order.delivered'",
    )
    assert proof == ["otp"]


async def test_of_a_hundred_guesses_at_once_five_are_compared(
    phone: App, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    compared = []
    compare = hmac.compare_digest

    def counted(left: bytes, right: bytes) -> bool:
        compared.append(left)
        return compare(left, right)

    monkeypatch.setattr(otp.hmac, "compare_digest", counted)
    wrong = [f"{(int(code) + n) % 10**6:06d}" for n in range(1, 101)]
    answers = await asyncio.gather(*(guess(phone, order, attempt) for attempt in wrong))
    assert len(compared) == 5
    assert sorted(answer["code"] for answer in answers) == ["otp_spent"] * 95 + ["otp_wrong"] * 5
    last = await guess(phone, order, code)
    assert (last["verified"], last["code"], last["attempts_left"]) == (False, "otp_spent", 0)


async def test_guesses_by_sync_and_by_hand_share_their_attempts(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    wrong = other_than(code)
    for _ in range(3):
        assert await phone.tell("order.deliver", order, otp=wrong) == "rejected otp_wrong"
    assert (await guess(phone, order, wrong))["attempts_left"] == 1
    assert (await guess(phone, order, wrong))["attempts_left"] == 0
    assert await phone.tell("order.deliver", order, otp=code) == "rejected otp_spent"
    assert await state_of(resources, order) == "arrived"


async def test_a_delivery_refused_for_another_reason_costs_no_attempt(
    phone: App, resources: Resources
) -> None:
    order = await order_of(
        resources,
        phone.phone.id,
        payment={"terms": "cod", "amount": {"minor": 5000, "currency": "THB"}},
    )
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    assert await phone.tell("order.deliver", order, otp=code) == "rejected collected_missing"
    cash = {"minor": 5000, "currency": "THB"}
    assert await phone.tell("order.deliver", order, otp=code, collected=cash) == "accepted"
    assert await column(resources, "SELECT attempts FROM dispatch_otp") == [1]
    assert await column(resources, "SELECT flagged FROM dispatch_order") == [None]


async def test_other_cash_than_due_is_taken_and_flagged(phone: App, resources: Resources) -> None:
    order = await order_of(
        resources,
        phone.phone.id,
        payment={"terms": "cod", "amount": {"minor": 5000, "currency": "THB"}},
    )
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    cash = {"minor": 4000, "currency": "THB"}
    assert await phone.tell("order.deliver", order, otp=code, collected=cash) == "accepted"
    [flagged] = await column(resources, "SELECT flagged FROM dispatch_order")
    assert flagged == "Collected 40.00 THB where 50.00 THB was due."
    [said] = await column(
        resources,
        "SELECT data->'collected' FROM dispatch_order_event WHERE type = 'order.delivered'",
    )
    assert said == cash


async def test_a_code_runs_out_after_ten_minutes(phone: App, resources: Resources) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    await shift_codes(resources, 601)
    assert (await guess(phone, order, code))["code"] == "otp_expired"
    assert await column(resources, "SELECT attempts FROM dispatch_otp") == [0]


async def test_a_code_entered_offline_in_time_counts_at_the_sync(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    deliver = phone.event("order.deliver", order, otp=code, position=LUMPINI)
    # Half an hour passes in a basement: both clocks of the phone go on.
    await shift_codes(resources, 1800)
    deliver["captured_at"] = (clock.now() - timedelta(minutes=29)).isoformat()
    deliver["monotonic_ms"] = 1_000
    assert await phone.results(deliver, monotonic_ms=1_000 + 29 * 60_000) == ["accepted"]
    assert await state_of(resources, order) == "delivered"


async def test_an_old_code_is_not_taken_however_early_the_phone_says_it_was(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    await shift_codes(resources, 25 * 3600)
    early = (clock.now() - timedelta(hours=25)).isoformat()
    deliver = phone.event("order.deliver", order, otp=code, captured_at=early, boot_id="before")
    assert await phone.results(deliver) == ["rejected otp_expired"]


async def test_sending_again_waits_longer_each_time_and_gives_no_attempts_back(
    phone: App, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    [first] = await codes_sent(resources, order)
    assert (await guess(phone, order, other_than(first)))["attempts_left"] == 4
    early = await resend(phone, order)
    assert early.status_code == 429
    assert 20 <= int(early.headers["retry-after"]) <= 30
    await shift_codes(resources, 30)
    again = await resend(phone, order)
    assert again.json()["attempts_left"] == 4
    assert 50 <= int((await resend(phone, order)).headers["retry-after"]) <= 60
    codes = await codes_sent(resources, order)
    assert len(codes) == 2
    if codes[0] != codes[1]:
        assert not (await guess(phone, order, codes[0]))["verified"]
    assert (await guess(phone, order, codes[1]))["verified"]


async def test_no_code_is_sent_before_the_door(phone: App, resources: Resources) -> None:
    order = await order_of(resources, phone.phone.id)
    assert (await resend(phone, order)).status_code == 409
    assert (await guess(phone, order, "123456"))["code"] == "otp_not_sent"


async def test_the_code_of_somebody_elses_order_cannot_be_tried(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    other = await app(client, resources)
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    address = f"/api/driver/v1/orders/{order.id}/otp"
    body = {"code": "123456"}
    answer = await client.post(address, json=body, headers=other.phone.headers)
    assert answer.status_code == 404


async def test_a_sender_may_want_a_code_at_pickup_too(phone: App, resources: Resources) -> None:
    order = await order_of(resources, phone.phone.id, tags=["otp-pickup"])
    await phone.tell("order.reach_pickup", order, position=SIAM)
    [code] = await codes_sent(resources, order)
    barcodes = [parcel["barcode"] for parcel in order.parcels]
    assert await phone.tell("order.pick_up", order, barcodes=barcodes) == "rejected proof_missing"
    wrong = {"barcodes": barcodes, "otp": other_than(code)}
    assert await phone.tell("order.pick_up", order, **wrong) == "rejected otp_wrong"
    assert await phone.tell("order.pick_up", order, barcodes=barcodes, otp=code) == "accepted"
    await phone.tell("order.depart", order)
    await phone.tell("order.arrive", order, position=LUMPINI)
    rows = await column(resources, "SELECT step || attempts FROM dispatch_otp ORDER BY step")
    assert rows == ["drop0", "pickup2"]


async def test_no_table_holds_a_code(phone: App, resources: Resources) -> None:
    order = await order_of(resources, phone.phone.id)
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    needle = code.encode()
    # One that waits for a number before it, and one that is done.
    phone.seq += 1
    held = phone.event("order.deliver", order, otp=code)
    assert await phone.results(held) == ["held"]
    bodies = await column(resources, "SELECT body::text FROM dispatch_device_event")
    assert not any(f'"{code}"' in body for body in bodies)
    phone.seq = held["device_seq"] - 2
    await phone.results(phone.event("note", text="what was missing"))
    assert await state_of(resources, order) == "delivered"
    bodies = await column(resources, "SELECT body::text FROM dispatch_device_event")
    assert not any(code in body or "otp" in body for body in bodies)
    values = await column(resources, "SELECT value FROM platform_outbox")
    digests = await column(resources, "SELECT digest FROM dispatch_otp")
    steps = await column(resources, "SELECT data::text FROM dispatch_order_event")
    told = [value for value in values if b"otp.issued" in value]
    assert told
    assert not any(needle in value for value in told)
    assert not any(needle in digest or digest == needle for digest in digests)
    assert not any(f'"{code}"' in step for step in steps)


async def test_the_recipient_of_the_demo_reads_the_code_with_the_sellers_token(
    phone: App, client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await order_of(resources, phone.phone.id)
    _, seller = await marketplace(resources)
    _, stranger = await marketplace(resources, "stranger")
    address = f"/api/demo/orders/{order.number}/otp"
    assert (await client.get(address, headers=seller)).status_code == 404
    await at_door(phone, order)
    [code] = await codes_sent(resources, order)
    consumer = Consumer(resources, GROUP, HANDLERS)
    await consumer.prepare()
    await outbox.relay_once(resources.database, resources.events)
    while await consumer.turn(wait_ms=10):
        pass
    assert (await client.get(address, headers=seller)).json() == {"drop": code}
    assert (await client.get(address, headers=stranger)).status_code == 404


async def test_outside_the_demo_there_is_no_such_route(
    settings: Settings, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend import api

    plain = settings.model_copy(update={"env": "development"})
    monkeypatch.setattr(api, "get_settings", lambda: plain)
    transport = httpx.ASGITransport(api.create_api())
    admin = await somebody(resources, "admin")
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as opened:
        answer = await opened.get("/api/demo/orders/WP-0000000000/otp", headers=admin)
    assert answer.json()["detail"] == "Not Found"
