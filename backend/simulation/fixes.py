"""One position as a phone knows it, before a doorway gives it units."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Fix:
    """Where a phone was at `at` (seconds since 1970); unknown values are None.

    Speed in m/s, bearing in degrees from north, altitude and accuracy in metres, battery 0..1.
    """

    at: float
    lat: float
    lon: float
    speed: float | None = None
    bearing: float | None = None
    altitude: float | None = None
    accuracy: float | None = None
    battery: float | None = None
    seq: int | None = None
