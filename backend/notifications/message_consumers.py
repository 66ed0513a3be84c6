"""Turns what happens to an order into messages to its customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.identity.schemas import SYSTEM
from backend.notifications import broadcasts, message_repository
from backend.notifications.language import spoken
from backend.notifications.message_rules import Kind, language_of, life_of
from backend.notifications.message_schemas import MessageIn, To
from backend.notifications.messages import put
from backend.notifications.phrases import money_words, reason_words
from backend.notifications.preferences import WRITE
from backend.notifications.readers import Reader, order_reader
from backend.platform import clock
from backend.platform.consumers import Handler, Received
from backend.platform.switches import switched_on
from backend.platform.telemetry import get_logger

GROUP = "messages"
_ENDED_BY_CANCELLING = (Kind.ORDER_RECEIVED, Kind.ON_ITS_WAY, Kind.DELAYED)
_log = get_logger(__name__)
PROACTIVE = "proactive-messages"


async def _tell(
    session: AsyncSession,
    event: Received,
    kind: Kind,
    params: Mapping[str, str] | None = None,
    *,
    to: To = "customer",
    until: datetime | None = None,
) -> None:
    """Queue a message about the event's order, once for the event however often it comes.

    It is worth sending for a while after what it tells of, not after we heard of it.
    """
    reader = await _reader(session, event, to)
    wanted = MessageIn(order_id=UUID(event.data["order_id"]), template=kind, params=params or {})
    await put(
        session,
        SYSTEM,
        wanted,
        reader,
        key=f"event:{event.id}",
        until=until or event.at + life_of(kind),
    )


async def _reader(session: AsyncSession, event: Received, to: To = "customer") -> Reader:
    order = await dispatch.contact_of(session, SYSTEM, UUID(event.data["order_id"]), WRITE)
    return await order_reader(session, order, to)


async def order_received(session: AsyncSession, event: Received) -> None:
    """The customer hears of a new order."""
    await _tell(session, event, Kind.ORDER_RECEIVED)


async def on_its_way(session: AsyncSession, event: Received) -> None:
    """The customer hears that the driver set out to them."""
    await _tell(session, event, Kind.ON_ITS_WAY)


async def code_issued(session: AsyncSession, event: Received) -> None:
    """The first code at the drop comes with the news that the driver is there; others by itself."""
    try:
        code = dispatch.issued_code(event.data)
    except ValueError:
        # The key was changed while the code was on its way; whoever waits has a new one sent.
        _log.warning("code_unreadable", order=event.data["number"])
        return
    until = datetime.fromisoformat(event.data["expires_at"])
    if event.data["step"] == "drop" and event.data["sent"] == 1:
        await _tell(session, event, Kind.ARRIVED, {"code": code}, until=until)
        return
    minutes = max(1, round((until - event.at).total_seconds() / 60))
    to: To = "sender" if event.data["step"] == "pickup" else "customer"
    params = {"code": code, "minutes": str(minutes)}
    await _tell(session, event, Kind.OTP, params, to=to, until=until)


async def delivered(session: AsyncSession, event: Received) -> None:
    """The customer is asked how it was."""
    await _tell(session, event, Kind.DELIVERED)


async def failed(session: AsyncSession, event: Received) -> None:
    """The customer hears that it did not work, and why as far as that is theirs to know."""
    reader = await _reader(session, event)
    words = spoken(await _language(session, reader))
    reason = reason_words(words, event.data.get("reason"))
    await _tell(session, event, Kind.FAILED, {"reason": reason})


async def cancelled(session: AsyncSession, event: Received) -> None:
    """What waits to be told of a cancelled order is not true any more."""
    await message_repository.overtake(
        session,
        UUID(event.data["order_id"]),
        _ENDED_BY_CANCELLING,
        "The order was cancelled.",
        clock.now(),
    )


async def delay_foreseen(session: AsyncSession, event: Received) -> None:
    """The customer hears of a delay before they ask, where such messages are switched on."""
    country = (event.region or "").partition("-")[0]
    if switched_on(PROACTIVE, region=country, country=country):
        await _tell(session, event, Kind.DELAYED)


async def refunded(session: AsyncSession, event: Received) -> None:
    """The customer hears that money is on its way back; a payment without an order has none."""
    if event.data.get("order_id") is None:
        return
    refund = event.data["refund"]
    amount = money_words(refund["minor"], refund["currency"])
    await _tell(session, event, Kind.REFUNDED, {"amount": amount})


async def message_wanted(session: AsyncSession, event: Received) -> None:
    """A broadcast to the customers of an incident begins; the messenger goes through them."""
    await broadcasts.begin(session, event, clock.now())


async def _language(session: AsyncSession, reader: Reader) -> str:
    prefers = await message_repository.preference(session, reader.key, reader.merchant)
    return (prefers.language if prefers else None) or language_of(reader.city)


HANDLERS: Mapping[str, Handler] = {
    "order.created": order_received,
    "order.in_transit": on_its_way,
    "otp.issued": code_issued,
    "order.delivered": delivered,
    "order.failed": failed,
    "order.cancelled": cancelled,
    "order.delay_foreseen": delay_foreseen,
    "refund.succeeded": refunded,
    "customers.message_wanted": message_wanted,
}
