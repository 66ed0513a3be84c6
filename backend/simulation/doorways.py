"""Fixes in the words of each public doorway, and its answers understood."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode

import orjson

from backend.simulation.fixes import Fix
from backend.simulation.transport import Answer, Request

Doorway = Literal["native", "osmand", "osmand_json", "owntracks"]

_KNOTS_PER_MPS = 3600 / 1852
_KMH_PER_MPS = 3.6
_JSON = "application/json"
_NATIVE_BATCH = 200


@dataclass(frozen=True, slots=True)
class Device:
    """A driver's phone as the server knows it."""

    driver_id: str
    code: str
    token: str


@dataclass(slots=True)
class Tally:
    """What became of the fixes that were sent."""

    accepted: int = 0
    duplicate: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """How many were answered for."""
        return self.accepted + self.duplicate + self.refused.total()

    def add(self, other: Tally) -> None:
        """Count another's fixes in."""
        self.accepted += other.accepted
        self.duplicate += other.duplicate
        self.refused += other.refused
        self.flagged += other.flagged


def batch_size(doorway: Doorway) -> int:
    """How many fixes one request of the doorway carries."""
    return _NATIVE_BATCH if doorway == "native" else 1


def encode(doorway: Doorway, device: Device, fixes: Sequence[Fix]) -> Request:
    """The request that carries the fixes, one where the doorway takes no more."""
    match doorway:
        case "native":
            return _native(device, fixes)
        case "osmand":
            return _osmand(device, fixes[0])
        case "osmand_json":
            return _osmand_json(device, fixes[0])
        case "owntracks":
            return _owntracks(device, fixes[0])


def understand(answer: Answer, count: int) -> Tally:
    """What the server made of `count` fixes, from an answer that is not "later"."""
    content = answer.json()
    if isinstance(content, dict) and isinstance(content.get("results"), list):
        return _by_item(content["results"])
    if answer.ok and answer.result:
        status, _, code = answer.result.partition(" ")
        return _by_item([{"status": status, "code": code}])
    if answer.ok:
        return Tally(accepted=count)
    return Tally(refused=Counter({answer.reason()[0]: count}))


def _by_item(results: list[dict[str, Any]]) -> Tally:
    tally = Tally()
    for item in results:
        status, code = item.get("status"), str(item.get("code") or "unknown")
        if status == "duplicate":
            tally.duplicate += 1
        elif status == "accepted":
            tally.accepted += 1
            if item.get("code"):
                tally.flagged[code] += 1
        else:
            tally.refused[code] += 1
    return tally


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _basic(device: Device) -> dict[str, str]:
    pair = base64.b64encode(f"{device.driver_id}:{device.token}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _native(device: Device, fixes: Sequence[Fix]) -> Request:
    body = [
        _known(
            {
                "recorded_at": _time(fix.at),
                "lat": fix.lat,
                "lon": fix.lon,
                "speed": fix.speed,
                "bearing": fix.bearing,
                "altitude": fix.altitude,
                "accuracy": fix.accuracy,
                "battery": fix.battery,
                "seq": fix.seq,
            }
        )
        for fix in fixes
    ]
    headers = {"Authorization": f"Bearer {device.token}", "Content-Type": _JSON}
    content = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    return Request("POST", "/api/v1/positions", headers, content)


def _osmand(device: Device, fix: Fix) -> Request:
    """Traccar Client up to 8: query parameters, speed in knots, battery in percent."""
    query = {
        "id": device.driver_id,
        "timestamp": round(fix.at * 1000),
        "lat": fix.lat,
        "lon": fix.lon,
        "speed": None if fix.speed is None else round(fix.speed * _KNOTS_PER_MPS, 3),
        "bearing": fix.bearing,
        "altitude": fix.altitude,
        "accuracy": fix.accuracy,
        "batt": None if fix.battery is None else round(fix.battery * 100),
    }
    return Request("POST", f"/api/osmand?{urlencode(_known(query))}", _basic(device))


def _osmand_json(device: Device, fix: Fix) -> Request:
    """Traccar Client 9 and later: JSON, speed in m/s, unknown values negative."""
    coordinates = {
        "latitude": fix.lat,
        "longitude": fix.lon,
        "accuracy": fix.accuracy,
        "speed": -1 if fix.speed is None else fix.speed,
        "heading": -1 if fix.bearing is None else fix.bearing,
        "altitude": fix.altitude,
    }
    location: dict[str, Any] = {
        "timestamp": _time(fix.at),
        "coords": _known(coordinates),
        "is_moving": bool(fix.speed),
        "event": "motionchange" if fix.speed is None else "location",
    }
    if fix.battery is not None:
        location["battery"] = {"level": fix.battery, "is_charging": False}
    body = {"device_id": device.driver_id, "location": location}
    headers = {**_basic(device), "Content-Type": _JSON}
    content = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    return Request("POST", "/api/osmand", headers, content)


def _owntracks(device: Device, fix: Fix) -> Request:
    """OwnTracks in HTTP mode: whole seconds, km/h, zero values left out as the app does."""
    values = {
        "acc": None if fix.accuracy is None else round(fix.accuracy),
        "alt": None if fix.altitude is None else round(fix.altitude),
        "vel": None if fix.speed is None else round(fix.speed * _KMH_PER_MPS),
        "cog": None if fix.bearing is None else round(fix.bearing) % 360,
        "batt": None if fix.battery is None else round(fix.battery * 100),
    }
    body = {
        "_type": "location",
        "tst": int(fix.at),
        "lat": fix.lat,
        "lon": fix.lon,
        "tid": device.code[-2:],
        "conn": "m",
        **{name: value for name, value in values.items() if value},
    }
    headers = {
        **_basic(device),
        "Content-Type": _JSON,
        "X-Limit-U": device.driver_id,
        "X-Limit-D": "phone",
    }
    return Request("POST", "/api/owntracks", headers, orjson.dumps(body))
