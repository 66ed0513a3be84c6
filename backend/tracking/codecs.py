"""The formats in which phones send positions, each turned into fixes in our units."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

import orjson

from backend.platform.errors import BadRequest, FieldError, Invalid, TooLarge
from backend.tracking.rules import FLAG_CHARGING, FLAG_MOCKED, FLAG_PING, Code, Fault, Fix

MAX_FIXES = 1000
M_S_PER_KNOT = 1852 / 3600
M_S_PER_KM_H = 1 / 3.6

# What a value can be at all; beyond it lies an error of the phone.
MOST_SPEED = 1000.0
LEAST_ALTITUDE, MOST_ALTITUDE = -1000.0, 20_000.0
MOST_ACCURACY = 1_000_000.0
MOST_SEQ = 2**53

_HIGHEST_SECONDS = 2**31 - 1
_FARTHEST_TIME = 1e15
_MOST_QUERY_FIELDS = 100

Item = Fix | Fault


class NativeBatch(NamedTuple):
    """What a native request holds; `drivers` names one for each item, where the items do."""

    items: list[Item]
    drivers: list[UUID | None]
    single: bool


def native(body: bytes) -> NativeBatch:
    """The fixes of our own format: one object, or an array of 1 to 1,000.

    Raises BadRequest where the body is not JSON, Invalid where it is neither object nor array or
    empty, TooLarge beyond 1,000. What is wrong with one item is that item's own Fault.
    """
    found = _json(body)
    single = isinstance(found, dict)
    if single:
        found = [found]
    elif not isinstance(found, list):
        detail = "Send one fix as an object, or an array of fixes."
        raise Invalid(detail, errors=[FieldError("", "not_a_batch", detail)])
    if not found:
        detail = "The batch holds no fix."
        raise Invalid(detail, errors=[FieldError("", "empty_batch", detail)])
    if len(found) > MAX_FIXES:
        detail = f"The batch holds {len(found)} fixes; send at most {MAX_FIXES} at once."
        raise TooLarge(detail, errors=[FieldError("", "too_many_fixes", detail)])
    items: list[Item] = []
    drivers: list[UUID | None] = []
    for item in found:
        try:
            drivers.append(_driver(item))
            items.append(_native_fix(item))
        except _Wrong as wrong:
            del drivers[len(items) :]
            drivers.append(None)
            items.append(Fault(Code.INVALID, str(wrong)))
    return NativeBatch(items, drivers, single)


class _Wrong(Exception):
    """One value of an item is wrong; the message begins with its name."""


def _driver(item: Any) -> UUID | None:
    if not isinstance(item, dict):
        raise _Wrong("a fix is an object")
    named = item.get("driver_id")
    if named is None:
        return None
    try:
        return UUID(named)
    except (ValueError, AttributeError, TypeError) as error:
        raise _Wrong("driver_id: not a UUID") from error


def _native_fix(item: dict[str, Any]) -> Fix:
    get = item.get
    bearing = get("bearing")
    if bearing is not None:
        bearing = _between(bearing, -360.0, 720.0, "bearing") % 360.0
    speed, altitude, accuracy = get("speed"), get("altitude"), get("accuracy")
    battery, seq = get("battery"), get("seq")
    if seq is not None and (type(seq) is not int or not 0 <= seq <= MOST_SEQ):
        raise _Wrong("seq: not a whole number from 0")
    return Fix(
        _native_time(get("recorded_at")),
        _degrees(get("lat"), "lat"),
        _degrees(get("lon"), "lon"),
        None if speed is None else _between(speed, 0.0, MOST_SPEED, "speed"),
        bearing,
        None if altitude is None
        else _between(altitude, LEAST_ALTITUDE, MOST_ALTITUDE, "altitude"),
        None if accuracy is None else _between(accuracy, 0.0, MOST_ACCURACY, "accuracy"),
        None if battery is None else _between(battery, 0.0, 1.0, "battery"),
        seq,
    )  # fmt: skip


def _native_time(value: Any) -> int:
    if type(value) is not str:
        raise _Wrong("recorded_at: missing or not an RFC 3339 time")
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise _Wrong("recorded_at: not an RFC 3339 time") from error
    if found.tzinfo is None:
        raise _Wrong("recorded_at: has no offset from UTC")
    return round(found.timestamp() * 1000)


def _degrees(value: Any, name: str) -> float:
    if type(value) is not float and type(value) is not int:
        raise _Wrong(f"{name}: missing or not a number")
    return float(value)


def _between(value: Any, least: float, most: float, name: str) -> float:
    if (type(value) is not float and type(value) is not int) or not least <= value <= most:
        raise _Wrong(f"{name}: not a number from {least:g} to {most:g}")
    return float(value)


def osmand_values(query: bytes, form: bytes) -> dict[str, str]:
    """The parameters of a request in OsmAnd's protocol, the form's before the query's."""
    try:
        values = [
            pair
            for part in (query, form)
            for pair in parse_qsl(part.decode(), max_num_fields=_MOST_QUERY_FIELDS)
        ]
    except ValueError as error:
        raise BadRequest("The parameters cannot be read.") from error
    return dict(values)


def osmand_query(values: Mapping[str, str], now_ms: int) -> tuple[str, Item | None]:
    """Device id and fix of OsmAnd's protocol, speed in knots; None where it sends no position.

    A position without a time is of now. Raises BadRequest where no device is named. Format:
    Traccar's `OsmAndProtocolDecoder`.
    """
    device = values.get("id") or values.get("deviceid")
    if not device:
        detail = "Name the device in `id` or `deviceid`."
        raise BadRequest(detail, errors=[FieldError("/query/id", "missing", detail)])
    if not values.keys() & {"lat", "lon", "location"}:
        return device, None
    try:
        return device, _osmand_fix(values, now_ms)
    except _Wrong as wrong:
        return device, Fault(Code.INVALID, str(wrong))


def _osmand_fix(values: Mapping[str, str], now_ms: int) -> Item:
    if values.get("valid", "true").lower() in ("false", "0"):
        return Fault(Code.NOT_A_FIX, "valid: the phone itself says that it has no position")
    lat, lon = values.get("lat"), values.get("lon")
    if "location" in values:
        lat, _, lon = values["location"].partition(",")
    flags = FLAG_MOCKED if _yes(values.get("mock")) else 0
    flags |= FLAG_CHARGING if _yes(values.get("charge")) else 0
    stamp = values.get("timestamp")
    battery = _said(values, "batt")
    return Fix(
        recorded_ms=_any_time("timestamp", stamp) if stamp else now_ms,
        lat=_number("lat", lat),
        lon=_number("lon", lon),
        speed=_within(_times(_said(values, "speed"), M_S_PER_KNOT), 0.0, MOST_SPEED),
        bearing=_bearing(_said(values, "bearing" if "bearing" in values else "heading")),
        altitude=_within(_said(values, "altitude"), LEAST_ALTITUDE, MOST_ALTITUDE),
        accuracy=_within(_said(values, "accuracy"), 0.0, MOST_ACCURACY),
        battery=_within(_times(battery, 0.01), 0.0, 1.0),
        flags=flags,
    )


def traccar_json(body: bytes) -> tuple[str, list[Item]]:
    """Device id and fixes of Traccar Client 9 and later; none where it sends no position.

    Speeds are in m/s, the battery's level is 0..1, and a negative speed, heading or level means
    unknown. Raises BadRequest where the body is not such an object or names no device.
    """
    found = _object(body)
    device = found.get("device_id")
    if isinstance(device, bool) or not isinstance(device, str | int) or device == "":
        detail = "Name the device in `device_id`."
        raise BadRequest(detail, errors=[FieldError("/device_id", "missing", detail)])
    location = found.get("location")
    locations = location if isinstance(location, list) else [location]
    if len(locations) > MAX_FIXES:
        detail = f"The batch holds {len(locations)} fixes; send at most {MAX_FIXES} at once."
        raise TooLarge(detail, errors=[FieldError("/location", "too_many_fixes", detail)])
    items: list[Item] = []
    for one in locations:
        if isinstance(one, dict) and one.get("coords") is not None:
            try:
                items.append(_traccar_fix(one))
            except _Wrong as wrong:
                items.append(Fault(Code.INVALID, f"location.{wrong}"))
    return str(device), items


def _traccar_fix(location: Mapping[str, Any]) -> Fix:
    coords = location["coords"]
    if not isinstance(coords, dict):
        raise _Wrong("coords: not an object")
    battery = location.get("battery")
    if not isinstance(battery, dict):
        battery = {}
    flags = FLAG_MOCKED if location.get("mock") is True else 0
    flags |= FLAG_CHARGING if battery.get("is_charging") is True else 0
    return Fix(
        recorded_ms=_any_time("timestamp", location.get("timestamp")),
        lat=_number("coords.latitude", coords.get("latitude")),
        lon=_number("coords.longitude", coords.get("longitude")),
        speed=_within(_said(coords, "speed"), 0.0, MOST_SPEED),
        bearing=_bearing(_within(_said(coords, "heading"), 0.0, 720.0)),
        altitude=_within(_said(coords, "altitude"), LEAST_ALTITUDE, MOST_ALTITUDE),
        accuracy=_within(_said(coords, "accuracy"), 0.0, MOST_ACCURACY),
        battery=_within(_said(battery, "level"), 0.0, 1.0),
        flags=flags,
    )


def owntracks(body: bytes) -> Item | None:
    """The fix of an OwnTracks message, speed in km/h; None for any other kind and empty bodies.

    The app leaves out `acc`, `alt`, `cog` and `vel` where they are zero; a `batt` that is absent is
    unknown. A ping (`t: p`) repeats an old place under a new time, and is flagged. Raises
    BadRequest where the body is not a JSON object. Format: OwnTracks booklet, "JSON".
    """
    if not body.strip():
        return None
    found = _object(body)
    if found.get("_type") != "location":
        return None
    try:
        return _owntracks_fix(found)
    except _Wrong as wrong:
        return Fault(Code.INVALID, str(wrong))


def _owntracks_fix(found: Mapping[str, Any]) -> Fix:
    flags = FLAG_PING if found.get("t") == "p" else 0
    flags |= FLAG_CHARGING if found.get("bs") in (2, 3) else 0
    return Fix(
        recorded_ms=_milliseconds("tst", _number("tst", found.get("tst")) * 1000),
        lat=_number("lat", found.get("lat")),
        lon=_number("lon", found.get("lon")),
        speed=_within(_times(_said(found, "vel", 0.0), M_S_PER_KM_H), 0.0, MOST_SPEED),
        bearing=_bearing(_within(_said(found, "cog", 0.0), 0.0, 720.0)),
        altitude=_within(_said(found, "alt", 0.0), LEAST_ALTITUDE, MOST_ALTITUDE),
        accuracy=_within(_said(found, "acc", 0.0), 0.0, MOST_ACCURACY),
        battery=_within(_times(_said(found, "batt"), 0.01), 0.0, 1.0),
        flags=flags,
    )


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}") from error


def _object(body: bytes) -> dict[str, Any]:
    found = _json(body)
    if not isinstance(found, dict):
        raise BadRequest("The body is not a JSON object.")
    return found


def _any_time(name: str, value: Any) -> int:
    """Milliseconds of a time in seconds, in milliseconds, in ISO 8601 or `yyyy-MM-dd HH:mm:ss`.

    A number beyond 2^31 - 1 counts milliseconds; a text without an offset is in UTC.
    """
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return _text_time(name, value)
    else:
        number = _number(name, value)
    if not isfinite(number):
        raise _Wrong(f"{name}: not a time")
    return _milliseconds(name, number if number > _HIGHEST_SECONDS else number * 1000)


def _text_time(name: str, value: str) -> int:
    # A plus sign that was not escaped in a query arrives as a space.
    head, _, tail = value.strip().rpartition(" ")
    for text in (value.strip(), f"{head}+{tail}"):
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            continue
        if len(text) > len("yyyy-MM-dd"):
            aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
            return round(aware.timestamp() * 1000)
    raise _Wrong(f"{name}: not a time")


def _milliseconds(name: str, value: float) -> int:
    if not -_FARTHEST_TIME < value < _FARTHEST_TIME:
        raise _Wrong(f"{name}: not a time")
    return round(value)


def _number(name: str, value: Any) -> float:
    """The value as a number; text that spells one is taken, as OsmAnd sends and old apps did."""
    if value is None or isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Wrong(f"{name}: missing or not a number")
    try:
        return float(value)
    except (ValueError, OverflowError) as error:
        raise _Wrong(f"{name}: not a number") from error


def _said(values: Mapping[str, Any], name: str, absent: float | None = None) -> float | None:
    """What the phone says of `name`; an empty text and a null say nothing."""
    value = values.get(name)
    return absent if value is None or value == "" else _number(name, value)


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _within(value: float | None, least: float, most: float) -> float | None:
    """The value where it can be, None where a phone says "unknown" by a value that cannot."""
    return value if value is not None and least <= value <= most else None


def _bearing(value: float | None) -> float | None:
    return value % 360.0 if value is not None and isfinite(value) else None


def _yes(value: str | None) -> bool:
    return value is not None and value.lower() in ("true", "1")
