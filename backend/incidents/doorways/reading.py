"""What every doorway reads a delivery into, and the words that senders share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import ValidationError

from backend.incidents.rules import AlertStatus, Severity, is_link
from backend.incidents.schemas import AlertIn
from backend.platform.errors import BadRequest, FieldError, Invalid
from backend.platform.moments import within_reach

_NO_SERVICE = "unknown"
_LONGEST_LABEL = 2000
_LONGEST_TITLE = 300
_MOST_LABELS = 200


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it came, and the region of a sender who names none that there is.

    Others have regions too: a label `region` counts where it is a code of ours.
    """

    integration: str
    body: bytes
    received_at: datetime
    home: str
    made_key: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one item of a delivery was not read."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Beat:
    """An item that only says that its sender is alive."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An item that says that somebody works on a key, elsewhere."""

    key: str


Item = AlertIn | Fault | Beat | Acknowledged


@dataclass(frozen=True, slots=True)
class Reading:
    """The items of a delivery in their order; `dedup_key` is what PagerDuty's senders are told.

    `ordered` senders know no episodes: each of their messages is about now.
    """

    items: list[Item] = field(default_factory=list)
    dedup_key: str | None = None
    ordered: bool = False


_SEVERITIES = {
    Severity.SEV1: ("critical", "page", "emergency", "fatal", "disaster", "sev1", "p1"),
    Severity.SEV2: ("error", "high", "major", "sev2", "p2"),
    Severity.SEV3: ("warning", "warn", "medium", "minor", "average", "ticket", "sev3", "p3"),
    Severity.SEV4: ("info", "information", "low", "none", "notice", "sev4", "p4", "p5"),
}
_BY_WORD = {word: severity for severity, words in _SEVERITIES.items() for word in words}


def severity_of(word: object) -> Severity:
    """A sender's word for how bad it is; SEV3 for what nobody agreed on."""
    return _BY_WORD.get(str(word).strip().lower(), Severity.SEV3)


def json_of(body: bytes) -> Any:
    """The body as JSON that can be written again; raises BadRequest."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The body is not JSON.") from error
    text_of(found)
    return found


def text_of(value: object) -> bytes:
    """A value as JSON; raises BadRequest for one nested deeper than is written."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise BadRequest("The body is nested too deeply.") from error


def object_of(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; raises BadRequest."""
    found = json_of(body)
    if not isinstance(found, dict):
        raise BadRequest("The body is not a JSON object.")
    return found


def moment(value: object) -> datetime | None:
    """A moment in RFC 3339; None where there is none, and for one out of reach: senders write the
    year 1 for none.
    """
    if not isinstance(value, str) or not value:
        return None
    try:
        at = within_reach(datetime.fromisoformat(value))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)


def texts(*tables: object) -> dict[str, str]:
    """Names and values of several tables as text, the first that has a name counting."""
    found: dict[str, str] = {}
    for table in tables:
        if isinstance(table, dict):
            for name, value in table.items():
                if len(found) < _MOST_LABELS and isinstance(name, str) and name:
                    found.setdefault(name[:200], plain(value))
    return found


def plain(value: object) -> str:
    """A value as text, no longer than a label may be."""
    if not isinstance(value, str):
        value = orjson.dumps(value, default=str).decode()
    return value.replace("\0", "")[:_LONGEST_LABEL]


def alert_of(
    delivery: Delivery,
    *,
    key: str,
    title: object,
    severity: Severity,
    firing: bool,
    service: object,
    region: object,
    started_at: datetime | None,
    ended_at: datetime | None,
    labels: dict[str, str],
    url: object = None,
    value: object = None,
) -> AlertIn | Fault:
    """The facts as an alert, or the first that is wrong."""
    known = isinstance(region, str) and region in delivery.codes
    number = isinstance(value, int | float) and not isinstance(value, bool)
    told = " ".join(str(title or key).replace("\0", "").split())
    try:
        return AlertIn(
            integration=delivery.integration,
            key=key,
            title=told[:_LONGEST_TITLE] or key[:_LONGEST_TITLE],
            severity=severity,
            status=AlertStatus.FIRING if firing else AlertStatus.RESOLVED,
            service=str(service or _NO_SERVICE)[:80],
            region=str(region) if known else delivery.home,
            started_at=started_at or delivery.received_at,
            ended_at=None if firing else ended_at,
            labels=labels,
            url=str(url)[:2000] if is_link(url) else None,
            value=float(value) if number else None,  # type: ignore[arg-type]
        )
    except ValidationError as error:
        fault = error.errors()[0]
        where = "/".join(str(part) for part in fault["loc"])
        return Fault(str(fault["type"]), f"{where}: {fault['msg']}")


def unknown_version(pointer: str, wanted: str, found: object) -> Invalid:
    """The refusal of a format in another version than the one that is read."""
    shown = "no version" if found is None else f"version {str(found)[:40]}"
    if found is not None and not isinstance(found, str):
        shown += ", and no text"
    detail = f"This doorway reads version {wanted}; this is {shown}."
    return Invalid(detail, errors=[FieldError(pointer, "unknown_version", detail)])
