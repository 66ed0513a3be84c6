"""What a transport is given, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from backend.notifications.message_rules import Channel

TIMEOUT_S = 10.0


class Outcome(StrEnum):
    """What came of handing a message over.

    `later` may work another time, `never` cannot on this channel, `gone` is an address that is no
    more and need not be kept.
    """

    SENT = "sent"
    DELIVERED = "delivered"
    LATER = "later"
    NEVER = "never"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way; the same `id` and `attempt` is the same sending, if it comes twice.

    `kind` and `params` are for carriers that have templates of their own, `note` is none. `repeat`
    says that an earlier sending of it was cut off and may have arrived.
    """

    id: UUID
    attempt: int
    repeat: bool
    channel: Channel
    address: str
    subject: str
    text: str
    kind: str
    params: Mapping[str, str]
    language: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a transport answered; `why` is there unless it took the message."""

    outcome: Outcome
    why: str | None = None
    wait_s: float = 0.0


class Transport(Protocol):
    """A way to hand messages over."""

    name: str

    async def send(self, letter: Letter) -> Answer:
        """Hand it over once; whatever goes wrong out there is part of the answer."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
