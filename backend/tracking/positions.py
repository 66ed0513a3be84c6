"""How accepted fixes stand in the event log between a doorway and the projector."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgpack

from backend.platform.eventlog import Record

TOPIC = "tracking.positions"
GROUP = "projector"
# The set of fixes that are in the log and not known to be in history yet.
IN_FLIGHT_KEY = "tracking:in_flight"
_TIME = struct.Struct("<q")


class LoggedFix(NamedTuple):
    """One accepted fix with its driver; times in milliseconds since 1970."""

    driver: bytes
    recorded_ms: int
    received_ms: int
    lat: float
    lon: float
    speed: float | None
    bearing: float | None
    altitude: float | None
    accuracy: float | None
    battery: float | None
    seq: int | None
    flags: int

    @property
    def effective_ms(self) -> int:
        """The time that orders live states: a phone's clock cannot run ahead of ours."""
        return min(self.recorded_ms, self.received_ms)


def member(driver: bytes, recorded_ms: int) -> bytes:
    """What stands for a fix in the set of those on their way."""
    return driver + _TIME.pack(recorded_ms)


class Unreadable(Exception):
    """A record of the topic that no version of ours wrote."""


def encode(fixes: Sequence[LoggedFix]) -> Record:
    """One record for all of them."""
    return Record(fixes[0].driver, msgpack.packb(fixes))


def decode(value: bytes) -> list[LoggedFix]:
    """The fixes of a record; raises Unreadable."""
    try:
        rows: list[list[Any]] = msgpack.unpackb(value)
        return [LoggedFix(*row) for row in rows]
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise Unreadable(str(error)) from error
