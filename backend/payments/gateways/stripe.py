"""Stripe through its official library: card payments held first and captured later."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import orjson
import stripe

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
_PAGE = 100
_MOST_LOOKED_AT = 1_000
# Their clock and ours may differ by so much.
_CLOCKS_APART = timedelta(minutes=2)

_STATES = {
    "requires_payment_method": State.REQUIRES_METHOD,
    "requires_confirmation": State.PROCESSING,
    "requires_action": State.REQUIRES_ACTION,
    "processing": State.PROCESSING,
    "requires_capture": State.AUTHORISED,
    "succeeded": State.CAPTURED,
    "canceled": State.CANCELLED,
}
_REFUNDS = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}

Answer = TypeVar("Answer")


class Stripe:
    """PaymentIntents, confirmed at once and captured by hand."""

    name = "stripe"

    def __init__(self, api_key: str, url: str) -> None:
        self._http = stripe.AIOHTTPClient(timeout=_TIMEOUT_S)
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": url},
            http_client=self._http,
            # Trying again is ours to decide: the library would do it in the dark.
            max_network_retries=0,
        )

    async def authorise(self, call: Call) -> Report:
        """A PaymentIntent over the amount; a declined card is a report of its own."""
        params: Any = {
            "amount": call.amount,
            "currency": call.currency.lower(),
            "payment_method": call.method,
            "payment_method_types": ["card"],
            "capture_method": "manual",
            "confirm": True,
            "metadata": _marks(call),
        }
        try:
            made = await self._client.v1.payment_intents.create_async(params, _once(call))
        except stripe.CardError as error:
            return _declined(error)
        except stripe.StripeError as error:
            raise _translated(error) from error
        return _report(made)

    async def capture(self, call: Call) -> Report:
        """Take the amount; Stripe releases the rest by itself."""
        taken = await _asked(
            self._client.v1.payment_intents.capture_async(
                call.ref or "", {"amount_to_capture": call.amount}, _once(call)
            )
        )
        return _report(taken, captured=call.amount)

    async def cancel(self, call: Call) -> Report:
        """Cancel the PaymentIntent, which lets go of what it had authorised."""
        return _report(
            await _asked(
                self._client.v1.payment_intents.cancel_async(call.ref or "", {}, _once(call))
            )
        )

    async def refund(self, call: Call) -> RefundReport:
        """A refund of the PaymentIntent's charge."""
        params: Any = {
            "payment_intent": call.ref,
            "amount": call.amount,
            "metadata": _marks(call),
        }
        return _refund(await _asked(self._client.v1.refunds.create_async(params, _once(call))))

    async def inquire(self, ref: str) -> Report:
        """The PaymentIntent now."""
        return _report(await _asked(self._client.v1.payment_intents.retrieve_async(ref)))

    async def find(self, call: Call) -> Report | None:
        """The PaymentIntent that carries the call's key, among those made since it was asked."""
        oldest = (call.asked_at - _CLOCKS_APART).timestamp()
        after: str | None = None
        for _ in range(_MOST_LOOKED_AT // _PAGE):
            params: Any = {"limit": _PAGE, **({"starting_after": after} if after else {})}
            page = await _asked(self._client.v1.payment_intents.list_async(params))
            for intent in page.data:
                if _carries(intent, call):
                    return _report(intent)
            if not page.has_more or page.data[-1].created < oldest:
                return None
            after = page.data[-1].id
        raise Unknown("Stripe lists too many payments to tell")

    async def find_refund(self, call: Call) -> RefundReport | None:
        """The refund of the payment that carries the call's key."""
        params: Any = {"payment_intent": call.ref, "limit": _PAGE}
        page = await _asked(self._client.v1.refunds.list_async(params))
        return next((_refund(made) for made in page.data if _carries(made, call)), None)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]


def _marks(call: Call) -> dict[str, str]:
    return {
        "operation": str(call.key),
        "payment": str(call.payment_id),
        "order": call.order_number or "",
    }


def _carries(made: Any, call: Call) -> bool:
    return bool(made.metadata and made.metadata.to_dict().get("operation") == str(call.key))


def _once(call: Call) -> Any:
    return {"idempotency_key": str(call.key)}


async def _asked(question: Awaitable[Answer]) -> Answer:
    try:
        return await question
    except stripe.StripeError as error:
        raise _translated(error) from error


def _translated(error: stripe.StripeError) -> Exception:
    """What a fault of the library means: a no, surely not done, or nobody knows."""
    words = str(error.user_message or error)
    if isinstance(error, stripe.RateLimitError | stripe.AuthenticationError):
        return Unreachable(words)
    if isinstance(error, stripe.APIConnectionError) or (error.http_status or 500) >= 500:
        return Unknown(words)
    return Refused(error.code or "refused", words)


def _declined(error: stripe.CardError) -> Report:
    intent = (error.error.to_dict() if error.error else {}).get("payment_intent") or {}
    ref = intent.get("id")
    code, words = error.code or "card_declined", str(error.user_message or error)
    if ref is None:
        raise Refused(code, words) from error
    return Report(ref=ref, state=State.FAILED, code=code, message=words)


def _report(intent: Any, *, captured: int | None = None) -> Report:
    values: dict[str, Any] = intent.to_dict()
    state = _STATES[values["status"]]
    fault = values.get("last_payment_error") or {}
    if state is State.REQUIRES_METHOD and fault:
        state = State.FAILED
    taken = values.get("amount_received")
    if taken is None:
        taken = captured if captured is not None else values["amount"]
    action = values.get("next_action") or {}
    return Report(
        ref=values["id"],
        state=state,
        authorised=values["amount"] if state in (State.AUTHORISED, State.CAPTURED) else 0,
        captured=taken if state is State.CAPTURED else 0,
        code=fault.get("decline_code") or fault.get("code") if state is State.FAILED else None,
        message=fault.get("message") if state is State.FAILED else None,
        next_action=(action.get("redirect_to_url") or {}).get("url") or action.get("type"),
    )


def _refund(made: Any) -> RefundReport:
    values: dict[str, Any] = made.to_dict()
    return RefundReport(
        ref=values["id"],
        state=_REFUNDS.get(values["status"], "pending"),
        amount=values["amount"],
        code=values.get("failure_reason"),
    )


def read_webhook(
    headers: Mapping[str, str], body: bytes, now: datetime, secret: str | None
) -> Notice:
    """What a signed event is about; raises BadSignature for one unsigned or older than 300 s."""
    if not secret:
        raise BadSignature("WAYPOST_STRIPE_WEBHOOK_SECRET is not set.")
    header = headers.get("stripe-signature", "")
    try:
        text = body.decode()
        stripe.WebhookSignature.verify_header(text, header, secret, None)
        event = orjson.loads(text)
        [stamp] = [int(part[2:]) for part in header.split(",") if part.startswith("t=")]
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise BadSignature from error
    if abs(now.timestamp() - stamp) > TOLERANCE.total_seconds():
        raise BadSignature("The signature is older than 300 seconds.")
    thing = event["data"]["object"]
    about = {"payment_intent": thing.get("id")}.get(thing.get("object"))
    return Notice(event["id"], event["type"], about or thing.get("payment_intent"))
