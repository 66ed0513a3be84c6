"""Reads what a phone sent, event by event, so that one wrong event never costs another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError

from backend.dispatch.doorstep_models import DeviceEventRow
from backend.dispatch.doorstep_schemas import (
    MOST_EVENT_BYTES,
    PAYLOADS,
    WITHOUT_ORDER,
    DeviceEvent,
    Envelope,
)
from backend.dispatch.order_steps import Told

_INVALID = "invalid"
_LAST = 2**60


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as it came in.

    Without an envelope it cannot be remembered; without an event it is remembered as refused, for
    `code` and `detail`.
    """

    envelope: Envelope | None
    event: DeviceEvent | None
    body: dict[str, Any]
    fingerprint: bytes
    named: str | None = None
    code: str | None = None
    detail: str | None = None

    @property
    def event_id(self) -> UUID:
        """The id; only where there is an envelope."""
        assert self.envelope is not None
        return self.envelope.event_id

    @property
    def device_seq(self) -> int:
        """The number; only where there is an envelope."""
        assert self.envelope is not None
        return self.envelope.device_seq

    @property
    def order(self) -> int:
        """By what events are sorted: their number, those without one last."""
        return self.envelope.device_seq if self.envelope else _LAST


def read_event(raw: Any) -> Heard:
    """What one event says, or what is wrong with it."""
    try:
        envelope = Envelope.model_validate(raw)
        text = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    except (ValidationError, TypeError) as error:
        named = raw.get("event_id") if isinstance(raw, dict) else None
        said = named if isinstance(named, str) and named.isascii() else None
        return Heard(None, None, {}, b"", said and said[:64], _INVALID, _first_fault(error))
    fingerprint = hashlib.sha256(text).digest()
    if len(text) > MOST_EVENT_BYTES:
        what = f"An event has at most {MOST_EVENT_BYTES} bytes."
        return Heard(envelope, None, {}, fingerprint, None, "too_large", what)
    if b"\\u0000" in text:
        what = "Text may not hold the character U+0000."
        return Heard(envelope, None, {}, fingerprint, None, _INVALID, what)
    try:
        event = DeviceEvent.model_validate(raw)
        PAYLOADS[event.type].model_validate(event.payload)
        if event.order_id is None and event.type not in WITHOUT_ORDER:
            what = "order_id: this type of event is about an order"
            return Heard(envelope, None, raw, fingerprint, None, _INVALID, what)
    except ValidationError as error:
        return Heard(envelope, None, raw, fingerprint, None, _INVALID, _first_fault(error))
    return Heard(envelope, event, raw, fingerprint)


def told_of(row: DeviceEventRow) -> Told:
    """A stored event as it is to be done."""
    event = DeviceEvent.model_validate(row.body)
    return Told(
        type=event.type,
        order_id=event.order_id,
        payload=PAYLOADS[event.type].model_validate(event.payload),
        captured_at=event.captured_at,
        happened_at=row.happened_at,
    )


def _first_fault(error: ValidationError | TypeError) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return ": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"])))
    return "This is not JSON that can be kept."
