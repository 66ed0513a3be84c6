"""Stripe through its own library, against a double that others wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web
from stripe import CardError

from backend.payments.gateways.protocol import (
    BadSignature,
    Call,
    Refused,
    Unknown,
    Unreachable,
)
from backend.payments.gateways.registry import Gateways
from backend.payments.gateways.stripe import Stripe, read_webhook
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources

from .books import check
from .stripe_double import KEY, card, free_port, running_double
from .world import World

GOOD, DECLINED, ASKS = "4242424242424242", "4000000000000341", "4000002500003155"
SECRET = "whsec_waypost"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_double() as address:
        yield address


@pytest.fixture
async def stripe(url: str) -> AsyncIterator[Stripe]:
    async with opened(KEY, url) as gateway:
        yield gateway


@asynccontextmanager
async def opened(key: str, url: str) -> AsyncIterator[Stripe]:
    gateway = Stripe(key, url)
    yield gateway
    await gateway.close()


def call(method: str | None = None, minor: int = 50_000, ref: str | None = None) -> Call:
    return Call(
        uuid7(), uuid7(), minor, "THB", clock.now(), method=method, ref=ref, order_number="WP-1"
    )


async def test_a_card_is_authorised_captured_in_part_and_refunded(url: str, stripe: Stripe) -> None:
    asked = call(card(url, GOOD))
    held = await stripe.authorise(asked)
    assert (held.state, held.authorised, held.captured) == ("authorised", 50_000, 0)
    taken = await stripe.capture(call(minor=40_000, ref=held.ref))
    assert (taken.state, taken.captured) == ("captured", 40_000)
    wanted = call(minor=15_000, ref=held.ref)
    given = await stripe.refund(wanted)
    assert (given.state, given.amount) == ("succeeded", 15_000)
    assert await stripe.find_refund(wanted) == given
    assert await stripe.find_refund(call(minor=15_000, ref=held.ref)) is None


async def test_an_authorisation_is_released(url: str, stripe: Stripe) -> None:
    held = await stripe.authorise(call(card(url, GOOD)))
    assert (await stripe.cancel(call(ref=held.ref))).state == "cancelled"
    assert (await stripe.inquire(held.ref)).state == "cancelled"
    with pytest.raises(Refused):
        await stripe.cancel(call(ref=held.ref))


async def test_a_declined_card_fails_with_its_code(url: str, stripe: Stripe) -> None:
    with pytest.raises(Refused) as refused:
        await stripe.authorise(call(card(url, DECLINED)))
    assert refused.value.code == "card_declined"


async def test_a_decline_that_names_its_payment_keeps_the_name(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = {"error": {"code": "card_declined", "payment_intent": {"id": "pi_declined"}}}

    async def decline(*_: Any) -> None:
        raise CardError("Your card was declined.", None, "card_declined", json_body=fault)

    monkeypatch.setattr(stripe._client.v1.payment_intents, "create_async", decline)
    report = await stripe.authorise(call("pm_x"))
    assert (report.ref, report.state, report.code) == ("pi_declined", "failed", "card_declined")


async def test_a_customer_may_be_asked(url: str, stripe: Stripe) -> None:
    asked = await stripe.authorise(call(card(url, ASKS)))
    assert (asked.state, asked.next_action) == ("requires_action", "use_stripe_sdk")


async def test_a_payment_is_found_by_the_key_it_was_asked_under(url: str, stripe: Stripe) -> None:
    asked = call(card(url, GOOD))
    held = await stripe.authorise(asked)
    found = await stripe.find(asked)
    assert found is not None
    assert (found.ref, found.state) == (held.ref, "authorised")
    assert await stripe.find(call()) is None


async def test_what_stripe_does_not_know_is_refused(stripe: Stripe) -> None:
    with pytest.raises(Refused):
        await stripe.inquire("pi_unknown")
    with pytest.raises(Refused):
        await stripe.authorise(call("pm_unknown"))


async def test_a_wrong_key_is_no_refusal_of_the_customer(url: str) -> None:
    async with opened("wrong", url) as stripe:
        with pytest.raises(Unreachable):
            await stripe.inquire("pi_x")


async def test_silence_is_unknown() -> None:
    async with opened(KEY, f"http://localhost:{free_port()}") as stripe:
        with pytest.raises(Unknown):
            await stripe.inquire("pi_x")


async def test_an_order_is_paid_through_stripe_from_end_to_end(
    resources: Resources, url: str, stripe: Stripe
) -> None:
    world = World(resources)
    gateways = Gateways({"stripe": stripe})
    order = uuid7()
    await world.event(
        "order.created", order, reference="M-1", region="TH-10", terms="prepaid",
        amount={"minor": 50_000, "currency": "THB"}, method=card(url, GOOD), gateway="stripe",
        wallet_id=None, merchant="service:marketplace-th",
    )  # fmt: skip
    await world.settle(gateways)
    assert await world.state(order) == "authorised"
    await world.deliver(order)
    await world.settle(gateways)
    found = await world.payment(order)
    assert (found.state, found.captured.minor, found.gateway) == ("captured", 50_000, "stripe")
    await check(world.database)


@pytest.fixture
async def heard(url: str) -> AsyncIterator[list[tuple[dict[str, str], bytes]]]:
    """What the double sends to a door of ours."""
    messages: list[tuple[dict[str, str], bytes]] = []

    async def hear(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        messages.append((headers, await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with httpx.AsyncClient() as client:
        hook = {"url": f"http://127.0.0.1:{port}/hook", "secret": SECRET}
        (await client.post(f"{url}/_config/webhooks/ours", json=hook)).raise_for_status()
    yield messages
    await runner.cleanup()


async def test_events_that_the_double_signs_are_read(
    url: str, stripe: Stripe, heard: list[tuple[dict[str, str], bytes]]
) -> None:
    held = await stripe.authorise(call(card(url, GOOD)))
    await stripe.capture(call(ref=held.ref))
    async with asyncio.timeout(30):
        while True:
            notices = [read_webhook(h, body, clock.now(), SECRET) for h, body in heard]
            about = [n for n in notices if n.ref == held.ref]
            if any(n.kind == "payment_intent.succeeded" for n in about):
                break
            await asyncio.sleep(0.05)
    headers, body = heard[0]
    for wrong in (
        lambda: read_webhook(headers, body + b" ", clock.now(), SECRET),
        lambda: read_webhook(headers, body, clock.now(), "whsec_other"),
        lambda: read_webhook(headers, body, clock.now(), None),
        lambda: read_webhook({}, body, clock.now(), SECRET),
        lambda: read_webhook(headers, body, clock.now() + timedelta(seconds=310), SECRET),
    ):
        with pytest.raises(BadSignature):
            wrong()
