"""Opaque cursors of lists: where the page before ended."""

from __future__ import annotations

import base64
from datetime import datetime
from uuid import UUID

from backend.platform.errors import BadRequest, FieldError

_PART = "\x1f"


def encode(*parts: object) -> str:
    """A cursor that says `parts`."""
    return base64.urlsafe_b64encode(_PART.join(map(str, parts)).encode()).decode().rstrip("=")


def decode(cursor: str, count: int) -> list[str]:
    """The `count` parts of a cursor; raises BadRequest for one that is not ours."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError as error:
        raise foreign() from error
    parts = text.split(_PART)
    if len(parts) != count or "\0" in text:
        raise foreign()
    return parts


def decode_id(cursor: str) -> UUID:
    """The id that a cursor says."""
    return as_id(decode(cursor, 1)[0])


def decode_number(cursor: str) -> int:
    """The number that a cursor says."""
    [part] = decode(cursor, 1)
    if not part.isdecimal() or len(part) > 18:
        raise foreign()
    return int(part)


def decode_moment_and_id(cursor: str) -> tuple[datetime, UUID]:
    """The time and the id that a cursor says."""
    at, part = decode(cursor, 2)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise foreign() from error
    if moment.tzinfo is None:
        raise foreign()
    return moment, as_id(part)


def as_id(part: str) -> UUID:
    """The id in a part of a cursor."""
    try:
        return UUID(part)
    except ValueError as error:
        raise foreign() from error


def foreign() -> BadRequest:
    """What to raise for a cursor that is not ours."""
    detail = "The cursor is not one that this list gave out."
    return BadRequest(detail, errors=[FieldError("/query/cursor", "bad_cursor", detail)])
