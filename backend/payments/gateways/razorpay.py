"""Razorpay over HTTP: an order that the customer pays by UPI or card, captured later.

Orders, payments and refunds as https://razorpay.com/docs/api describes them. Razorpay has no way
to release an authorised payment: what is not captured goes back to the customer by itself.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from backend.payments.gateways.protocol import (
    TOLERANCE,
    BadSignature,
    Call,
    Notice,
    RefundReport,
    Refused,
    Report,
    Unknown,
    Unreachable,
)
from backend.payments.rules import State

_TIMEOUT_S = 20.0
# Razorpay sends an event again for a day, with the signature it had: its age says less than its id.
_SENT_AGAIN_FOR = timedelta(hours=24)

_STATES = {
    "created": State.REQUIRES_ACTION,
    "authorized": State.AUTHORISED,
    "captured": State.CAPTURED,
    "refunded": State.CAPTURED,
    "failed": State.FAILED,
}
_FARTHEST = [State.FAILED, State.REQUIRES_ACTION, State.AUTHORISED, State.CAPTURED]
_REFUNDS = {"processed": "succeeded", "failed": "failed"}


class Razorpay:
    """Orders with payments under them; our reference is Razorpay's order id."""

    name = "razorpay"

    def __init__(
        self,
        key_id: str,
        key_secret: str,
        url: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, auth=(key_id, key_secret), timeout=_TIMEOUT_S, transport=transport
        )

    async def authorise(self, call: Call) -> Report:
        """An order for the customer to pay in the app's checkout."""
        order = await self._ask(
            "POST",
            "/v1/orders",
            {
                "amount": call.amount,
                "currency": call.currency,
                "receipt": str(call.key),
                "notes": {"payment": str(call.payment_id), "order": call.order_number or ""},
            },
        )
        return Report(order["id"], State.REQUIRES_ACTION, next_action=f"checkout {order['id']}")

    async def capture(self, call: Call) -> Report:
        """Take the whole amount: Razorpay captures no part."""
        payment = await self._payment(call.ref)
        if call.amount != payment["amount"]:
            raise Refused("partial_capture", "Razorpay captures the whole amount or nothing.")
        taken = await self._ask(
            "POST",
            f"/v1/payments/{payment['id']}/capture",
            {"amount": call.amount, "currency": call.currency},
        )
        return _report(call.ref or "", taken)

    async def cancel(self, call: Call) -> Report:
        """Nothing is asked: an order that nobody captures is given back by Razorpay itself."""
        report = await self.inquire(call.ref or "")
        if report.state is State.CAPTURED:
            raise Refused("already_captured", "What was captured can only be refunded.")
        return replace(
            report, state=State.CANCELLED, message="Razorpay gives back what is not captured."
        )

    async def refund(self, call: Call) -> RefundReport:
        """A refund of the order's captured payment, once under the call's key."""
        payment = await self._payment(call.ref)
        made = await self._ask(
            "POST",
            f"/v1/payments/{payment['id']}/refund",
            {"amount": call.amount, "receipt": str(call.key)},
            {"X-Refund-Idempotency": str(call.key)},
        )
        return _refund(made)

    async def inquire(self, ref: str) -> Report:
        """The farthest of the payments that were tried for the order."""
        tried = (await self._ask("GET", f"/v1/orders/{ref}/payments"))["items"]
        if not tried:
            return Report(ref, State.REQUIRES_ACTION, next_action=f"checkout {ref}")
        return _report(ref, _farthest(tried))

    async def find(self, call: Call) -> Report | None:
        """The order whose receipt is the call's key."""
        found = (await self._ask("GET", f"/v1/orders?receipt={call.key}"))["items"]
        return await self.inquire(found[0]["id"]) if found else None

    async def find_refund(self, call: Call) -> RefundReport | None:
        """The refund whose receipt is the call's key."""
        payment = await self._payment(call.ref)
        made = (await self._ask("GET", f"/v1/payments/{payment['id']}/refunds?count=100"))["items"]
        return next((_refund(one) for one in made if one.get("receipt") == str(call.key)), None)

    async def _payment(self, ref: str | None) -> dict[str, Any]:
        tried = (await self._ask("GET", f"/v1/orders/{ref}/payments"))["items"]
        if not tried:
            raise Refused("not_paid", "Nobody has paid this order at Razorpay.")
        return _farthest(tried)

    async def _ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, path, json=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(f"Razorpay cannot be reached: {error}") from error
        except httpx.TransportError as error:
            raise Unknown(f"Razorpay did not answer: {error!r}") from error
        if answer.status_code in (401, 429):
            raise Unreachable(f"Razorpay answered {answer.status_code}")
        if answer.status_code == 409 or answer.status_code >= 500:
            raise Unknown(f"Razorpay answered {answer.status_code}")
        try:
            values: dict[str, Any] = orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            raise Unknown("Razorpay's answer could not be read") from error
        if answer.is_error:
            fault = values.get("error") or {}
            code = str(fault.get("reason") or fault.get("code") or answer.status_code).lower()
            raise Refused(code, str(fault.get("description") or "Razorpay said no."))
        return values


def _farthest(tried: list[dict[str, Any]]) -> dict[str, Any]:
    return max(tried, key=lambda payment: _FARTHEST.index(_STATES[payment["status"]]))


def _report(ref: str, payment: dict[str, Any]) -> Report:
    state = _STATES[payment["status"]]
    failed = state is State.FAILED
    reason = payment.get("error_reason") or payment.get("error_code")
    return Report(
        ref=ref,
        state=state,
        authorised=payment["amount"] if state in (State.AUTHORISED, State.CAPTURED) else 0,
        captured=payment["amount"] if state is State.CAPTURED else 0,
        code=str(reason or "declined").lower() if failed else None,
        message=payment.get("error_description") if failed else None,
    )


def _refund(made: dict[str, Any]) -> RefundReport:
    return RefundReport(made["id"], _REFUNDS.get(made["status"], "pending"), made["amount"])


def read_webhook(
    headers: Mapping[str, str], body: bytes, now: datetime, secret: str | None
) -> Notice:
    """What a signed event is about; raises BadSignature for one unsigned, stale or of the future.

    The signature is the HMAC-SHA256 of the raw body in hexadecimal digits. The only time in it is
    the event's own, which a delivery of a day later still carries.
    """
    if not secret:
        raise BadSignature("WAYPOST_RAZORPAY_WEBHOOK_SECRET is not set.")
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = headers.get("x-razorpay-signature", "")
    event_id = headers.get("x-razorpay-event-id", "")
    if not hmac.compare_digest(wanted.encode(), given.encode()) or not event_id:
        raise BadSignature
    try:
        event = orjson.loads(body)
        made = float(event["created_at"])
        kind, payload = str(event["event"]), event["payload"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadSignature("The message could not be read.") from error
    age = now.timestamp() - made
    tolerance = TOLERANCE.total_seconds()
    if age > _SENT_AGAIN_FOR.total_seconds() + tolerance or age < -tolerance:
        raise BadSignature("The message is too old or from the future.")
    payment = (payload.get("payment") or {}).get("entity") or {}
    order = (payload.get("order") or {}).get("entity") or {}
    return Notice(event_id, kind, payment.get("order_id") or order.get("id"))
