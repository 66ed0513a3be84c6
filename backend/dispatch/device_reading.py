"""Reads what a phone sent, event by event, so that one wrong event never costs another."""

from __future__ import annotations

import hmac
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
from backend.dispatch.otp import PURPOSE
from backend.platform.resources import current
from backend.platform.sealing import key_for, seal, unseal

_INVALID = "invalid"
_CODE = "otp"
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
    # Keyed, for an event with a code in it could be found by trying a million of them.
    fingerprint = hmac.digest(key_for(current().settings, "device events"), text, "sha256")
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
            return Heard(envelope, None, _sealed(raw), fingerprint, None, _INVALID, what)
    except ValidationError as error:
        return Heard(envelope, None, _sealed(raw), fingerprint, None, _INVALID, _first_fault(error))
    return Heard(envelope, event, _sealed(raw), fingerprint)


def _sealed(raw: dict[str, Any]) -> dict[str, Any]:
    """The event as it is kept: a one-time code in it can be opened by this installation alone."""
    payload = raw.get("payload")
    if not isinstance(payload, dict) or _CODE not in payload:
        return raw
    sealed = seal(current().settings, PURPOSE, str(payload[_CODE]))
    return {**raw, "payload": {**payload, _CODE: sealed}}


def without_code(body: dict[str, Any]) -> dict[str, Any]:
    """A kept event once it is done: the code in it is of no more use."""
    payload = body.get("payload")
    if not isinstance(payload, dict) or _CODE not in payload:
        return body
    return {**body, "payload": {key: part for key, part in payload.items() if key != _CODE}}


def told_of(row: DeviceEventRow) -> Told:
    """A stored event as it is to be done."""
    event = DeviceEvent.model_validate(row.body)
    if _CODE in event.payload:
        event.payload[_CODE] = unseal(current().settings, PURPOSE, event.payload[_CODE])
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
