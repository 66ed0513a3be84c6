"""One-time codes for pickup and drop: minted, sent again, compared under a count of attempts."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import proof_repository
from backend.dispatch.doorstep_models import OtpRow
from backend.dispatch.doorstep_rules import (
    CODE_TROUBLE,
    OTP_ATTEMPTS,
    OTP_LIFE,
    OTP_OFFLINE_GRACE,
    CodeVerdict,
    Step,
    resend_wait,
)
from backend.dispatch.doorstep_schemas import CodeAnswer, CodeOut
from backend.dispatch.errors import WrongState
from backend.dispatch.lifecycle import order_to_change, place_of
from backend.dispatch.models import OrderRow
from backend.dispatch.rules import OrderState
from backend.dispatch.tasks import code_out, order_of_driver
from backend.identity.schemas import Principal
from backend.platform import clock, indicators
from backend.platform.errors import RateLimited
from backend.platform.outbox import Event, emit
from backend.platform.resources import current
from backend.platform.sealing import key_for, seal, unseal

PURPOSE = "one-time codes"
"""What the key of codes on their way to the recipient is for."""
_PEPPER = "one-time code pepper"
_WHERE = {Step.DROP: OrderState.ARRIVED, Step.PICKUP: OrderState.AT_PICKUP}


class CodeTooSoon(RateLimited):
    """The code before was sent only just."""

    code = "otp_too_soon"
    title = "A code was sent a moment ago"


async def mint_otp(
    session: AsyncSession, principal: Principal, order: OrderRow, step: Step
) -> None:
    """Make a code for a step of a locked order and have it sent.

    The plain code leaves sealed, in the event `otp.issued`; what is kept is a digest keyed with a
    pepper that the database does not hold. Attempts already used on the step stay used.
    """
    settings = current().settings
    before = await proof_repository.code_of(session, order.id, step)
    sent = 1 if before is None else before.sent + 1
    code = f"{secrets.randbelow(10**6):06d}"
    now = clock.now()
    await proof_repository.put_code(
        session,
        OtpRow(
            order_id=order.id,
            step=step,
            digest=_digest(order.id, step, code),
            minted_at=now,
            expires_at=now + OTP_LIFE,
            attempts=0,
            sent=sent,
            resend_from=now + resend_wait(sent),
        ),
    )
    data = {
        "order_id": str(order.id),
        "number": order.number,
        "merchant": order.merchant,
        "step": step.value,
        "sealed_code": seal(settings, PURPOSE, code),
        "sent": sent,
        "expires_at": (now + OTP_LIFE).isoformat(),
    }
    await emit(session, Event("otp.issued", str(order.id), principal.id, data, place_of(order)))


def issued_code(event: Mapping[str, Any]) -> str:
    """The plain code of an `otp.issued` event's data, for whoever sends it to its reader."""
    return unseal(current().settings, PURPOSE, event["sealed_code"])


async def resend_otp(
    session: AsyncSession, principal: Principal, order_id: UUID, step: Step
) -> CodeOut:
    """Have a new code sent; the attempts used so far stay used.

    For the driver whose order it is, or with `orders:write` where it is delivered. Raises
    CodeTooSoon with the wait, which doubles each time, and WrongState away from the step.
    """
    if principal.driver_id is not None:
        order = await order_of_driver(session, principal, order_id)
    else:
        order = await order_to_change(session, principal, "orders:write", order_id)
    if order.state != _WHERE.get(step):
        raise WrongState(f"{order.number} is {order.state.replace('_', ' ')}: no code is due now.")
    row = await proof_repository.code_of(session, order.id, step)
    wait = (row.resend_from - clock.now()).total_seconds() if row else 0.0
    if wait > 0:
        raise CodeTooSoon(retry_after_s=wait)
    await mint_otp(session, principal, order, step)
    row = await proof_repository.code_of(session, order.id, step)
    assert row is not None
    return code_out(row)


async def verify_otp(
    session: AsyncSession, principal: Principal, order_id: UUID, step: Step, code: str
) -> CodeAnswer:
    """Whether the code that the driver was told is right; a wrong one is an answer, not an error.

    Raises NoSuchOrder for an order that is not the driver's.
    """
    order = await order_of_driver(session, principal, order_id)
    verdict = await check_code(session, order, step, code)
    row = await proof_repository.code_of(session, order.id, step)
    return CodeAnswer(
        verified=verdict is CodeVerdict.VERIFIED,
        code=None if verdict is CodeVerdict.VERIFIED else verdict,
        detail=CODE_TROUBLE.get(verdict),
        attempts_left=OTP_ATTEMPTS - row.attempts if row else 0,
    )


async def check_code(
    session: AsyncSession,
    order: OrderRow,
    step: Step,
    code: str,
    entered_at: datetime | None = None,
) -> CodeVerdict:
    """What becomes of a guess; the attempt is taken before anything is compared.

    `entered_at` is when a phone without network took the code: its time counts, for a day.
    """
    verdict = await _checked(session, order.id, step, code, entered_at)
    indicators.count("otp", order.region, good=int(verdict is CodeVerdict.VERIFIED))
    return verdict


async def _checked(
    session: AsyncSession, order_id: UUID, step: Step, code: str, entered_at: datetime | None
) -> CodeVerdict:
    now = clock.now()
    alive_at = max(entered_at or now, now - OTP_OFFLINE_GRACE)
    digest = await proof_repository.use_attempt(
        session, order_id, step, most=OTP_ATTEMPTS, alive_at=alive_at
    )
    if digest is None:
        return await _why_not(session, order_id, step)
    if not hmac.compare_digest(digest, _digest(order_id, step, code)):
        return CodeVerdict.WRONG
    await proof_repository.mark_verified(session, order_id, step, now)
    return CodeVerdict.VERIFIED


async def _why_not(session: AsyncSession, order_id: UUID, step: Step) -> CodeVerdict:
    row = await proof_repository.code_of(session, order_id, step)
    if row is None:
        return CodeVerdict.NOT_SENT
    if row.verified_at is not None:
        return CodeVerdict.VERIFIED
    return CodeVerdict.SPENT if row.attempts >= OTP_ATTEMPTS else CodeVerdict.EXPIRED


def _digest(order_id: UUID, step: str, code: str) -> bytes:
    pepper = key_for(current().settings, _PEPPER)
    return hmac.digest(pepper, f"{order_id}:{step}:{code}".encode(), "sha256")
