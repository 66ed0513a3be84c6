"""What is sealed in a message: where it goes on each channel, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from backend.platform.errors import Conflict
from backend.platform.sealing import seal, unseal
from backend.settings import Settings

_PURPOSE = "messages to people"


class Unreadable(Conflict):
    """It was sealed under another key."""

    code = "unreadable"
    title = "This message was sealed with another SECRET_KEY"


@dataclass(frozen=True, slots=True)
class Content:
    """Addresses by channel, the words, and what the template was filled with."""

    addresses: dict[str, str]
    subject: str
    text: str
    params: dict[str, str]


def closed(settings: Settings, content: Content) -> str:
    """The content, which says nothing to whoever lacks our key."""
    return seal(settings, _PURPOSE, orjson.dumps(content).decode())


def opened(settings: Settings, sealed: str) -> Content:
    """The content again; raises Unreadable."""
    try:
        return Content(**orjson.loads(unseal(settings, _PURPOSE, sealed)))
    except ValueError as error:
        raise Unreadable from error
