"""Puts messages into the outbox: whom, in which language, on which channels, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.identity import service as identity
from backend.identity.schemas import Principal
from backend.notifications import message_repository
from backend.notifications.channels.registry import open_channels
from backend.notifications.language import spoken
from backend.notifications.message_models import MessageRow, PreferenceRow
from backend.notifications.message_rules import (
    CHANNEL_WORDS,
    MUTABLE,
    OVERTAKEN,
    OVERTAKES,
    URGENT,
    Channel,
    Kind,
    MessageState,
    language_of,
    life_of,
    send_after,
    ways,
)
from backend.notifications.message_schemas import MessageIn, MessageOut
from backend.notifications.message_views import message_out
from backend.notifications.phrases import driver_words, time_words
from backend.notifications.preferences import WRITE, addresses_of, quiet_of
from backend.notifications.readers import Reader, reader_of
from backend.notifications.sealed import Content, closed
from backend.notifications.wording import Written, fill, needed
from backend.platform import clock
from backend.platform.errors import FieldError, Invalid
from backend.platform.ids import uuid7
from backend.platform.resources import current


async def queue_message(
    session: AsyncSession, principal: Principal, wanted: MessageIn
) -> MessageOut:
    """Put a message into the outbox; one with the same `dedup_key` for the same reader answers the
    first. Needs `messages:write` where the order or driver is.

    Raises NoSuchOrder or NoSuchDriver, and Invalid for what the template lacks.
    """
    reader = await reader_of(session, principal, wanted, WRITE)
    row, new = await put(session, principal, wanted, reader)
    if new and principal.kind != "system":
        await identity.record(
            session,
            principal,
            "message.queued",
            f"message:{row.id}",
            region=row.region,
            after={"number": row.order_number, "to": row.reader, "template": row.template},
            reason=wanted.reason,
        )
    return message_out(row)


async def put(
    session: AsyncSession,
    principal: Principal,
    wanted: MessageIn,
    reader: Reader,
    *,
    key: str | None = None,
    until: datetime | None = None,
) -> tuple[MessageRow, bool]:
    """The message for a reader who was found already, and whether it is new.

    `key` is what it is one of everywhere, instead of a `dedup_key` for its reader; `until` is when
    it stops being worth sending.
    """
    if key is None and wanted.dedup_key is not None:
        key = f"{_about(wanted, reader)}:{wanted.dedup_key}"
    if key and (first := await message_repository.by_dedup_key(session, key)):
        return first, False
    prefers = await message_repository.preference(session, reader.key, reader.merchant)
    kind = wanted.template or Kind.NOTE
    language = (prefers.language if prefers else None) or language_of(reader.city)
    written = _written(wanted, reader, language)
    row = MessageRow(
        id=uuid7(),
        region=reader.place,
        order_id=reader.order.order_id if reader.order else None,
        order_number=reader.order.number if reader.order else None,
        driver_id=reader.driver_id,
        reader=reader.to,
        recipient=reader.key,
        shown=reader.shown,
        template=kind,
        language=language,
        dedup_key=key,
        escalation_id=wanted.escalation_id,
        incident_id=wanted.incident_id,
        by=principal.id,
        by_name=principal.name,
        attempts=0,
        tried_here=0,
        tried=[],
        **_destined(wanted, reader, prefers, written),
        **_timed(wanted, kind, reader, prefers, until),
    )
    _judge(row, wanted, prefers)
    if reader.order is not None and kind in OVERTAKES:
        older = [each.value for each in OVERTAKES[kind]]
        await message_repository.overtake(
            session, reader.order.order_id, older, OVERTAKEN, row.queued_at
        )
    if not await message_repository.add(session, row):
        assert key is not None
        first = await message_repository.by_dedup_key(session, key)
        assert first is not None
        return first, False
    return row, True


def _about(wanted: MessageIn, reader: Reader) -> str:
    """What a `dedup_key` is one of: an order and its reader, or a driver."""
    return f"{reader.order.order_id if reader.order else reader.driver_id}:{wanted.to}"


def _written(wanted: MessageIn, reader: Reader, language: str) -> Written:
    if wanted.template is None:
        assert wanted.text is not None
        return Written("Waypost", wanted.text, {})
    known = _known(reader, language)
    given = {**known, **wanted.params}
    if unknown := [name for name in wanted.params if name not in needed(wanted.template)]:
        detail = f"This message has no place for {unknown[0]}."
        raise Invalid(errors=[FieldError(f"/params/{unknown[0]}", "unknown", detail)])
    return fill(wanted.template, language, given)


def _known(reader: Reader, language: str) -> Mapping[str, str]:
    """What the order tells by itself."""
    order = reader.order
    if order is None:
        return {}
    words, now = spoken(language), clock.now()
    return {
        "number": order.number,
        "link": order.tracking_url,
        "driver": driver_words(words, order.driver),
        "by": time_words(words, order.promised_at, now, reader.zone),
        "eta": time_words(words, order.eta_at or order.promised_at, now, reader.zone),
    }


def _destined(
    wanted: MessageIn, reader: Reader, prefers: PreferenceRow | None, written: Written
) -> dict[str, Any]:
    """The channels to try, and what is sealed: where each leads, and the words."""
    settings = current().settings
    addresses = {**reader.addresses, **addresses_of(prefers)}
    reachable = addresses.keys() & open_channels(settings)
    wished = [wanted.channel.value] if wanted.channel else (prefers.channels if prefers else [])
    tried = ways(wished, settings.message_channels, reachable)
    if not tried and not wanted.channel:
        tried = ways((), settings.message_channels, reachable)
    leading = {way: addresses[Channel(way)] for way in tried}
    return {
        "ways": list(tried),
        "channel": tried[0] if tried else None,
        "sealed": closed(settings, Content(leading, written.subject, written.text, written.params)),
    }


def _timed(
    wanted: MessageIn,
    kind: Kind,
    reader: Reader,
    prefers: PreferenceRow | None,
    until: datetime | None,
) -> dict[str, Any]:
    now = clock.now()
    urgent = wanted.urgent or kind in URGENT
    after = now if urgent else send_after(now, quiet_of(prefers), reader.zone)
    return {
        "urgent": urgent,
        "queued_at": now,
        "send_after": after,
        "next_at": after,
        "expires_at": until or now + life_of(kind),
        "state": MessageState.WAITING if after > now else MessageState.QUEUED,
        "why": "It waits until quiet hours are over." if after > now else None,
    }


def _judge(row: MessageRow, wanted: MessageIn, prefers: PreferenceRow | None) -> None:
    """Suppress what its reader does without, what reaches nobody, and what would come too late."""
    why = None
    if prefers is not None and row.template in MUTABLE and row.template in prefers.muted:
        why = "Its reader does without such messages."
    elif not row.ways:
        by = f"by {CHANNEL_WORDS[wanted.channel]}" if wanted.channel else "on any channel"
        why = f"Its reader cannot be reached {by}."
    elif row.send_after >= row.expires_at:
        why = "It would come too late to be of use."
    if why is not None:
        row.state, row.why = MessageState.SUPPRESSED, why
