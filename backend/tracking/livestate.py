"""The newest state of a driver as the hot store keeps it and the projector publishes it.

One state is 32 bytes, little-endian: i64 effective time and i64 recorded time in milliseconds,
i32 latitude and i32 longitude times 10^7, then u8 bearing in steps of 2 degrees, u8 speed in steps
of 0.25 m/s, u8 battery in percent, u8 flags, u16 accuracy in metres, u16 reserved. Where a byte is
255, or the accuracy 65535, the phone did not say. On `tracking:moved` each state follows the 16
bytes of its driver's id.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import isfinite

STATE = struct.Struct("<qqiiBBBBHH")
ID_BYTES = 16
MOVED_BYTES = ID_BYTES + STATE.size

LIVE_KEY = "tracking:live"
MOVED_CHANNEL = "tracking:moved"
DRIVERS_CHANNEL = "tracking:drivers"

UNKNOWN = 255
_MOST = 254
_UNKNOWN_ACCURACY = 65535
_SPEED_STEPS_PER_M_S = 4
_DEGREES = 10_000_000


@dataclass(frozen=True, slots=True)
class LiveState:
    """Where a driver was last seen; `effective_ms` orders states and never runs ahead of us."""

    effective_ms: int
    recorded_ms: int
    lat: float
    lon: float
    bearing: float | None = None
    speed: float | None = None
    battery: float | None = None
    accuracy: float | None = None
    flags: int = 0

    def pack(self) -> bytes:
        """The 32 bytes of this state."""
        return STATE.pack(
            self.effective_ms,
            self.recorded_ms,
            round(self.lat * _DEGREES),
            round(self.lon * _DEGREES),
            _byte(None if self.bearing is None else self.bearing % 360 / 2),
            _byte(None if self.speed is None else self.speed * _SPEED_STEPS_PER_M_S),
            _byte(None if self.battery is None else self.battery * 100),
            self.flags,
            _UNKNOWN_ACCURACY if self.accuracy is None else min(65534, round(self.accuracy)),
            0,
        )

    @classmethod
    def unpack(cls, packed: bytes) -> LiveState:
        """The state of 32 bytes, to the precision that they keep."""
        effective, recorded, lat, lon, bearing, speed, battery, flags, accuracy, _ = STATE.unpack(
            packed
        )
        return cls(
            effective_ms=effective,
            recorded_ms=recorded,
            lat=lat / _DEGREES,
            lon=lon / _DEGREES,
            bearing=None if bearing == UNKNOWN else bearing * 2.0,
            speed=None if speed == UNKNOWN else speed / _SPEED_STEPS_PER_M_S,
            battery=None if battery == UNKNOWN else battery / 100,
            accuracy=None if accuracy == _UNKNOWN_ACCURACY else float(accuracy),
            flags=flags,
        )


def _byte(value: float | None) -> int:
    if value is None or not isfinite(value):
        return UNKNOWN
    return max(0, min(_MOST, round(value)))
