"""Gateways' doors take what is signed, keep it whole, and work it in once."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.payments import webhooks
from backend.payments.gateways.registry import Gateways
from backend.platform import clock
from backend.platform.resources import Resources
from backend.settings import Settings, get_settings

from .test_razorpay import SECRET as RAZORPAY_SECRET
from .test_razorpay import message
from .world import World

SECRET = "whsec_of_the_tests"


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings of other tests, with secrets of gateways."""
    monkeypatch.setenv("WAYPOST_STRIPE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("WAYPOST_RAZORPAY_WEBHOOK_SECRET", RAZORPAY_SECRET)
    get_settings.cache_clear()
    yield get_settings()
    monkeypatch.undo()
    get_settings.cache_clear()


def event(ref: str = "pi_1", event_id: str = "evt_1") -> dict[str, Any]:
    thing = {"id": ref, "object": "payment_intent"}
    return {"id": event_id, "type": "payment_intent.succeeded", "data": {"object": thing}}


def signed(told: dict[str, Any], *, age_s: float = 0, secret: str = SECRET) -> dict[str, Any]:
    """A message of Stripe as arguments of a request."""
    body = json.dumps(told).encode()
    stamp = int(clock.now().timestamp() - age_s)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"content": body, "headers": {"Stripe-Signature": f"t={stamp},v1={digest}"}}


async def kept(resources: Resources) -> list[Any]:
    async with resources.database.unit_of_work() as session:
        rows = await session.execute(
            text("SELECT gateway, event_id, body, state, outcome FROM payments_webhook ORDER BY id")
        )
        return list(rows)


async def test_a_signed_message_is_kept_whole_and_once(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    arguments = signed(event())
    answers = [await client.post("/api/hooks/stripe", **arguments) for _ in range(2)]
    assert [(a.status_code, a.json()["status"]) for a in answers] == [
        (200, "accepted"), (200, "duplicate"),
    ]  # fmt: skip
    [row] = await kept(resources)
    assert (row.gateway, row.event_id, bytes(row.body)) == ("stripe", "evt_1", arguments["content"])


async def test_razorpay_has_a_door_of_its_own(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    headers, body = message()
    for status in ("accepted", "duplicate"):
        answer = await client.post("/api/hooks/razorpay", content=body, headers=headers)
        assert answer.json() == {"status": status}
    [row] = await kept(resources)
    assert (row.gateway, row.event_id) == ("razorpay", "evt_1")


@pytest.mark.parametrize(
    "message_of",
    [
        lambda: signed(event(), secret="whsec_of_somebody_else"),
        lambda: signed(event(), age_s=302),
        lambda: signed(event(), age_s=-310),
        lambda: {"content": json.dumps(event()).encode()},
        lambda: {"content": b"{}", "headers": {"Stripe-Signature": "t=1,v1=00"}},
        lambda: {"content": b"\xff", "headers": {"Stripe-Signature": "nonsense"}},
    ],
)
async def test_an_unsigned_or_stale_message_is_refused_and_leaves_nothing(
    resources: Resources, client: httpx.AsyncClient, problem_of: Any, message_of: Any
) -> None:
    answer = await client.post("/api/hooks/stripe", **message_of())
    assert answer.status_code == 400
    assert problem_of(answer)["type"] == "urn:waypost:problem:bad_signature"
    assert await kept(resources) == []


async def test_a_token_of_an_operator_opens_no_gateways_door(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    from tests.tracking.fleet import somebody

    headers = await somebody(resources, "admin")
    for path in ("stripe", "razorpay"):
        answer = await client.post(f"/api/hooks/{path}", json={}, headers=headers)
        assert answer.status_code == 400


async def test_a_message_about_nothing_of_ours_is_put_aside(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    await client.post("/api/hooks/stripe", **signed(event("pi_of_somebody_else")))
    world = World(resources)
    for _ in range(20):
        await world.hurry()
        await webhooks.work_in(resources.database, Gateways({}))
    [row] = await kept(resources)
    assert (row.state, row.outcome) == ("done", "nothing_of_ours")


async def test_an_unset_secret_refuses_all(
    resources: Resources, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources.settings, "stripe_webhook_secret", None)
    answer = await client.post("/api/hooks/stripe", **signed(event(), secret=""))
    assert answer.status_code == 400
    assert "WAYPOST_STRIPE_WEBHOOK_SECRET" in answer.json()["detail"]
