"""Razorpay as its documentation describes it, against a small stand-in of that description."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.payments.gateways.protocol import (
    BadSignature,
    Call,
    Refused,
    Unknown,
    Unreachable,
)
from backend.payments.gateways.razorpay import Razorpay, read_webhook
from backend.payments.gateways.registry import Gateways
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.resources import Resources

from .books import check
from .world import World

SECRET = "rzp-hook-secret"
URL = "https://api.razorpay.test"


class StandIn:
    """Orders, payments and refunds in memory."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.payments: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.fault: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    def pay(self, order_id: str, status: str = "authorized", **more: Any) -> str:
        """The customer pays, or tries to."""
        payment_id = f"pay_{len(self.payments)}"
        amount = self.orders[order_id]["amount"]
        self.payments[payment_id] = {
            "id": payment_id, "order_id": order_id, "amount": amount, "status": status, **more,
        }  # fmt: skip
        return payment_id

    def __call__(self, request: httpx.Request) -> httpx.Response:
        fault = self.fault(request)
        if fault is not None:
            return fault
        assert request.headers["authorization"].startswith("Basic ")
        body = json.loads(request.content) if request.content else {}
        parts = request.url.path.removeprefix("/v1/").split("/")
        key = request.headers.get("X-Refund-Idempotency")
        return self._answer(request, parts, body, key)

    def _answer(
        self, request: httpx.Request, parts: list[str], body: dict[str, Any], key: str | None
    ) -> httpx.Response:
        match request.method, parts:
            case "POST", ["orders"]:
                order = {"id": f"order_{len(self.orders)}", "status": "created", **body}
                self.orders[order["id"]] = order
                return httpx.Response(200, json=order)
            case "GET", ["orders"]:
                receipt = request.url.params["receipt"]
                found = [o for o in self.orders.values() if o["receipt"] == receipt]
                return httpx.Response(200, json={"items": found})
            case "GET", ["orders", order_id, "payments"]:
                paid = [p for p in self.payments.values() if p["order_id"] == order_id]
                return httpx.Response(200, json={"items": paid})
            case "POST", ["payments", payment_id, "capture"]:
                payment = self.payments[payment_id]
                if payment["status"] != "authorized" or payment["amount"] != body["amount"]:
                    return _no("This payment has already been captured")
                payment["status"] = "captured"
                return httpx.Response(200, json=payment)
            case "POST", ["payments", payment_id, "refund"]:
                assert key is not None
                made = self.refunds.setdefault(
                    key,
                    {
                        "id": f"rfnd_{len(self.refunds)}",
                        "payment_id": payment_id,
                        "status": "processed",
                        **body,
                    },
                )
                return httpx.Response(200, json=made)
            case "GET", ["payments", payment_id, "refunds"]:
                given = [r for r in self.refunds.values() if r["payment_id"] == payment_id]
                return httpx.Response(200, json={"items": given})
        return _no("The requested URL was not found on the server.")


def _no(words: str) -> httpx.Response:
    fault = {"code": "BAD_REQUEST_ERROR", "description": words}
    return httpx.Response(400, json={"error": fault})


@pytest.fixture
def there() -> StandIn:
    return StandIn()


@pytest.fixture
async def razorpay(there: StandIn) -> AsyncIterator[Razorpay]:
    gateway = Razorpay("key", "secret", URL, httpx.MockTransport(there))
    yield gateway
    await gateway.close()


def call(minor: int = 50_000, ref: str | None = None) -> Call:
    return Call(uuid7(), uuid7(), minor, "INR", clock.now(), ref=ref, order_number="WP-1")


async def test_an_order_is_paid_captured_and_refunded_once(
    there: StandIn, razorpay: Razorpay
) -> None:
    asked = call()
    opened = await razorpay.authorise(asked)
    assert (opened.state, opened.next_action) == ("requires_action", f"checkout {opened.ref}")
    there.pay(opened.ref, "failed", error_code="GATEWAY_ERROR", error_description="no")
    assert (await razorpay.inquire(opened.ref)).state == "failed"
    there.pay(opened.ref)
    assert (await razorpay.inquire(opened.ref)).state == "authorised"
    taken = await razorpay.capture(call(ref=opened.ref))
    assert (taken.state, taken.captured) == ("captured", 50_000)
    wanted = call(20_000, opened.ref)
    given = [await razorpay.refund(wanted) for _ in range(2)]
    assert given[0] == given[1]
    assert (given[0].state, len(there.refunds)) == ("succeeded", 1)
    assert await razorpay.find_refund(wanted) == given[0]
    assert await razorpay.find_refund(call(20_000, opened.ref)) is None
    found = await razorpay.find(asked)
    assert found is not None
    assert found.ref == opened.ref
    assert await razorpay.find(call()) is None


async def test_a_part_cannot_be_captured_and_a_captured_payment_not_released(
    there: StandIn, razorpay: Razorpay
) -> None:
    opened = await razorpay.authorise(call())
    with pytest.raises(Refused, match="Nobody has paid"):
        await razorpay.capture(call(ref=opened.ref))
    there.pay(opened.ref)
    with pytest.raises(Refused) as refused:
        await razorpay.capture(call(40_000, opened.ref))
    assert refused.value.code == "partial_capture"
    await razorpay.capture(call(ref=opened.ref))
    with pytest.raises(Refused):
        await razorpay.cancel(call(ref=opened.ref))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unreachable), (429, Unreachable), (409, Unknown), (502, Unknown), (400, Refused)],
)
async def test_each_fault_has_its_meaning(
    there: StandIn, razorpay: Razorpay, status: int, kind: type[Exception]
) -> None:
    there.fault = lambda _: httpx.Response(status, json={"error": {"description": "no"}})
    with pytest.raises(kind):
        await razorpay.authorise(call())


async def test_a_connection_refused_was_surely_not_asked_and_a_lost_answer_may_be(
    there: StandIn, razorpay: Razorpay
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    def lose(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("silence", request=request)

    there.fault = refuse
    with pytest.raises(Unreachable):
        await razorpay.authorise(call())
    there.fault = lose
    with pytest.raises(Unknown):
        await razorpay.authorise(call())
    there.fault = lambda _: httpx.Response(200, content=b"<html>")
    with pytest.raises(Unknown):
        await razorpay.authorise(call())


async def test_an_order_is_paid_through_razorpay_from_end_to_end(
    resources: Resources, there: StandIn, razorpay: Razorpay
) -> None:
    world = World(resources)
    gateways = Gateways({"razorpay": razorpay})
    order = uuid7()
    await world.event(
        "order.created", order, reference="M-1", region="IN-KA", terms="prepaid",
        amount={"minor": 50_000, "currency": "INR"}, method="upi", gateway="razorpay",
        wallet_id=None, merchant="service:marketplace-in",
    )  # fmt: skip
    await world.settle(gateways)
    found = await world.payment(order)
    assert found.state == "requires_action"
    there.pay(found.gateway_ref or "")
    await world.deliver(order)
    await world.ask_now(gateways)
    await world.settle(gateways)
    assert (await world.payment(order)).captured.minor == 50_000
    await check(world.database)


def message(age_s: float = 0, event_id: str = "evt_1", **more: Any) -> tuple[dict[str, str], bytes]:
    body = json.dumps(
        {
            "event": "payment.authorized", "created_at": int(clock.now().timestamp() - age_s),
            "payload": {"payment": {"entity": {"id": "pay_1", "order_id": "order_1"}}}, **more,
        }
    ).encode()  # fmt: skip
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"x-razorpay-signature": digest, "x-razorpay-event-id": event_id}, body


def test_a_signed_event_is_read() -> None:
    headers, body = message()
    notice = read_webhook(headers, body, clock.now(), SECRET)
    assert (notice.event_id, notice.kind, notice.ref) == ("evt_1", "payment.authorized", "order_1")
    # Razorpay sends again for a day, with the event's own time in the body.
    headers, body = message(age_s=23 * 3600)
    read_webhook(headers, body, clock.now(), SECRET)


def test_an_event_unsigned_stale_or_of_the_future_is_refused() -> None:
    headers, body = message()
    now = clock.now()
    for given, raw, at, secret in (
        (headers, body + b" ", now, SECRET),
        ({**headers, "x-razorpay-signature": "é"}, body, now, SECRET),
        ({"x-razorpay-event-id": "e"}, body, now, SECRET),
        ({"x-razorpay-signature": headers["x-razorpay-signature"]}, body, now, SECRET),
        (headers, body, now, "other"),
        (headers, body, now, None),
        (headers, body, now, ""),
        (headers, body, now + timedelta(hours=24, seconds=310), SECRET),
        (headers, body, now - timedelta(seconds=310), SECRET),
    ):
        with pytest.raises(BadSignature):
            read_webhook(given, raw, at, secret)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"created_at": "x"}', b"\xff"])
def test_a_signed_event_that_makes_no_sense_is_refused(body: bytes) -> None:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-razorpay-signature": digest, "x-razorpay-event-id": "evt_1"}
    with pytest.raises(BadSignature):
        read_webhook(headers, body, clock.now(), SECRET)
