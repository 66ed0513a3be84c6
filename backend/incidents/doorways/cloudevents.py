"""CloudEvents 1.0 over HTTP: structured, binary and batched.

Format: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from backend.incidents.doorways.reading import (
    Delivery,
    Item,
    Reading,
    alert_of,
    json_of,
    moment,
    severity_of,
    text_of,
    texts,
    unknown_version,
)
from backend.platform.errors import BadRequest, FieldError, Invalid

VERSION = "1.0"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MOST_IN_BATCH = 1000
_REQUIRED = ("id", "source", "type")
_OVER = ("resolved", "cleared", "closed", "ok")
_BEGUN = ("firing", "triggered", "opened", "alerting")


def split(content_type: str, headers: Mapping[str, str], body: bytes) -> list[bytes]:
    """The events of a request as structured JSON each, whichever way they came.

    Raises BadRequest or Invalid where it is no such request.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == BATCH:
        events = json_of(body)
        if not isinstance(events, list) or not 0 < len(events) <= MOST_IN_BATCH:
            raise BadRequest(f"A batch is a list of 1 to {MOST_IN_BATCH} events.")
        return [text_of(event) for event in events]
    if kind == STRUCTURED:
        return [body]
    attributes = {
        name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")
    }
    if "specversion" not in attributes:
        detail = f"Send {STRUCTURED}, {BATCH}, or the attributes as ce- headers."
        raise BadRequest(detail)
    return [text_of({**attributes, **_data(kind, body)})]


def _data(kind: str, body: bytes) -> dict[str, Any]:
    """The data beside the attributes: whatever it is, but what says it is JSON has to be."""
    if not body.strip():
        return {}
    try:
        return {"data": json_of(body)}
    except BadRequest:
        if not kind or kind.endswith(("/json", "+json")):
            raise
    try:
        return {"datacontenttype": kind, "data": body.decode()}
    except UnicodeDecodeError:
        return {"datacontenttype": kind, "data_base64": b64encode(body).decode()}


def identity_of(event: bytes) -> str:
    """What marks a repeated delivery: source and id; raises Invalid naming what is missing."""
    found = _event(event)
    return f"{found['source']} {found['id']}"


def _event(body: bytes) -> dict[str, Any]:
    event = json_of(body)
    if not isinstance(event, dict):
        raise BadRequest("This event is not an object.")
    if event.get("specversion") != VERSION:
        raise unknown_version("/specversion", VERSION, event.get("specversion"))
    missing = [
        FieldError(f"/{name}", "missing", f"An event needs {name}.")
        for name in _REQUIRED
        if not isinstance(event.get(name), str) or not event[name]
    ]
    if missing:
        raise Invalid(missing[0].detail, errors=missing)
    return event


def read(delivery: Delivery) -> Reading:
    """The alert of one event. `type` and `subject` are its key; an event that says it is over, by
    its data's `status` or the end of its type, ends it.
    """
    event = _event(delivery.body)
    data = event.get("data")
    if data is None and isinstance(event.get("data_base64"), str):
        data = _decoded(event["data_base64"])
    facts = data if isinstance(data, dict) else {}
    kind, _, last = event["type"].rpartition(".")
    ending = last.lower() in (*_OVER, *_BEGUN)
    status = str(facts.get("status") or (last if ending else "firing")).lower()
    subject = event.get("subject") or event["source"]
    at = moment(event.get("time"))
    over = status in _OVER
    item: Item = alert_of(
        delivery,
        key=f"{kind if ending and kind else event['type']} {subject}",
        title=facts.get("title") or facts.get("summary") or f"{event['type']} {subject}",
        severity=severity_of(facts.get("severity") or event.get("severity")),
        firing=not over,
        service=facts.get("service") or event.get("service"),
        region=facts.get("region") or event.get("region"),
        started_at=moment(facts.get("started_at")) or at,
        ended_at=moment(facts.get("ended_at")) or at,
        labels=texts(facts.get("labels"), _extensions(event)),
        url=facts.get("url"),
        value=facts.get("value"),
    )
    return Reading([item])


def _decoded(text: str) -> Any:
    """Data that was sent as base64, if it is JSON inside."""
    try:
        return json_of(b64decode(text, validate=True))
    except (ValueError, BadRequest):
        return None


def _extensions(event: dict[str, Any]) -> dict[str, Any]:
    known = {"specversion", "id", "data", "data_base64", "datacontenttype", "dataschema", "time"}
    return {name: value for name, value in event.items() if name not in known}
