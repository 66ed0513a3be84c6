"""Identifiers that sort by the time they were made."""

from datetime import datetime
from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """A fresh UUID version 7 (RFC 9562)."""
    return UUID(int=uuid_utils.uuid7().int)


def first_at(moment: datetime) -> UUID:
    """An id below every one that was made at the moment or later, above every earlier one."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def made_ms(made: UUID) -> int:
    """When a UUID version 7 was made, in milliseconds since 1970."""
    return made.int >> 80
