"""What the hot store remembers of each driver between fixes."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from typing import Any

from redis.asyncio import Redis

from backend.tracking.rules import Anchor, Point

_KEY = "tracking:anchors"
_LAST = struct.Struct("<qqddq")
_DOUBTED = struct.Struct("<qqddB")
_WHOLE = _LAST.size + _DOUBTED.size


async def load(redis: Redis, drivers: Collection[bytes]) -> dict[bytes, Anchor]:
    """The anchors of those of the drivers that have one."""
    if not drivers:
        return {}
    asked = list(drivers)
    stored = await redis.hmget(_KEY, asked)  # type: ignore[misc]
    return {
        driver: unpack(packed)
        for driver, packed in zip(asked, stored, strict=True)
        if packed is not None
    }


def store(pipe: Any, anchors: Mapping[bytes, Anchor]) -> None:
    """Queue the anchors to be remembered."""
    if anchors:
        pipe.hset(_KEY, mapping={driver: pack(anchor) for driver, anchor in anchors.items()})


def pack(anchor: Anchor) -> bytes:
    """40 bytes, 33 more where a fix is in doubt."""
    packed = _LAST.pack(*anchor.last, anchor.newest_ms)
    if anchor.doubted is not None:
        packed += _DOUBTED.pack(*anchor.doubted, anchor.agreeing)
    return packed


def unpack(packed: bytes) -> Anchor:
    """The anchor of these bytes."""
    *last, newest_ms = _LAST.unpack_from(packed)
    if len(packed) < _WHOLE:
        return Anchor(Point(*last), newest_ms)
    *doubted, agreeing = _DOUBTED.unpack_from(packed, _LAST.size)
    return Anchor(Point(*last), newest_ms, Point(*doubted), agreeing)
