"""Codecs under any input at all: never an error of ours, never a fix dropped unseen."""

from __future__ import annotations

from contextlib import suppress
from math import isfinite
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from backend.platform.errors import BadRequest, Invalid, TooLarge
from backend.tracking import codecs
from backend.tracking.codecs import Item
from backend.tracking.rules import Fault

NOW_MS = 1_714_532_460_000
# 2024-05-01T03:00:00.250Z
AT_MS = 1_714_532_400_250
WHOLE_S = 1_714_532_400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NATIVE = st.fixed_dictionaries(
    {},
    optional={
        name: JSON | st.sampled_from(["2024-05-01T03:00:00Z", 13.7, 0])
        for name in (
            "recorded_at", "lat", "lon", "speed", "bearing", "altitude", "accuracy", "battery",
            "seq", "driver_id",
        )
    },
)  # fmt: skip
BODY = st.binary(max_size=200) | JSON.map(
    lambda value: (
        orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME) if _fits(value) else b"null"
    )
)


def _fits(value: Any) -> bool:
    """Whether orjson can write the value: not an integer beyond 64 bits or a lone surrogate."""
    try:
        orjson.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def check(item: Item | None) -> None:
    """A fix that PostgreSQL and live state can hold, a fault with words, or nothing."""
    if isinstance(item, Fault):
        assert item.detail
    elif item is not None:
        assert isinstance(item.recorded_ms, int)
        assert abs(item.recorded_ms) < 2**53
        known = [value for value in item[3:8] if value is not None]
        assert all(isfinite(value) and abs(value) <= 1_000_000 for value in known)


@given(st.lists(NATIVE.filter(_fits), min_size=1, max_size=6))
def test_native_answers_for_every_item_whatever_it_holds(batch: list[Any]) -> None:
    found = codecs.native(orjson.dumps(batch))
    assert len(found.items) == len(found.drivers) == len(batch)
    for item in found.items:
        check(item)


@given(BODY)
def test_no_body_breaks_a_codec(body: bytes) -> None:
    for codec in (codecs.native, codecs.traccar_json, codecs.owntracks):
        # Any other error, and one that is the caller's, goes through and fails.
        with suppress(BadRequest, Invalid, TooLarge):
            codec(body)


FIELDS = st.sampled_from(
    ["id", "deviceid", "timestamp", "lat", "lon", "location", "speed", "batt", "valid", "heading"]
)
VALUES = st.text(max_size=20) | st.sampled_from(["nan", "-inf", "1e400", "13.7", "1714532400", ""])


@given(st.dictionaries(FIELDS, VALUES), st.binary(max_size=60))
def test_no_parameters_break_osmand(values: dict[str, str], raw: bytes) -> None:
    for parameters in (lambda: values, lambda: codecs.osmand_values(raw, raw)):
        try:
            device, item = codecs.osmand_query(parameters(), NOW_MS)
        except BadRequest:
            continue
        assert device
        check(item)


LOCATION = st.fixed_dictionaries(
    {"coords": st.dictionaries(st.sampled_from(["latitude", "longitude", "speed"]), JSON) | JSON},
    optional={"timestamp": JSON, "battery": JSON, "mock": JSON},
)


@given(LOCATION.filter(_fits))
def test_no_traccar_location_is_dropped_unseen(location: dict[str, Any]) -> None:
    _, items = codecs.traccar_json(orjson.dumps({"device_id": "DRV-1", "location": location}))
    assert len(items) == (location["coords"] is not None)
    for item in items:
        check(item)


@given(
    st.dictionaries(st.sampled_from(["tst", "lat", "lon", "vel", "acc", "batt", "t", "bs"]), JSON)
)
def test_no_owntracks_location_is_dropped_unseen(fields: dict[str, Any]) -> None:
    if not _fits(fields):
        return
    whole = {"_type": "location", "tst": NOW_MS // 1000, "lat": 13.7, "lon": 100.5} | fields
    item = codecs.owntracks(orjson.dumps(whole))
    assert item is not None
    check(item)
