"""What the gateway tells of messages later, in whatever order and however often it tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from backend.notifications import messenger_repository
from backend.notifications.given_up import tell_given_up
from backend.notifications.message_models import MessageRow
from backend.notifications.message_rules import MessageState, after_failure
from backend.notifications.message_schemas import ReceiptIn, ReceiptResult
from backend.platform import clock
from backend.platform.errors import Unauthenticated
from backend.settings import Settings

S = MessageState
Receipt = TypeVar("Receipt", bound=BaseModel)
_MAY_FAIL = frozenset({S.SENT, S.QUEUED})


def verify(settings: Settings, headers: Mapping[str, str], body: bytes) -> None:
    """Accept what the gateway signed within the last minutes; raises Unauthenticated."""
    secret = settings.message_gateway_secret
    if secret is None:
        raise Unauthenticated("No gateway is set up.")
    try:
        Webhook(secret.get_secret_value()).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        raise Unauthenticated("The signature is not the gateway's.") from error


async def apply(session: AsyncSession, receipts: Sequence[dict[str, Any]]) -> list[ReceiptResult]:
    """Work receipts in; each is judged by itself. There is no caller: the signature was checked.

    What was delivered stays so. A failure of a sending that is no longer the last is passed over.
    """
    read = [read_receipt(ReceiptIn, each) for each in receipts]
    ids = {each.id for each in read if isinstance(each, ReceiptIn)}
    rows = await messenger_repository.locked(session, sorted(ids))
    results = []
    for index, receipt in enumerate(read):
        if isinstance(receipt, str):
            results.append(rejected(index, "invalid", receipt))
        elif receipt.id not in rows:
            results.append(rejected(index, "unknown", "There is no such message."))
        else:
            new = await _work_in(session, rows[receipt.id], receipt)
            results.append(ReceiptResult(index=index, status="accepted" if new else "duplicate"))
    return results


def read_receipt(kind: type[Receipt], raw: dict[str, Any]) -> Receipt | str:
    """The receipt, or what is wrong with it."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        fault = error.errors()[0]
        return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"


def rejected(index: int, code: str, detail: str) -> ReceiptResult:
    """The result of a receipt that cannot be worked in."""
    return ReceiptResult(index=index, status="rejected", code=code, detail=detail)


async def _work_in(session: AsyncSession, row: MessageRow, receipt: ReceiptIn) -> bool:
    """Whether the receipt said anything new."""
    now = clock.now()
    at = min(receipt.at, now) if receipt.at else now
    if receipt.state == "delivered":
        return delivered(row, at)
    in_flight = row.claim is not None
    if receipt.state == "sent":
        return in_flight and _sent(row, receipt, at)
    current = row.attempts + in_flight
    stale = receipt.attempt is not None and receipt.attempt != current
    if row.state not in _MAY_FAIL or stale or not (in_flight or row.state == S.SENT):
        return False
    await _failed(session, row, receipt, at)
    return True


def delivered(
    row: MessageRow, at: datetime, *, channel: str | None = None, via: str | None = None
) -> bool:
    """Write down that it is there, whatever was thought of it before; whether that is news.

    It came by `channel`, as `via` tells, where that is not the last that was tried.
    """
    if row.state == S.DELIVERED:
        return False
    row.channel = channel or row.channel
    _note(row, at, "delivered", None, via)
    row.attempts += row.claim is not None
    row.state, row.why = S.DELIVERED, None
    row.delivered_at = at
    row.sent_at = row.sent_at or at
    row.claim, row.claimed_until = None, None
    return True


def _sent(row: MessageRow, receipt: ReceiptIn, at: datetime) -> bool:
    """The gateway has it, and whoever sends it has not written that down yet."""
    if receipt.attempt is not None and receipt.attempt != row.attempts + 1:
        return False
    _note(row, at, "sent", None)
    row.attempts, row.tried_here = row.attempts + 1, row.tried_here + 1
    row.state, row.sent_at, row.why = S.SENT, at, None
    row.claim, row.claimed_until = None, None
    return True


async def _failed(session: AsyncSession, row: MessageRow, receipt: ReceiptIn, at: datetime) -> None:
    assert row.channel is not None
    why = receipt.why or "The gateway could not deliver it."
    _note(row, at, "refused", why)
    row.attempts += row.claim is not None
    then = after_failure(row.ways, row.channel, row.tried_here, final=True, chance=0.5)
    row.claim, row.claimed_until = None, None
    row.state, row.channel, row.tried_here = then.state, then.channel, then.tried_here
    row.next_at, row.why = clock.now(), why
    if then.state == S.GIVEN_UP:
        await tell_given_up(session, row, why)


def _note(
    row: MessageRow, at: datetime, outcome: str, why: str | None, via: str | None = None
) -> None:
    one = {
        "at": at.isoformat(),
        "channel": row.channel,
        "via": via or row.via or "gateway",
        "outcome": outcome,
        "why": why,
        "repeat": False,
    }
    # A new list: a change inside the one that is there would not be written down.
    row.tried = [*row.tried, one]
