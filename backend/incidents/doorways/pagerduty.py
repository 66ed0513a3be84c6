"""PagerDuty's Events API, version 2.

Format: https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

from typing import Any

from backend.incidents.doorways.reading import (
    Acknowledged,
    Delivery,
    Item,
    Reading,
    alert_of,
    moment,
    object_of,
    severity_of,
    text_of,
    texts,
)
from backend.platform.errors import FieldError, Invalid

LONGEST_KEY = 255
_MASK = "***"
_SECRET = 16
_ACTIONS = ("trigger", "acknowledge", "resolve")
_SEVERITIES = ("critical", "error", "warning", "info")


def routing_key(body: bytes) -> str | None:
    """The key that senders of this format put where others send a token."""
    key = object_of(body).get("routing_key")
    return key if isinstance(key, str) and key else None


def masked(body: bytes) -> bytes:
    """The body without its key, wherever else in it that stands and however it was escaped.

    What is too short for a token is taken out of its own field alone: it may be a part of words.
    """
    found, key = object_of(body), routing_key(body)
    if key is None:
        return body
    shown = text_of({**found, "routing_key": _MASK})
    return shown.replace(text_of(key)[1:-1], _MASK.encode()) if len(key) >= _SECRET else shown


def read(delivery: Delivery) -> Reading:
    """The one event of a request; a trigger without a key is given one, which the answer tells.

    Raises Invalid naming each field that is wrong.
    """
    body = object_of(delivery.body)
    faults: list[FieldError] = []
    action, key = body.get("event_action"), body.get("dedup_key")
    if action not in _ACTIONS:
        detail = "trigger, acknowledge or resolve."
        faults.append(FieldError("/event_action", "unknown_action", detail))
    if key is not None and (not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY):
        detail = f"A text of 1 to {LONGEST_KEY} characters."
        faults.append(FieldError("/dedup_key", "bad_key", detail))
    if key is None and action in ("acknowledge", "resolve"):
        faults.append(FieldError("/dedup_key", "missing", f"Needed to {action}."))
    payload = body.get("payload") if isinstance(body.get("payload"), dict) else {}
    if action == "trigger":
        faults += _payload_faults(payload)
    if faults:
        raise Invalid(faults[0].detail, errors=faults)
    key = key or delivery.made_key
    item: Item = Acknowledged(key) if action == "acknowledge" else _alert(
        delivery, body, payload, key, firing=action == "trigger"
    )  # fmt: skip
    return Reading([item], dedup_key=key, ordered=True)


def _payload_faults(payload: Any) -> list[FieldError]:
    faults = [
        FieldError(f"/payload/{name}", "missing", f"A trigger has a {name}.")
        for name in ("summary", "source")
        if not isinstance(payload.get(name), str) or not payload[name].strip()
    ]
    if payload.get("severity") not in _SEVERITIES:
        detail = "critical, error, warning or info."
        faults.append(FieldError("/payload/severity", "unknown_severity", detail))
    return faults


def _alert(
    delivery: Delivery, body: dict[str, Any], payload: Any, key: str, *, firing: bool
) -> Item:
    details = payload.get("custom_details")
    labels = texts(
        {
            name: payload[name]
            for name in ("source", "component", "group", "class")
            if payload.get(name)
        },
        details,
    )
    links = body.get("links")
    link = links[0] if isinstance(links, list) and links and isinstance(links[0], dict) else {}
    return alert_of(
        delivery,
        key=key,
        title=payload.get("summary"),
        severity=severity_of(payload.get("severity")),
        firing=firing,
        service=labels.get("service") or payload.get("component") or payload.get("group"),
        region=labels.get("region"),
        started_at=moment(payload.get("timestamp")),
        ended_at=delivery.received_at,
        labels=labels,
        url=link.get("href") or body.get("client_url"),
    )
