"""What makes a fix acceptable, and how fresh a driver is; pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

OLDEST_MS = 48 * 3600 * 1000
FUTURE_MS = 5 * 60 * 1000
FASTEST_M_S = 90.0
AGREEING_FIXES = 3

FLAG_IMPOSSIBLE_SPEED = 1
FLAG_MOCKED = 2
FLAG_PING = 4
FLAG_CHARGING = 8
# Fixes with any of these are kept in history and move neither live state nor geofences.
FLAGS_NOT_SHOWN = FLAG_IMPOSSIBLE_SPEED | FLAG_PING

_EARTH_RADIUS_M = 6_371_008.8
_NULL_ISLAND_DEGREES = 1e-4
_METRES_PER_DEGREE = 111_400.0


class Status(StrEnum):
    """What became of a fix."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class Code(StrEnum):
    """Why a fix was refused or flagged."""

    TOO_OLD = "too_old"
    IN_FUTURE = "in_future"
    NULL_ISLAND = "null_island"
    OUT_OF_RANGE = "out_of_range"
    INVALID = "invalid"
    NOT_A_FIX = "not_a_fix"
    UNKNOWN_DRIVER = "unknown_driver"
    UNKNOWN_DEVICE = "unknown_device"
    IMPOSSIBLE_SPEED = "impossible_speed"
    PING = "ping"


class Fix(NamedTuple):
    """One position as a phone reported it: degrees, metres, m/s, battery 0..1."""

    recorded_ms: int
    lat: float
    lon: float
    speed: float | None = None
    bearing: float | None = None
    altitude: float | None = None
    accuracy: float | None = None
    battery: float | None = None
    seq: int | None = None
    flags: int = 0


class Fault(NamedTuple):
    """Why one item of a batch is not a fix."""

    code: Code
    detail: str


class Verdict(NamedTuple):
    """What becomes of one item; `flags` go into history with it."""

    status: Status
    code: Code | None = None
    flags: int = 0
    detail: str | None = None


class Point(NamedTuple):
    """A place at a time: the device's, and that which never runs ahead of the server's."""

    recorded_ms: int
    effective_ms: int
    lat: float
    lon: float


class Anchor(NamedTuple):
    """What is remembered of a driver between fixes.

    `last` is the newest fix that was believed, `doubted` the newest of `agreeing` doubted ones
    since that agree with each other. `newest_ms` is the latest device time that was ever accepted:
    what is newer has not been sent before.
    """

    last: Point
    newest_ms: int
    doubted: Point | None = None
    agreeing: int = 0


ACCEPTED = Verdict(Status.ACCEPTED)
DUPLICATE = Verdict(Status.DUPLICATE)
_DOUBTED_DETAIL = "Over 90 m/s from the last fix: kept in history, not shown."
_PING_DETAIL = "A ping repeats an old place: kept in history, not shown."

REFUSED = {
    code: Verdict(Status.REJECTED, code, detail=detail)
    for code, detail in {
        Code.TOO_OLD: "recorded_at: the fix is older than 48 hours.",
        Code.IN_FUTURE: "recorded_at: the fix is more than 5 minutes in the future.",
        Code.NULL_ISLAND: "lat, lon: the fix lies at latitude 0, longitude 0.",
        Code.OUT_OF_RANGE: "lat, lon: latitude is -90 to 90, longitude -180 to 180.",
    }.items()
}


def refusal(fix: Fix, now_ms: int) -> Code | None:
    """Why the fix must be refused by itself, None if it need not; NaN is out of range."""
    if not (-90.0 <= fix.lat <= 90.0 and -180.0 <= fix.lon <= 180.0):
        return Code.OUT_OF_RANGE
    if abs(fix.lat) < _NULL_ISLAND_DEGREES and abs(fix.lon) < _NULL_ISLAND_DEGREES:
        return Code.NULL_ISLAND
    if fix.recorded_ms < now_ms - OLDEST_MS:
        return Code.TOO_OLD
    if fix.recorded_ms > now_ms + FUTURE_MS:
        return Code.IN_FUTURE
    return None


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in metres (haversine)."""
    phi1, phi2 = radians(lat1), radians(lat2)
    half = sin((phi2 - phi1) / 2) ** 2 + cos(phi1) * cos(phi2) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))


def reachable(start: Point, there: Point) -> bool:
    """Whether a vehicle could get from one to the other; less than a second apart counts as one.

    Of the two clocks the one that leaves more time is believed: a phone whose clock was corrected
    has not jumped.
    """
    apart_ms = max(
        abs(there.recorded_ms - start.recorded_ms), abs(there.effective_ms - start.effective_ms)
    )
    reach_m = FASTEST_M_S * (apart_ms / 1000 if apart_ms > 1000 else 1.0)
    # A degree is at most 111.4 km: most fixes need no trigonometry.
    if (abs(there.lat - start.lat) + abs(there.lon - start.lon)) * _METRES_PER_DEGREE <= reach_m:
        return True
    return distance_m(start.lat, start.lon, there.lat, there.lon) <= reach_m


def advance(anchor: Anchor, here: Point) -> tuple[Anchor, bool]:
    """The anchor after this point, and whether the point is doubted.

    One wild fix is doubted; three doubted ones that agree with each other move the anchor, so that
    a wild fix believed by mistake cannot freeze a driver.
    """
    newest_ms = max(anchor.newest_ms, here.recorded_ms)
    if reachable(anchor.last, here):
        return Anchor(here, newest_ms), False
    agrees = anchor.doubted is not None and reachable(anchor.doubted, here)
    agreeing = anchor.agreeing + 1 if agrees else 1
    if agreeing >= AGREEING_FIXES:
        return Anchor(here, newest_ms), False
    return Anchor(anchor.last, newest_ms, here, agreeing), True


def screen(
    items: Sequence[Fix | Fault], anchor: Anchor | None, now_ms: int, known: frozenset[int]
) -> tuple[list[Verdict], Anchor | None]:
    """A verdict for each item, in the order given, and the driver's anchor afterwards.

    Fixes are judged in the order of their times, so a batch may come in any; `known` holds the
    times that the driver has sent before. A late fix (one before the anchor) is measured from the
    anchor backwards and from the late one before it, and leaves the anchor alone.
    """
    verdicts: list[Verdict] = [ACCEPTED] * len(items)
    seen = set(known)
    late: Anchor | None = None
    for index in _by_time(items):
        item = items[index]
        if isinstance(item, Fault):
            verdicts[index] = Verdict(Status.REJECTED, item.code, detail=item.detail)
            continue
        code = refusal(item, now_ms)
        if code is not None:
            verdicts[index] = REFUSED[code]
            continue
        recorded_ms = item.recorded_ms
        if recorded_ms in seen:
            verdicts[index] = DUPLICATE
            continue
        seen.add(recorded_ms)
        if item.flags & FLAG_PING:
            verdicts[index] = Verdict(Status.ACCEPTED, Code.PING, item.flags, _PING_DETAIL)
            if anchor is not None and recorded_ms > anchor.newest_ms:
                anchor = anchor._replace(newest_ms=recorded_ms)
            continue
        here = Point(recorded_ms, min(recorded_ms, now_ms), item.lat, item.lon)
        if anchor is None:
            anchor, doubted = Anchor(here, recorded_ms), False
        elif _is_late(here, anchor):
            late, doubted = advance(late or anchor, here)
        else:
            anchor, doubted = advance(anchor, here)
        if doubted:
            flags = item.flags | FLAG_IMPOSSIBLE_SPEED
            verdicts[index] = Verdict(
                Status.ACCEPTED, Code.IMPOSSIBLE_SPEED, flags, _DOUBTED_DETAIL
            )
        elif item.flags:
            verdicts[index] = Verdict(Status.ACCEPTED, None, item.flags)
    return verdicts, anchor


def _is_late(here: Point, anchor: Anchor) -> bool:
    last = anchor.doubted or anchor.last
    return (here.effective_ms, here.recorded_ms) < (last.effective_ms, last.recorded_ms)


def _by_time(items: Sequence[Fix | Fault]) -> Sequence[int]:
    """The places of the items in the order of their times, as they are where that is right."""
    times = [item.recorded_ms if isinstance(item, Fix) else 0 for item in items]
    if all(first <= second for first, second in pairwise(times)):
        return range(len(items))
    return sorted(range(len(items)), key=times.__getitem__)


def freshness(age_s: float, *, on_shift: bool, live_s: int, offline_s: int) -> str:
    """`live`, `stale`, `offline` or `off_shift`, by the age of the newest fix in seconds."""
    if not on_shift:
        return "off_shift"
    if age_s <= live_s:
        return "live"
    return "stale" if age_s <= offline_s else "offline"
