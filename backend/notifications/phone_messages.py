"""What a driver's app reads of the pushes to it, and what it says has arrived."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.notifications import phone_repository
from backend.notifications.message_models import MessageRow
from backend.notifications.message_rules import Channel
from backend.notifications.message_schemas import (
    PushList,
    PushOut,
    PushReceiptIn,
    ReceiptResult,
)
from backend.notifications.receipts import delivered, read_receipt, rejected
from backend.notifications.sealed import Unreadable, opened
from backend.platform import clock
from backend.platform.errors import NotFound
from backend.platform.resources import current

PERMISSION = "tasks:write"
MOST_SHOWN = 50
_BY = "app"


async def pushes_to_phone(session: AsyncSession, principal: Principal) -> PushList:
    """The calling driver's pushes that their app has not acknowledged, oldest first.

    The newest 50, so long as they are worth reading. An app that was out of reach finds here what
    no push brought.
    """
    driver_id = _driver(principal)
    found = await phone_repository.unacknowledged(session, driver_id, clock.now(), MOST_SHOWN)
    pushes = []
    for row in reversed(found):
        with suppress(Unreadable):
            words = opened(current().settings, row.sealed)
            pushes.append(
                PushOut(
                    id=row.id,
                    kind=row.template,
                    order=row.order_number,
                    subject=words.subject,
                    text=words.text,
                    language=row.language,
                    sent_at=row.sent_at or row.queued_at,
                )
            )
    return PushList(items=pushes)


async def acknowledge_pushes(
    session: AsyncSession, principal: Principal, receipts: list[dict[str, Any]]
) -> list[ReceiptResult]:
    """Write down what has arrived on the calling driver's phone; each is judged by itself.

    It may be told late, in any order and more than once, and also of a push that was thought to
    have failed. What was never pushed to this phone is unknown.
    """
    driver_id = _driver(principal)
    read = [read_receipt(PushReceiptIn, each) for each in receipts]
    ids = {each.id for each in read if isinstance(each, PushReceiptIn)}
    rows = await phone_repository.locked(session, driver_id, sorted(ids))
    results = []
    for index, receipt in enumerate(read):
        if isinstance(receipt, str):
            results.append(rejected(index, "invalid", receipt))
        elif (row := rows.get(receipt.id)) is None or not _was_pushed(row):
            results.append(rejected(index, "unknown", "There is no such message."))
        else:
            new = _arrived(row, receipt)
            results.append(ReceiptResult(index=index, status="accepted" if new else "duplicate"))
    return results


def _driver(principal: Principal) -> UUID:
    """The driver whose phone calls; raises NotFound for anybody else."""
    identity.authorize(principal, PERMISSION)
    if principal.driver_id is None:
        raise NotFound("Only a driver's phone gets pushes.")
    return principal.driver_id


def _was_pushed(row: MessageRow) -> bool:
    """Whether it went to the phone at least once, or is on its way there."""
    on_its_way = row.channel == Channel.PUSH and row.claim is not None
    return on_its_way or any(each["channel"] == Channel.PUSH for each in row.tried)


def _arrived(row: MessageRow, receipt: PushReceiptIn) -> bool:
    """Whether that is news; a phone's clock may be wrong, so that it is kept within what can be."""
    now = clock.now()
    at = max(min(receipt.at or now, now), row.queued_at)
    # It came by push, whatever channel has been turned to since.
    return delivered(row, at, channel=Channel.PUSH, via=_BY)
