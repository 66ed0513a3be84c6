"""The doors of gateways: a signed message is kept whole and answered at once."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, SecretStr

from backend.payments import webhooks
from backend.payments.gateways import razorpay, stripe
from backend.platform import clock
from backend.platform.http import Res, Uow, client_address
from backend.platform.ratelimit import take

router = APIRouter(prefix="/api/hooks", tags=["gateways"])


class Taken(BaseModel):
    """The message is durable; `duplicate` if it was so before."""

    status: str


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


async def _bounded(request: Request, resources: Res, gateway: str) -> bytes:
    """The raw body, from an address that does not flood the door."""
    key = f"hooks:{gateway}:{client_address(request)}"
    await take(resources.redis, key, rate_per_s=100, burst=1000)
    return await request.body()


@router.post("/stripe")
async def stripe_hook(request: Request, session: Uow, resources: Res) -> Taken:
    """An event of Stripe, signed in `Stripe-Signature`."""
    body = await _bounded(request, resources, "stripe")
    secret = _plain(resources.settings.stripe_webhook_secret)
    notice = stripe.read_webhook(request.headers, body, clock.now(), secret)
    kept = await webhooks.receive(session, "stripe", notice, body)
    return Taken(status="accepted" if kept else "duplicate")


@router.post("/razorpay")
async def razorpay_hook(request: Request, session: Uow, resources: Res) -> Taken:
    """An event of Razorpay, signed in `X-Razorpay-Signature`."""
    body = await _bounded(request, resources, "razorpay")
    secret = _plain(resources.settings.razorpay_webhook_secret)
    notice = razorpay.read_webhook(request.headers, body, clock.now(), secret)
    kept = await webhooks.receive(session, "razorpay", notice, body)
    return Taken(status="accepted" if kept else "duplicate")
