"""Each format's fixes in our units, by hand-checked examples, and under any input at all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest

from backend.platform.errors import BadRequest, DomainError, Invalid, TooLarge
from backend.tracking import codecs
from backend.tracking.codecs import Item
from backend.tracking.rules import FLAG_CHARGING, FLAG_MOCKED, FLAG_PING, Code, Fault, Fix

NOW_MS = 1_714_532_460_000
# 2024-05-01T03:00:00.250Z
AT_MS = 1_714_532_400_250
WHOLE_S = 1_714_532_400


def native(**fields: Any) -> Item:
    body = {"recorded_at": "2024-05-01T03:00:00.250Z", "lat": 13.7456, "lon": 100.5341} | fields
    [item] = codecs.native(orjson.dumps(body)).items
    return item


def osmand(query: str, form: str = "") -> Item | None:
    return codecs.osmand_query(codecs.osmand_values(query.encode(), form.encode()), NOW_MS)[1]


def traccar(location: Any) -> list[Item]:
    return codecs.traccar_json(orjson.dumps({"device_id": "DRV-1", "location": location}))[1]


def owntracks(**fields: Any) -> Item | None:
    body = {"_type": "location", "tst": WHOLE_S, "lat": 13.7456, "lon": 100.5341} | fields
    return codecs.owntracks(orjson.dumps(body))


def fix_of(item: Item | None) -> Fix:
    assert isinstance(item, Fix), item
    return item


# Native


def test_native_fix_keeps_every_value_in_its_unit() -> None:
    assert native(speed=10, bearing=91.5, altitude=4.5, accuracy=6.25, battery=0.47, seq=7) == Fix(
        AT_MS, 13.7456, 100.5341, 10.0, 91.5, 4.5, 6.25, 0.47, 7
    )


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2024-05-01T03:00:00Z", 1_714_532_400_000),
        ("2024-05-01T10:00:00.250+07:00", AT_MS),
        ("2024-05-01T03:00:00.250499Z", AT_MS),
    ],
)
def test_native_time_is_rfc_3339_with_any_offset(text: str, ms: int) -> None:
    assert fix_of(native(recorded_at=text)).recorded_ms == ms


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"recorded_at": "2024-05-01T03:00:00"}, "recorded_at"),
        ({"recorded_at": 1714532400}, "recorded_at"),
        ({"recorded_at": "yesterday"}, "recorded_at"),
        ({"recorded_at": None}, "recorded_at"),
        ({"lat": "13.7"}, "lat"),
        ({"lat": True}, "lat"),
        ({"lon": None}, "lon"),
        ({"speed": -1}, "speed"),
        ({"speed": 1e300}, "speed"),
        ({"battery": 47}, "battery"),
        ({"accuracy": -1}, "accuracy"),
        ({"altitude": 1e9}, "altitude"),
        ({"seq": 1.5}, "seq"),
        ({"seq": -1}, "seq"),
        ({"driver_id": "me"}, "driver_id"),
    ],
)
def test_native_fault_names_the_field(fields: dict[str, Any], name: str) -> None:
    fault = native(**fields)
    assert isinstance(fault, Fault)
    assert fault.code is Code.INVALID
    assert fault.detail.startswith(f"{name}:")


@pytest.mark.parametrize(("sent", "bearing"), [(360, 0.0), (-90, 270.0), (450, 90.0)])
def test_native_bearing_is_turned_into_the_circle(sent: float, bearing: float) -> None:
    assert fix_of(native(bearing=sent)).bearing == bearing


def test_native_batch_keeps_order_and_names_of_drivers_beside_faults() -> None:
    driver = UUID("01900000-0000-7000-8000-000000000001")
    good = {"recorded_at": "2024-05-01T03:00:00Z", "lat": 1, "lon": 2, "driver_id": str(driver)}
    batch = codecs.native(orjson.dumps([good, {**good, "lat": "x"}, 5, good]))
    assert [type(item) for item in batch.items] == [Fix, Fault, Fault, Fix]
    assert (batch.drivers[0], batch.drivers[3]) == (driver, driver)
    assert len(batch.drivers) == 4
    assert not batch.single


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", BadRequest),
        (b"{", BadRequest),
        (b"[" * 100_000, BadRequest),
        (b'"fix"', Invalid),
        (b"[]", Invalid),
        (b"[" + b",".join([b"{}"] * 1001) + b"]", TooLarge),
    ],
)
def test_native_body_that_is_no_batch_is_refused(body: bytes, refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        codecs.native(body)


# OsmAnd


def test_osmand_speed_is_in_knots_and_battery_in_percent() -> None:
    fix = fix_of(
        osmand(
            "id=DRV-1&timestamp=1714532400250&lat=13.7456&lon=100.5341&speed=19.438445"
            "&bearing=91.5&altitude=4.5&accuracy=6.25&batt=47&charge=true&mock=true"
        )
    )
    # One knot is 1,852 m an hour: 19.438445 knots are 10 m/s.
    assert fix.speed == pytest.approx(10.0, abs=1e-6)
    assert fix.battery == pytest.approx(0.47)
    assert fix[:3] == (AT_MS, 13.7456, 100.5341)
    assert (fix.bearing, fix.altitude, fix.accuracy) == (91.5, 4.5, 6.25)
    assert fix.flags == FLAG_CHARGING | FLAG_MOCKED


@pytest.mark.parametrize(
    ("stamp", "ms"),
    [
        ("1714532400", 1_714_532_400_000),
        ("1714532400250", AT_MS),
        ("2147483647", 2_147_483_647_000),
        ("2147483648", 2_147_483_648),
        ("2024-05-01T03:00:00.250Z", AT_MS),
        ("2024-05-01T10:00:00.250%2B07:00", AT_MS),
        ("2024-05-01T10:00:00.250+07:00", AT_MS),
        ("2024-05-01+03:00:00", 1_714_532_400_000),
        ("2024-05-01%2003:00:00", 1_714_532_400_000),
        ("", NOW_MS),
    ],
)
def test_osmand_time_is_seconds_milliseconds_iso_or_text_in_utc(stamp: str, ms: int) -> None:
    assert fix_of(osmand(f"id=1&timestamp={stamp}&lat=1&lon=2")).recorded_ms == ms


def test_osmand_takes_location_heading_and_deviceid() -> None:
    values = codecs.osmand_values(b"deviceid=DRV-1&location=13.7456,100.5341&heading=91.5", b"")
    device, item = codecs.osmand_query(values, NOW_MS)
    fix = fix_of(item)
    assert device == "DRV-1"
    assert (fix.lat, fix.lon, fix.bearing) == (13.7456, 100.5341, 91.5)


def test_osmand_takes_a_form_as_well_as_a_query() -> None:
    fix = fix_of(osmand("id=DRV-1", "lat=13.7456&lon=100.5341&timestamp=1714532400"))
    assert fix.recorded_ms == WHOLE_S * 1000


@pytest.mark.parametrize("valid", ["false", "0", "FALSE"])
def test_osmand_fix_that_the_phone_calls_invalid_is_none(valid: str) -> None:
    fault = osmand(f"id=1&lat=1&lon=2&valid={valid}")
    assert isinstance(fault, Fault)
    assert fault.code is Code.NOT_A_FIX


def test_osmand_alarm_without_a_place_is_no_fix() -> None:
    assert osmand("id=1&alarm=sos") is None


@pytest.mark.parametrize("query", ["lat=1&lon=2", "id=&lat=1&lon=2", ""])
def test_osmand_without_a_device_is_refused(query: str) -> None:
    with pytest.raises(BadRequest):
        osmand(query)


@pytest.mark.parametrize(
    "query",
    ["lat=north&lon=2", "lat=1", "location=1", "lat=1&lon=2&timestamp=noon", "lat=1&lon=2&batt=x"],
)
def test_osmand_value_that_cannot_be_read_is_a_fault(query: str) -> None:
    fault = osmand(f"id=1&{query}")
    assert isinstance(fault, Fault)
    assert fault.code is Code.INVALID


@pytest.mark.parametrize("value", ["-1", "1e300", "nan", "inf", "-inf"])
def test_osmand_value_that_cannot_be_is_unknown_and_the_fix_stays(value: str) -> None:
    fix = fix_of(osmand(f"id=1&lat=1&lon=2&speed={value}&accuracy={value}&batt={value}"))
    assert (fix.speed, fix.accuracy, fix.battery) == (None, None, None)


# Traccar Client 9 and later


def test_traccar_speed_is_in_metres_per_second_and_level_a_share() -> None:
    [item] = traccar(
        {
            "timestamp": "2024-05-01T03:00:00.250Z",
            "coords": {
                "latitude": 13.7456,
                "longitude": 100.5341,
                "accuracy": 6.25,
                "speed": 10.0,
                "heading": 91.5,
                "altitude": 4.5,
            },
            "battery": {"level": 0.47, "is_charging": True},
            "is_moving": True,
            "event": "motionchange",
            "activity": {"type": "in_vehicle"},
        }
    )
    assert item == Fix(AT_MS, 13.7456, 100.5341, 10.0, 91.5, 4.5, 6.25, 0.47, None, FLAG_CHARGING)


def test_traccar_negative_values_are_unknown() -> None:
    [item] = traccar(
        {
            "timestamp": "2024-05-01T03:00:00.250Z",
            "coords": {"latitude": 1, "longitude": 2, "speed": -1, "heading": -1, "accuracy": -1},
            "battery": {"level": -1},
        }
    )
    assert item == Fix(AT_MS, 1.0, 2.0)


@pytest.mark.parametrize("location", [None, {}, {"timestamp": 1, "coords": None}, []])
def test_traccar_message_without_coordinates_is_no_fix(location: Any) -> None:
    assert traccar(location) == []


@pytest.mark.parametrize("location", [{"coords": 5}, {"coords": {"latitude": 1, "longitude": 2}}])
def test_traccar_fix_without_time_or_place_is_a_fault(location: Any) -> None:
    [fault] = traccar(location)
    assert isinstance(fault, Fault)
    assert fault.code is Code.INVALID


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"device_id": ""}', b'{"device_id": true}', b""])
def test_traccar_without_a_device_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        codecs.traccar_json(body)


# OwnTracks


def test_owntracks_speed_is_in_km_per_hour_and_time_in_seconds() -> None:
    fix = fix_of(owntracks(vel=36, cog=91, alt=4, acc=6, batt=47, bs=2, t="u", conn="m", tid="so"))
    assert fix == Fix(
        WHOLE_S * 1000, 13.7456, 100.5341, pytest.approx(10.0), 91.0, 4.0, 6.0,
        pytest.approx(0.47), None, FLAG_CHARGING,
    )  # fmt: skip


def test_owntracks_absent_values_are_zero_but_for_the_battery() -> None:
    assert owntracks() == Fix(WHOLE_S * 1000, 13.7456, 100.5341, 0.0, 0.0, 0.0, 0.0, None)


def test_owntracks_ping_is_flagged() -> None:
    assert fix_of(owntracks(t="p")).flags & FLAG_PING


@pytest.mark.parametrize(
    "body", [b"", b"  ", b'{"_type":"lwt"}', b'{"_type":"transition","lat":1}', b"{}"]
)
def test_owntracks_message_that_is_no_location_is_ignored(body: bytes) -> None:
    assert codecs.owntracks(body) is None


def test_owntracks_location_without_a_time_is_a_fault() -> None:
    fault = owntracks(tst=None)
    assert isinstance(fault, Fault)
    assert fault.code is Code.INVALID
