"""Recipients of the demo: they read the codes sent to them, so that the demo's drivers can ask."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.doorstep_rules import OTP_LIFE, Step
from backend.dispatch.orders import order_row
from backend.dispatch.otp import PURPOSE
from backend.identity.schemas import Principal
from backend.platform.consumers import Consumer, Handler, Received
from backend.platform.errors import NotFound
from backend.platform.resources import Resources, current
from backend.platform.sealing import unseal

GROUP = "demo-recipients"


class NoCode(NotFound):
    """No code has reached the recipient, or this is not the demo."""

    title = "No code has come"


async def _receive(_: AsyncSession, event: Received) -> None:
    key = _key(event.data["number"], event.data["step"])
    await current().redis.set(key, event.data["sealed_code"], ex=OTP_LIFE)


HANDLERS: Mapping[str, Handler] = {"otp.issued": _receive}


async def receive_codes(resources: Resources, stop: asyncio.Event) -> None:
    """Deliver codes to the demo's recipients until `stop`; outside the demo nobody receives any."""
    if resources.settings.demo:
        await Consumer(resources, GROUP, HANDLERS).run(stop)
    else:
        await stop.wait()


async def received_codes(
    session: AsyncSession, principal: Principal, number: str
) -> dict[str, str]:
    """The codes that the recipient of an order has, by step; raises NoCode outside the demo."""
    resources = current()
    if not resources.settings.demo:
        raise NoCode
    order = await order_row(session, principal, number)
    sealed = await resources.redis.mget([_key(order.number, step) for step in Step])
    codes = {
        step.value: unseal(resources.settings, PURPOSE, code.decode())
        for step, code in zip(Step, sealed, strict=True)
        if code is not None
    }
    if not codes:
        raise NoCode
    return codes


def _key(number: str, step: str) -> str:
    return f"demo:otp:{number}:{step}"
