"""Each doorway says the same fix in its own units, by hand-checked examples."""

import base64
from urllib.parse import parse_qsl

import orjson
import pytest

from backend.simulation.doorways import Device, Doorway, Tally, encode, understand
from backend.simulation.fixes import Fix
from backend.simulation.transport import Answer
from backend.tracking import codecs

DEVICE = Device("01900000-0000-7000-8000-000000000001", "DRV-0001", "wpd_secret")
FIX = Fix(
    1714532400.25, 13.7456, 100.5341, speed=10.0, bearing=91.5, altitude=4.5, accuracy=6.2,
    battery=0.47, seq=7,
)  # fmt: skip
BARE = Fix(1714532401.0, -6.1, 106.8)


def password(headers: dict[str, str]) -> str:
    return base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()


def test_native_is_metres_per_second_and_rfc_3339() -> None:
    request = encode("native", DEVICE, [FIX, BARE])
    assert request.headers["Authorization"] == "Bearer wpd_secret"
    assert orjson.loads(request.body or b"") == [
        {
            "recorded_at": "2024-05-01T03:00:00.250000Z", "lat": 13.7456, "lon": 100.5341,
            "speed": 10.0, "bearing": 91.5, "altitude": 4.5, "accuracy": 6.2, "battery": 0.47,
            "seq": 7,
        },
        {"recorded_at": "2024-05-01T03:00:01Z", "lat": -6.1, "lon": 106.8},
    ]  # fmt: skip


def test_osmand_is_knots_milliseconds_and_percent() -> None:
    request = encode("osmand", DEVICE, [FIX])
    path, _, query = request.target.partition("?")
    assert (request.method, path) == ("POST", "/api/osmand")
    assert dict(parse_qsl(query)) == {
        "id": DEVICE.driver_id, "timestamp": "1714532400250", "lat": "13.7456",
        "lon": "100.5341", "speed": "19.438", "bearing": "91.5", "altitude": "4.5",
        "accuracy": "6.2", "batt": "47",
    }  # fmt: skip
    assert password(request.headers) == f"{DEVICE.driver_id}:wpd_secret"


def test_traccar_client_9_is_metres_per_second_and_negative_means_unknown() -> None:
    location = orjson.loads(encode("osmand_json", DEVICE, [FIX]).body or b"")["location"]
    assert location["coords"]["speed"] == 10.0
    assert location["battery"]["level"] == 0.47
    bare = orjson.loads(encode("osmand_json", DEVICE, [BARE]).body or b"")["location"]
    assert (bare["coords"]["speed"], bare["coords"]["heading"]) == (-1, -1)


def test_owntracks_is_km_per_hour_whole_seconds_and_leaves_zeros_out() -> None:
    request = encode("owntracks", DEVICE, [FIX])
    body = orjson.loads(request.body or b"")
    assert body["tst"] == 1714532400
    assert (body["vel"], body["cog"], body["batt"], body["acc"]) == (36, 92, 47, 6)
    assert request.headers["X-Limit-D"] == "phone"
    assert password(request.headers).endswith(":wpd_secret")
    still = orjson.loads(encode("owntracks", DEVICE, [Fix(1.0, 1, 2, speed=0.0)]).body or b"")
    assert "vel" not in still


@pytest.mark.parametrize("doorway", ["native", "osmand", "osmand_json", "owntracks"])
def test_the_server_reads_what_the_phone_meant(doorway: Doorway) -> None:
    request = encode(doorway, DEVICE, [FIX])
    body = request.body or b""
    match doorway:
        case "native":
            (read,) = codecs.native(body).items
        case "osmand":
            values = codecs.osmand_values(request.target.partition("?")[2].encode(), b"")
            device, read = codecs.osmand_query(values, 0)
            assert device == DEVICE.driver_id
        case "osmand_json":
            device, (read,) = codecs.traccar_json(body)
            assert device == DEVICE.driver_id
        case "owntracks":
            read = codecs.owntracks(body)
    assert not isinstance(read, codecs.Fault)
    assert read is not None
    assert read.recorded_ms == (1714532400000 if doorway == "owntracks" else 1714532400250)
    assert (read.lat, read.lon) == (FIX.lat, FIX.lon)
    assert read.speed == pytest.approx(10.0, abs=0.001)
    assert read.bearing == pytest.approx(91.5, abs=0.5)
    assert read.battery == pytest.approx(0.47)
    assert read.accuracy == pytest.approx(6.2, abs=0.21)


def test_answers_are_counted_by_what_became_of_each_fix() -> None:
    results = [
        {"index": 0, "status": "accepted"},
        {"index": 1, "status": "accepted", "code": "impossible_speed"},
        {"index": 2, "status": "duplicate"},
        {"index": 3, "status": "rejected", "code": "too_old"},
    ]
    tally = understand(Answer(202, orjson.dumps({"results": results})), 4)
    assert (tally.accepted, tally.duplicate, tally.sent) == (2, 1, 4)
    assert tally.refused == {"too_old": 1}
    assert tally.flagged == {"impossible_speed": 1}
    assert understand(Answer(200, b"[]"), 1) == Tally(accepted=1)
    assert understand(Answer(200, b"", result="duplicate"), 1) == Tally(duplicate=1)
    assert understand(Answer(200, b"", result="rejected too_old"), 1).refused == {"too_old": 1}
    assert understand(Answer(200, b"[]", result="accepted drift"), 1).flagged == {"drift": 1}
    problem = {"type": "urn:waypost:problem:in_future", "title": "t", "status": 422}
    assert understand(Answer(422, orjson.dumps(problem)), 1).refused == {"in_future": 1}
    assert understand(Answer(400, b"<html>"), 1).refused == {"http_400": 1}
