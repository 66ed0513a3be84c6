"""Prepares a recorded trace for sending: fills in speed and bearing, and moves it to today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import atan2, cos, degrees, inf, isinf, radians, sin

from backend.platform.errors import Invalid
from backend.regions.rules import haversine_m
from backend.simulation.fixes import Fix

# A fix this far from all others in time is a clock's mistake, not a part of the drive.
_LONELY_S = 3600.0
_FASTEST_MPS = 90.0
_STANDING_M = 3.0
_LONGEST_STEP_S = 120.0


class BadSpeed(Invalid):
    """The replay speed is neither `max` nor a factor such as `1x`."""

    code = "bad_speed"
    title = "The replay speed is not right"


@dataclass(frozen=True, slots=True)
class Departure:
    """A fix with today's time, and when to send it (both seconds since 1970)."""

    send_at: float
    fix: Fix


def parse_speed(text: str) -> float:
    """How many times faster than recorded: `1x`, `2.5x`, `10`; infinity for `max`."""
    if text == "max":
        return inf
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0.1 <= factor <= 10_000:
        raise BadSpeed(f"--speed {text}: give max, or a factor from 0.1x to 10000x.")
    return factor


def true_span(fixes: Sequence[Fix]) -> tuple[float, float]:
    """First and last time of the drive, without single fixes whose clock was wrong.

    Times are grouped wherever an hour or more lies between neighbours; groups of one distinct
    time are left out unless there is nothing else.
    """
    times = sorted({fix.at for fix in fixes})
    groups = [[times[0]]]
    for before, after in pairwise(times):
        if after - before >= _LONELY_S:
            groups.append([])
        groups[-1].append(after)
    trusted = [group for group in groups if len(group) > 1] or groups
    return trusted[0][0], trusted[-1][-1]


def schedule(fixes: Sequence[Fix], factor: float, now: float) -> list[Departure]:
    """The fixes in their recorded order with times moved and a time to send each.

    Time runs at its recorded pace, so that speeds stay true. The shift makes the last fix's time
    that of its sending: at 1x the trace starts now, at `max` it ends now, and in between no fix
    is ever ahead of the clock.
    """
    if not fixes:
        return []
    first, last = true_span(fixes)
    lag = (last - first) * (1 - 1 / factor) if not isinf(factor) else last - first
    shift = now - first - lag
    departures = []
    send_at = now
    for fix in fixes:
        if first <= fix.at <= last and not isinf(factor):
            send_at = max(send_at, now + (fix.at - first) / factor)
        moved = replace(fix, at=round(fix.at + shift, 3))
        departures.append(Departure(send_at, moved))
    return departures


def complete(fixes: Sequence[Fix]) -> list[Fix]:
    """The fixes with unknowns as None, and speed and bearing taken from the step before.

    A step that implies an impossible speed gives none: whether the place is right is for the
    server to judge.
    """
    done: list[Fix] = []
    for number, fix in enumerate(fixes):
        known = replace(
            fix,
            speed=_unless_negative(fix.speed),
            bearing=None if fix.bearing is None or fix.bearing < 0 else fix.bearing % 360,
            accuracy=_unless_negative(fix.accuracy),
            seq=number,
        )
        if done and _plausible(done[-1]) and _plausible(known):
            _from_step(done[-1], known)
        done.append(known)
    return done


def _unless_negative(value: float | None) -> float | None:
    return None if value is None or value < 0 else value


def _plausible(fix: Fix) -> bool:
    return -90 <= fix.lat <= 90 and -180 <= fix.lon <= 180


def _from_step(before: Fix, fix: Fix) -> None:
    elapsed = fix.at - before.at
    if not 0 < elapsed <= _LONGEST_STEP_S:
        return
    moved = haversine_m(before.lat, before.lon, fix.lat, fix.lon)
    if fix.speed is None and moved / elapsed <= _FASTEST_MPS:
        fix.speed = round(moved / elapsed, 2)
    if fix.bearing is None and moved > _STANDING_M:
        fix.bearing = round(_bearing_deg(before, fix), 1) % 360


def _bearing_deg(before: Fix, after: Fix) -> float:
    """Initial bearing of the great circle from one fix to the next."""
    phi1, phi2 = radians(before.lat), radians(after.lat)
    turn = radians(after.lon - before.lon)
    east = sin(turn) * cos(phi2)
    north = cos(phi1) * sin(phi2) - sin(phi1) * cos(phi2) * cos(turn)
    return degrees(atan2(east, north)) % 360
