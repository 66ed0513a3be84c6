"""What every gateway can do, and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from backend.payments.rules import State
from backend.platform.errors import DomainError

TOLERANCE = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class Call:
    """One action asked of a gateway; whatever comes under the same `key` is done once."""

    key: UUID
    payment_id: UUID
    amount: int
    currency: str
    asked_at: datetime
    method: str | None = None
    ref: str | None = None
    order_number: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A payment as its gateway knows it; amounts in minor units."""

    ref: str
    state: State
    authorised: int = 0
    captured: int = 0
    code: str | None = None
    message: str | None = None
    next_action: str | None = None


@dataclass(frozen=True, slots=True)
class RefundReport:
    """A refund as its gateway knows it: succeeded, pending or failed."""

    ref: str
    state: str
    amount: int
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a webhook is about: something happened to the gateway's payment `ref`."""

    event_id: str
    kind: str
    ref: str | None


class Refused(Exception):
    """The gateway says no, for good."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Unreachable(Exception):
    """The gateway was surely not asked: it may be asked again."""


class Unknown(Exception):
    """The gateway may have done it or not: it must be asked what it knows."""


class BadSignature(DomainError):
    """A webhook that the gateway did not sign, or signed long ago."""

    status = 400
    code = "bad_signature"
    title = "This was not signed by the gateway"


class Gateway(Protocol):
    """A way to take money and to give it back."""

    name: str

    async def authorise(self, call: Call) -> Report:
        """Ask for the amount to be set aside; raises Refused, Unreachable or Unknown."""

    async def capture(self, call: Call) -> Report:
        """Take the amount of what was set aside; the rest is released."""

    async def cancel(self, call: Call) -> Report:
        """Release what was set aside."""

    async def refund(self, call: Call) -> RefundReport:
        """Give the amount back."""

    async def inquire(self, ref: str) -> Report:
        """What the gateway knows of a payment now."""

    async def find(self, call: Call) -> Report | None:
        """The payment that was made under the call's key, None where there is none."""

    async def find_refund(self, call: Call) -> RefundReport | None:
        """The refund that was made under the call's key, None where there is none."""
